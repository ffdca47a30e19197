// The page: who is signed in, which figures are shown, and what the person asks for.

import { askAbout, prepareActing } from "./acting.js";
import { byId, freshen } from "./dom.js";
import { chooseDossier, openDossier, prepareDossier, refreshDossier, showDossier } from "./dossier.js";
import { forgetParts, hurryParts, prepareParts, refreshParts, showParts } from "./exchange.js";
import { chooseLanguage, currentLanguage, dateTime, relative, setClock, t } from "./language.js";
import { Live } from "./live.js";
import { forgetOffers, offered } from "./offers.js";
import { showPortal } from "./portal.js";
import { call, may, NoAnswer, Problem, signedIn, signIn, signOut, who } from "./session.js";
import { showQueues, showServices } from "./services.js";
import { dossiersWaiting, remember, showSummary } from "./summary.js";
import { otherTiles } from "./tiles.js";
import { showAudit, showWaiting } from "./waiting.js";

const TOAST_MS = 6_000;
const SILENCE = () => "";
let overview = null, etag = null;
let complaint = SILENCE;

const live = new Live(bringFigures, show);

async function bringFigures() {
  try {
    const [found] = await Promise.all([
      call("ops/overview", { headers: etag ? { "if-none-match": etag } : {} }),
      refreshDossier(),
      refreshParts(),
    ]);
    if (found.status !== 304) {
      [overview, etag] = [found.body, found.etag];
      setClock(overview.at);
    }
    remember(overview);
  } catch (problem) {
    if (problem instanceof Problem && (problem.status === 401 || problem.status === 403)) {
      leave(() => t(problem.status === 401 ? "login.expired" : "login.no_right"));
    }
    throw problem;
  }
}

// What is shown

function show() {
  byId("login").hidden = signedIn();
  byId("login-complaint").textContent = complaint();
  for (const id of ["desk", "lookup", "contact", "account"]) byId(id).hidden = !signedIn();
  if (!signedIn()) return;
  byId("who").textContent = who();
  byId("only-look").hidden = may("ops:act");
  showContact();
  if (overview) showFigures();
  showDossier(overview?.waiting ?? []);
  byId("desk").classList.toggle("with-dossier", openDossier() !== null);
}

function showFigures() {
  const body = (id) => byId(id).querySelector(".body");
  forgetOffers();
  showSummary(byId("summary"), overview, otherTiles());
  showServices(body("services"), overview.services);
  showQueues(body("queues"), overview.broker, overview.queues);
  showWaiting(body("waiting"), overview.waiting, overview.services);
  showPortal(body("portal"), overview.portal);
  showParts(body);
  showAudit(body("audit"), overview.interventions, overview.waiting);
  const { parked } = dossiersWaiting(overview);
  document.title = `${parked ? `(${parked}) ` : ""}Một Cửa · ${t("page.name")}`;
}

function showContact() {
  byId("contact").dataset.state = live.contact;
  // Written only when it changes: a live region is read out each time.
  const state = t(`contact.${live.contact}`);
  if (byId("contact-state").textContent !== state) byId("contact-state").textContent = state;
  const lost = live.contact === "lost";
  byId("desk").classList.toggle("old", lost);
  byId("lost").hidden = !lost;
  const banner = lost ? lostWords() : "";
  if (byId("lost").textContent !== banner) byId("lost").textContent = banner;
  showAge();
}

function lostWords() {
  const because = live.why instanceof Problem ? ` ${t("lost.because", { why: live.why.words() })}` : "";
  return t("lost.banner", { at: dateTime(live.lostAt) }) + because;
}

function showAge() {
  byId("contact-age").textContent = live.freshAt ? t("contact.age", { ago: relative(live.freshAt, Date.now()) }) : "";
}

function showWords() {
  document.documentElement.lang = currentLanguage();
  document.title = `Một Cửa · ${t("page.name")}`;
  for (const one of document.querySelectorAll("[data-t]")) one.textContent = t(one.dataset.t);
  for (const one of document.querySelectorAll("[data-t-label]")) one.setAttribute("aria-label", t(one.dataset.tLabel));
  for (const one of document.querySelectorAll("[data-language]")) {
    one.setAttribute("aria-pressed", String(one.dataset.language === currentLanguage()));
  }
  show();
}

// Who is signed in

function enter() {
  complaint = SILENCE;
  live.start();
  show();
}

function leave(why = SILENCE) {
  live.stop();
  signOut();
  overview = etag = null;
  forgetParts();
  complaint = why;
  show();
  byId("client-id").focus();
}

function complaintOf(problem) {
  if (problem instanceof NoAnswer) return () => t("login.away");
  const key = { invalid_client: "login.refused", invalid_scope: "login.no_right" }[problem.code];
  return () => (key ? t(key) : problem.words());
}

byId("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { id, secret } = event.target.elements;
  try {
    await signIn(id.value.trim(), secret.value);
    event.target.reset();
    enter();
  } catch (problem) {
    leave(complaintOf(problem));
    secret.select();
  }
});
byId("sign-out").addEventListener("click", () => leave());

// What the person asks for

function goTo(code) {
  const query = code ? `?dossier=${encodeURIComponent(code)}` : location.pathname;
  history.pushState(null, "", query);
  followAddress();
  if (code) byId("dossier-title").focus();
}

/** Show the dossier that the address names (/console?dossier=H32.14-260407-0001#en). */
function followAddress() {
  const code = new URLSearchParams(location.search).get("dossier")?.trim() || null;
  byId("code").value = code ?? "";
  chooseDossier(code);
  show();
  if (live.running) live.look();
}

function toast(words) {
  byId("toast").textContent = words;
  setTimeout(() => { if (byId("toast").textContent === words) byId("toast").textContent = ""; }, TOAST_MS);
}

byId("lookup").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = byId("code").value.trim();
  if (code) goTo(code);
});
byId("dossier-close").addEventListener("click", () => {
  goTo(null);
  byId("code").focus();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dossier]");
  const offer = offered(event.target.closest("[data-offer]")?.dataset.offer);
  if (offer) askAbout(offer);
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  goTo(link.dataset.dossier);
});
document.querySelector(".languages").addEventListener("click", ({ target }) => {
  if (!target.dataset.language) return;
  chooseLanguage(target.dataset.language);
  showWords();
});
addEventListener("popstate", followAddress);

prepareActing(async (words) => {
  toast(words);
  hurryParts();
  await live.look();
});
prepareDossier(show);
prepareParts({ toast, show, look: () => live.look() });
setInterval(() => { freshen(); showAge(); }, 1_000);
showWords();
followAddress();
if (signedIn()) live.start();
else byId("client-id").focus();
