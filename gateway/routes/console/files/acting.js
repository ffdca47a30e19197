// Whatever a person does is asked for in a dialog, and sent once under one Idempotency-Key however often it is pressed.

import { byId } from "./dom.js";
import { t } from "./language.js";
import { call, NoAnswer } from "./session.js";

const REASON_MIN = 3, REASON_MAX = 500;
let asked = null;

/** Wire the dialog up; `done` is told in words what was achieved. */
export function prepareActing(done) {
  byId("ask-cancel").addEventListener("click", () => byId("ask").close());
  byId("ask").addEventListener("close", () => { asked = null; });
  byId("ask-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    await press(done);
  });
}

/**
 * Ask a person about an offer: {title, about, go, look, wantsReason, reasonMax, more, send, done}.
 * more(place): fills in what else there is to see or to choose; false while nothing can be sent, also as a promise.
 * send(key, given): sends it, given the form's values; done(answer, given): tells in words what was achieved.
 */
export async function askAbout(offer) {
  const mine = { ...offer, key: null, given: null, busy: false, ready: !offer.more };
  asked = mine;
  byId("ask-title").textContent = offer.title;
  byId("ask-about").textContent = offer.about;
  byId("ask-go").textContent = offer.go;
  byId("ask-go").className = offer.look;
  byId("ask-reason-part").hidden = !offer.wantsReason;
  byId("ask-reason").required = Boolean(offer.wantsReason);
  byId("ask-reason").maxLength = offer.reasonMax ?? REASON_MAX;
  byId("ask-reason").value = byId("ask-complaint").textContent = "";
  byId("ask-more").replaceChildren();
  setBusy(false);
  byId("ask").showModal();
  (offer.wantsReason ? byId("ask-reason") : byId("ask-cancel")).focus();
  if (offer.more) await showMore(mine);
}

async function showMore(mine) {
  const place = document.createElement("div");
  byId("ask-more").append(place);
  try {
    const ready = await mine.more(place);
    if (asked === mine) mine.ready = ready !== false;
  } catch (problem) {
    if (asked === mine) complain(problem);
  }
  if (asked === mine) setBusy(mine.busy);
}

async function press(done) {
  const mine = asked;
  const given = Object.fromEntries(new FormData(byId("ask-form")));
  given.reason = given.reason.trim();
  if (mine.busy || !mine.ready) return;
  if (mine.wantsReason && given.reason.length < REASON_MIN) {
    byId("ask-complaint").textContent = t("ask.hint");
    return;
  }
  const same = JSON.stringify(given);
  if (mine.given !== same) Object.assign(mine, { key: newKey(), given: same });
  setBusy(true);
  try {
    const answer = await mine.send(mine.key, given);
    byId("ask").close();
    await done(mine.done(answer?.body, given));
  } catch (problem) {
    complain(problem);
  } finally {
    if (asked === mine) setBusy(false);
  }
}

const complain = (problem) => {
  byId("ask-complaint").textContent = problem instanceof NoAnswer ? t("act.again") : problem.words?.() ?? String(problem);
};

function setBusy(busy) {
  if (asked) asked.busy = busy;
  byId("ask-go").setAttribute("aria-busy", busy);
  byId("ask-go").setAttribute("aria-disabled", String(!(asked?.ready ?? true)));
}

/** Post something once: the same key for the same wish, however often it is sent. */
export const post = (path, key, body) => call(path, { method: "POST", headers: { "idempotency-key": key }, body });

// crypto.randomUUID exists on https and localhost only; consoles are also opened by a plain address.
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
