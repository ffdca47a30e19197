// One dossier: calls through the door, events on the bus and what the portal was told, in one line ordered by time.

import { ago, byId, chip, el, patch, typeName, until } from "./dom.js";
import { dateTime, day, exactTime, money, named, number, service, span, t } from "./language.js";
import { statusLabel } from "./portal.js";
import { call, Problem } from "./session.js";
import { eventName, stateOf } from "./waiting.js";

const KINDS = ["http", "bus", "sync"];
const MOMENTS = ["due_at", "previous_due_at", "respond_by"];
const LATE_MS = 60_000;
const shown = new Set(KINDS);
let code = null, trace = null, problem = null, marked = null;

export const openDossier = () => code;

/** Open a dossier's line, or close it with null. */
export function chooseDossier(chosen) {
  if (chosen !== code) trace = problem = marked = null;
  code = chosen;
}

/** Bring the line up to date; a refusal is kept for the page, a lost contact is thrown. */
export async function refreshDossier() {
  const asked = code;
  if (asked === null) return;
  try {
    const { body } = await call(`ops/dossiers/${encodeURIComponent(asked)}`);
    if (asked === code) [trace, problem] = [body, null];
  } catch (found) {
    if (!(found instanceof Problem) || found.status !== 404) throw found;
    if (asked === code) [trace, problem] = [null, found];
  }
}

/** Wire up the filters and the trace buttons. */
export function prepareDossier(changed) {
  byId("dossier").addEventListener("click", ({ target }) => {
    const button = target.closest("[data-trace]");
    if (!button) return;
    marked = marked === button.dataset.trace ? null : button.dataset.trace;
    changed();
  });
  byId("dossier").addEventListener("change", ({ target }) => {
    if (target.checked) shown.add(target.value);
    else shown.delete(target.value);
    changed();
  });
}

export function showDossier(waiting) {
  byId("dossier").hidden = code === null;
  if (code === null) return;
  byId("dossier-title").textContent = t("dossier.title", { code });
  const own = waiting.filter((event) => event.subject === code);
  const body = byId("dossier").querySelector(".body");
  if (trace) patch(body, known());
  else patch(body, problem ? unknown(own) : el("p", { class: "empty" }, t("dossier.loading")));
}

/** What the portal was found to hold otherwise, and what became of it. */
function differenceNote({ kind, state, found_at: found, closed_at: closed }) {
  const standing = closed === null;
  return el("p", { class: standing ? "trouble" : "fine" }, [
    t(`difference.${kind}`), " (", dateTime(found), "): ", t(`difference.${state}`), !standing && [" ", dateTime(closed)],
  ]);
}

function unknown(own) {
  return [
    el("p", { class: "empty trouble" }, own.length ? t("dossier.unknown_waiting") : t("dossier.unknown")),
    own.map(waitingNote),
  ];
}

function known() {
  const { dossier, portal } = trace;
  const told = portal.filter((debt) => debt.acknowledged_at).length;
  const facts = [
    [t("dossier.procedure"), el("span", { class: "code" }, dossier.procedure_code)],
    [t("dossier.agency"), el("span", { class: "code" }, dossier.agency_code)],
    [t("dossier.due"), dossier.due_at ? dateTime(dossier.due_at) : t("dossier.no_due")],
    [t("dossier.told"), chip(told === portal.length ? "ok" : "warn", t("dossier.told_of", { n: number(told), m: number(portal.length) }))],
  ];
  facts.push([t("dossier.compared"), trace.sync.compared_at ? ago(trace.sync.compared_at) : t("dossier.not_compared")]);
  return [
    el("p", { class: "standing" }, statusLabel(dossier.portal_status)),
    el("dl", { class: "figures small" }, facts.map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value)))),
    trace.waiting.map(waitingNote),
    trace.sync.differences.map(differenceNote),
    el("p", { class: "hint small" }, t("dossier.masked")),
    filters(),
    line(),
  ];
}

function waitingNote(event) {
  return el(
    "div",
    { class: "notice", "data-key": event.event_id },
    chip(...stateOf(event)), " ", t("waiting.at", { service: service(event.service) }), ": ", eventName(event),
    el("p", { class: "code wrap" }, event.reason),
  );
}

function filters() {
  return el(
    "fieldset",
    { class: "filters" },
    el("legend", {}, t("dossier.line")),
    KINDS.map((kind) => el(
      "label",
      { class: `kind ${kind}` },
      el("input", { type: "checkbox", value: kind, checked: shown.has(kind) }),
      el("span", { class: "mark", "aria-hidden": "true" }), t(`line.${kind}`),
    )),
  );
}

/** Return everything that happened, oldest first; what the portal is still owed stands at the end. */
function entries() {
  const calls = trace.calls.map((one) => ({ at: one.at, kind: "http", one }));
  const events = trace.dossier.items.map((one) => ({ at: one.raised_at, kind: "bus", one }));
  const told = trace.portal.map((one) => ({ at: one.acknowledged_at, kind: "sync", one }));
  const time = ({ at }) => (at ? Date.parse(at) : Infinity);
  return [...calls, ...events, ...told]
    .filter(({ kind }) => shown.has(kind))
    .sort((a, b) => time(a) - time(b) || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (a.one.nth ?? 0) - (b.one.nth ?? 0));
}

function line() {
  const all = entries();
  if (!all.length) return el("p", { class: "empty" }, t("line.none"));
  let today = null;
  return el("ol", { class: "line" }, all.flatMap((entry) => {
    const heading = entry.at && day(entry.at);
    const first = heading && heading !== today;
    today = heading || today;
    return [first && el("li", { class: "day", "data-key": heading }, heading), lineEntry(entry)];
  }));
}

function lineEntry({ at, kind, one }) {
  const key = { http: () => `${one.at} ${one.trace_id}`, bus: () => one.event_id, sync: () => `sync ${one.version}` }[kind]();
  const open = kind === "sync" && !one.acknowledged_at;
  const look = [kind, open && "open", marked && one.trace_id === marked && "marked"].filter(Boolean).join(" ");
  return el(
    "li",
    { class: look, "data-key": key },
    at ? el("time", { datetime: at, title: dateTime(at) }, exactTime(at)) : el("span", { class: "time" }, "…"),
    el("div", { class: "what" }, { http: httpEntry, bus: busEntry, sync: syncEntry }[kind](one)),
  );
}

function httpEntry(one) {
  const state = one.status < 400 ? "ok" : one.status < 500 ? "warn" : "bad";
  return [
    el("p", {}, el("span", { class: "code wrap" }, `${one.method} ${one.path}`), " ", chip(state, String(one.status))),
    el("p", { class: "note" },
      t("line.call", { client: one.client_id, service: service(one.service), ms: span(one.duration_us / 1000) }),
      traceButton(one.trace_id)),
  ];
}

function busEntry(one) {
  const [raised, happened] = [Date.parse(one.raised_at), Date.parse(one.happened_at)];
  return [
    el("p", {}, el("strong", {}, named("event", one.type)), " ", el("span", { class: "faint" }, typeName(one.type))),
    one.portal_status && el("p", { class: "reached" }, `${t("line.reached")}: `, statusLabel(one.portal_status)),
    details(one),
    el("p", { class: "note" },
      service(one.source), ", ", t("line.arrived", { ms: span(Math.max(0, Date.parse(one.folded_at) - raised)) }),
      raised - happened > LATE_MS && `, ${t("line.late", { at: dateTime(one.happened_at) })}`,
      one.trace_id && traceButton(one.trace_id)),
  ];
}

function details({ detail, masked }) {
  const pairs = [
    ...Object.entries(detail).map(([name, value]) => [name, detailValue(name, value)]),
    ...masked.map((name) => [name, "•••"]),
  ];
  return pairs.length > 0 && el("p", { class: "details" }, pairs.map(([name, value]) =>
    el("span", {}, el("span", { class: "faint" }, `${named("detail", name)} `), value)));
}

function detailValue(name, value) {
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (name === "amount_vnd") return money(value);
  if (name.endsWith("_id")) return el("span", { class: "code", title: value }, value.slice(-8));
  if (MOMENTS.includes(name)) return dateTime(value);
  return named("value", value);
}

function syncEntry(one) {
  const label = t(one.acknowledged_at ? "line.acknowledged" : "line.owed");
  return [
    el("p", {}, el("strong", {}, label), ": ", statusLabel(one.status)),
    el("p", { class: "note" }, one.acknowledged_at ? paidNote(one) : owedNote(one)),
    one.last_error && el("p", { class: "code wrap" }, one.last_error),
  ];
}

function paidNote(one) {
  const lag = t("line.lag", { lag: span(Math.max(0, Date.parse(one.acknowledged_at) - Date.parse(one.owed_since))) });
  return one.attempts ? `${lag}, ${t("line.failed", { n: number(one.attempts) })}` : lag;
}

function owedNote(one) {
  const parts = [t("line.owed_since", { at: exactTime(one.owed_since) }), " · ", ago(one.owed_since)];
  if (one.attempts) parts.push(", ", t("line.failed_so_far", { n: number(one.attempts) }));
  const first = trace.portal.find((debt) => !debt.acknowledged_at) === one;
  return [...parts, ", ", ...(first && one.next_attempt_at ? [t("line.next"), " ", until(one.next_attempt_at)] : [t("line.behind")])];
}

function traceButton(id) {
  return el(
    "button",
    { type: "button", class: "trace code", "data-trace": id, "aria-pressed": String(marked === id), "aria-label": t("line.trace_show", { id }), title: id },
    `${t("line.trace")} ${id.slice(0, 8)}`,
  );
}
