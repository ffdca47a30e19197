// Replay, discard, consent: asked for in a dialog, sent once under one Idempotency-Key however often it is pressed.

import { byId } from "./dom.js";
import { named, service, t } from "./language.js";
import { call, NoAnswer } from "./session.js";

const REASON_MIN = 3;
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

export function askAbout(offer) {
  const { act, event } = offer;
  const facts = {
    dossier: event.subject, service: service(event.service), event: named("event", event.type),
    actor: event.discard?.actor, reason: event.discard?.reason,
  };
  asked = { ...offer, facts, key: null, reason: null, busy: false };
  byId("ask-title").textContent = t(`act.${act}_title`, facts);
  byId("ask-about").textContent = t(`act.${act}_about`, facts);
  byId("ask-go").textContent = t(`act.${act}`);
  byId("ask-go").className = act === "replay" ? "strong" : "danger";
  byId("ask-reason-part").hidden = act === "consent";
  byId("ask-reason").required = act !== "consent";
  byId("ask-reason").value = byId("ask-complaint").textContent = "";
  byId("ask").showModal();
  (act === "consent" ? byId("ask-cancel") : byId("ask-reason")).focus();
}

async function press(done) {
  const { act, facts } = asked;
  const reason = byId("ask-reason").value.trim();
  if (asked.busy || (act !== "consent" && reason.length < REASON_MIN)) {
    byId("ask-complaint").textContent = asked.busy ? "" : t("ask.hint");
    return;
  }
  if (asked.key === null || asked.reason !== reason) Object.assign(asked, { key: newKey(), reason });
  setBusy(true);
  try {
    await send(asked);
    byId("ask").close();
    await done(t(`act.${act}_done`, facts));
  } catch (problem) {
    byId("ask-complaint").textContent = problem instanceof NoAnswer ? t("act.again") : problem.words?.() ?? String(problem);
  } finally {
    setBusy(false);
  }
}

function setBusy(busy) {
  if (asked) asked.busy = busy;
  byId("ask-go").setAttribute("aria-busy", busy);
}

function send({ act, event, reason, key }) {
  const place = `ops/${event.service}`;
  const waiting = `${place}/waiting/${encodeURIComponent(event.subject)}`;
  const [path, body] = {
    replay: [`${waiting}/replay`, { reason }],
    discard: [`${waiting}/discard`, { event_id: event.event_id, reason }],
    consent: [`${place}/interventions/${event.discard?.intervention}/consent`, undefined],
  }[act];
  return call(path, { method: "POST", headers: { "idempotency-key": key }, body });
}

// crypto.randomUUID exists on https and localhost only; consoles are also opened by a plain address.
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
