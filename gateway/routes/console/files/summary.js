// The five figures that say whether a person is needed.

import { el, patch, svg } from "./dom.js";
import { number, service, share, span, t } from "./language.js";

const KEPT = 60;
const past = { outbox: [], owed: [] };

/** Remember a figure of this moment for the small curves. */
export function remember({ services, portal }) {
  push(past.outbox, total(services, "outbox_rows"));
  push(past.owed, portal.open);
}

function push(values, value) {
  values.push(value);
  if (values.length > KEPT) values.shift();
}

export const total = (services, figure) =>
  Object.values(services).reduce((sum, one) => sum + (one[figure] ?? 0), 0);

export function showSummary(place, { services, portal }) {
  patch(place, healthTile(services), outboxTile(services), waitingTile(services), stepTile(portal), lagTile(portal));
}

function tile(href, state, label, figure, note, curve = null) {
  return el(
    "li",
    { "data-key": href + label, class: `tile ${state}` },
    el("a", { href },
      el("span", { class: "tile-label" }, label, el("span", { class: "quiet" }, ` (${t(`state.${state}`)})`)),
      el("span", { class: "tile-figure" }, figure),
      el("span", { class: "tile-note" }, note),
      curve && curveOf(curve)),
  );
}

function curveOf(values) {
  const most = Math.max(...values, 1);
  const points = values.map((value, nth) => `${(nth * 60) / (KEPT - 1)},${15 - (value / most) * 14}`);
  return svg(
    "svg",
    { class: "curve", viewBox: "0 0 60 16", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("polyline", { points: points.join(" ") }),
  );
}

function healthTile(services) {
  const all = Object.entries(services);
  const ill = all.filter(([, one]) => one.status !== "ready");
  const dead = ill.some(([, one]) => one.status === "away" || one.status === "not_ready");
  return tile(
    "#services",
    dead ? "bad" : ill.length ? "warn" : "ok",
    t("summary.services"),
    `${number(all.length - ill.length)}/${number(all.length)}`,
    ill.length
      ? ill.map(([name, one]) => `${service(name)}: ${t(`services.${one.status}`).toLowerCase()}`).join("; ")
      : t("summary.services_all"),
  );
}

function outboxTile(services) {
  const rows = total(services, "outbox_rows");
  const oldest = Math.max(...Object.values(services).map((one) => one.outbox_oldest_age_s ?? 0));
  return tile(
    "#services",
    oldest > 60 ? "bad" : oldest > 10 ? "warn" : "ok",
    t("summary.outbox"),
    number(rows),
    rows ? t("summary.outbox_oldest", { age: span(oldest * 1000) }) : t("summary.outbox_empty"),
    past.outbox,
  );
}

function waitingTile(services) {
  const [waiting, parked] = [total(services, "waiting_subjects"), total(services, "parked_subjects")];
  return tile(
    "#waiting",
    parked ? "bad" : waiting ? "warn" : "ok",
    t("summary.waiting"),
    number(waiting),
    parked ? t("summary.parked", { n: number(parked) }) : t("summary.not_parked"),
  );
}

function stepTile(portal) {
  const state = portal.breaker === "open" ? "bad" : portal.failing ? "warn" : "ok";
  return tile(
    "#portal",
    state,
    t("summary.in_step"),
    share(portal.dossiers_in_step, portal.dossiers),
    t("summary.in_step_of", { n: number(portal.dossiers_in_step), m: number(portal.dossiers) }),
    past.owed,
  );
}

function lagTile(portal) {
  const known = portal.lag_p50_s !== null;
  return tile(
    "#portal",
    known ? (portal.lag_p99_s > 60 ? "warn" : "ok") : "none",
    t("summary.lag"),
    known ? span(portal.lag_p50_s * 1000) : "–",
    known ? t("summary.lag_p99", { p99: span(portal.lag_p99_s * 1000) }) : t("summary.lag_none"),
  );
}
