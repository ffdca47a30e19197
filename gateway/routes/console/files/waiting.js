// Events that wait, a row per dossier and service, with what a person may do about them; and who did what before.

import { post } from "./acting.js";
import { ago, chip, el, patch, table, typeName, until } from "./dom.js";
import { dateTime, named, number, service, t } from "./language.js";
import { offerButton } from "./offers.js";
import { may, who } from "./session.js";

export const dossierLink = (code) =>
  el("a", { class: "code dossier", href: `?dossier=${encodeURIComponent(code)}`, "data-dossier": code }, code);

export function showWaiting(place, waiting, services) {
  const groups = byDossier(waiting);
  if (!groups.length) {
    patch(place, el("p", { class: "empty fine" }, t("waiting.none")));
    return;
  }
  const columns = [
    { key: "dossier", label: t("waiting.dossier") },
    { key: "state", label: t("waiting.state") },
    { key: "event", label: t("waiting.event"), kind: "full" },
    { key: "reason", label: t("waiting.reason"), kind: "reason full" },
    { key: "attempts", label: t("waiting.attempts"), kind: "number" },
    { key: "since", label: t("waiting.since"), kind: "short" },
    { key: "next", label: t("waiting.next"), kind: "short" },
    ...(may("ops:act") ? [{ key: "acts", label: t("waiting.acts"), kind: "acts full" }] : []),
  ];
  const all = Object.values(services).reduce((sum, one) => sum + (one.waiting_events ?? 0), 0);
  patch(
    place,
    all > waiting.length && el("p", { class: "hint" }, t("waiting.shown", { n: number(waiting.length), m: number(all) })),
    table(t("waiting.title"), columns, groups.map(groupRow), "wide"),
  );
}

/** Events of one dossier in one service wait in line: the first holds up the rest. Parked ones come first. */
function byDossier(waiting) {
  const groups = new Map();
  for (const event of waiting) {
    const key = `${event.service} ${event.subject}`;
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  return [...groups].map(([key, events]) => ({ key, head: events[0], behind: events.slice(1) }))
    .sort((one, other) => Number(other.head.parked_at !== null) - Number(one.head.parked_at !== null));
}

export function stateOf(head) {
  if (head.parked_at) return ["bad", t("waiting.is_parked")];
  return head.attempts === 0 ? ["busy", t("waiting.is_running")] : ["warn", t("waiting.is_waiting")];
}

function groupRow({ key, head, behind }) {
  return {
    key,
    state: head.parked_at ? "is-bad" : null,
    cells: {
      dossier: [dossierLink(head.subject), el("span", { class: "below" }, t("waiting.at", { service: service(head.service) }))],
      state: chip(...stateOf(head)),
      event: [eventName(head), behind.length > 0 && behindList(behind)],
      reason: [el("span", { class: "code wrap" }, head.reason), wish(head)],
      attempts: number(head.attempts),
      since: ago(head.waiting_since),
      next: head.next_attempt_at ? until(head.next_attempt_at) : t("waiting.no_next"),
      acts: el("div", { class: "buttons" }, buttons(head)),
    },
  };
}

export const eventName = (event) => [named("event", event.type), el("span", { class: "below" }, typeName(event.type))];

function behindList(events) {
  return el(
    "details",
    {},
    el("summary", {}, t("waiting.behind", { n: number(events.length) })),
    el("ol", {}, events.map((event) => el("li", {}, eventName(event), wish(event), may("ops:act") && discardButtons(event)))),
  );
}

const wish = ({ discard }) =>
  discard && el("span", { class: "below wish" }, t("waiting.wants_discard", { actor: discard.actor }), " · ", ago(discard.at));

const buttons = (head) => [button("replay", head, "strong"), ...discardButtons(head)];

function discardButtons(event) {
  if (!event.discard) return [button("discard", event, "plain")];
  return event.discard.actor === who() ? [] : [button("consent", event, "danger")];
}

function button(act, event, look) {
  const about = `${named("event", event.type)}, ${event.subject}`;
  return offerButton(`${act} ${event.service} ${event.event_id}`, look, t(`act.${act}`), about, offer(act, event));
}

function offer(act, event) {
  const facts = {
    dossier: event.subject, service: service(event.service), event: named("event", event.type),
    actor: event.discard?.actor, reason: event.discard?.reason,
  };
  return {
    title: t(`act.${act}_title`, facts),
    about: t(`act.${act}_about`, facts),
    go: t(`act.${act}`),
    look: act === "replay" ? "strong" : "danger",
    wantsReason: act !== "consent",
    send: (key, { reason }) => send(act, event, reason, key),
    done: () => t(`act.${act}_done`, facts),
  };
}

function send(act, event, reason, key) {
  const place = `ops/${event.service}`;
  const waiting = `${place}/waiting/${encodeURIComponent(event.subject)}`;
  const [path, body] = {
    replay: [`${waiting}/replay`, { reason }],
    discard: [`${waiting}/discard`, { event_id: event.event_id, reason }],
    consent: [`${place}/interventions/${event.discard?.intervention}/consent`, undefined],
  }[act];
  return post(path, key, body);
}

export function showAudit(place, interventions, waiting) {
  if (!interventions.length) {
    patch(place, el("p", { class: "empty" }, t("audit.none")));
    return;
  }
  const columns = [
    { key: "at", label: t("audit.at") },
    { key: "who", label: t("audit.who") },
    { key: "what", label: t("audit.what") },
    { key: "dossier", label: t("waiting.dossier") },
    { key: "reason", label: t("audit.reason"), kind: "reason full" },
    { key: "consent", label: t("audit.consent") },
  ];
  const open = new Set(waiting.map((event) => `${event.service} ${event.event_id}`));
  patch(place, table(t("audit.title"), columns, interventions.map((one) => auditRow(one, open)), "wide"));
}

function auditRow(one, open) {
  return {
    key: `${one.service} ${one.id}`,
    cells: {
      at: el("time", { datetime: one.at }, dateTime(one.at)),
      who: one.actor,
      what: t(`audit.${one.action}`),
      dossier: [dossierLink(one.subject), el("span", { class: "below" }, t("waiting.at", { service: service(one.service) }))],
      reason: one.reason,
      consent: consentOf(one, open),
    },
  };
}

function consentOf(one, open) {
  if (one.consented_by) return [one.consented_by, " · ", ago(one.consented_at)];
  if (one.action !== "discard") return el("span", { class: "faint" }, t("audit.not_needed"));
  if (open.has(`${one.service} ${one.event_id}`)) return chip("warn", t("audit.open"));
  return el("span", { class: "faint" }, t("audit.moot"));
}
