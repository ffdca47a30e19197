// The figures that say whether a person is needed: five of the house, and those of other parts that a person may see.

import { el, NONE, patch, svg } from "./dom.js";
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

/** Count dossiers that wait anywhere; one that waits in two services counts once, as far as all are listed. */
export function dossiersWaiting({ services, waiting }) {
  if (waiting.length < total(services, "waiting_events")) {
    return { all: total(services, "waiting_subjects"), parked: total(services, "parked_subjects") };
  }
  const count = (events) => new Set(events.map((event) => event.subject)).size;
  return { all: count(waiting), parked: count(waiting.filter((event) => event.parked_at)) };
}

export function showSummary(place, overview, others) {
  const { services, portal } = overview;
  const tiles = [healthTile(services), outboxTile(services), waitingTile(overview), stepTile(portal), lagTile(portal), ...others];
  place.dataset.tiles = tiles.length;
  patch(place, tiles);
}

export function tile(href, state, label, figure, note, curve = null) {
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
  const most = Math.max(...values);
  if (most === 0 || values.length < 5) return null;
  const points = values.map((value, nth) => `${((KEPT - values.length + nth) * 60) / (KEPT - 1)},${15 - (value / most) * 14}`);
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
      ? t("summary.services_some", { names: ill.map(([name]) => service(name)).join(", ") })
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

function waitingTile(overview) {
  const { all, parked } = dossiersWaiting(overview);
  return tile(
    "#waiting",
    parked ? "bad" : all ? "warn" : "ok",
    t("summary.waiting"),
    number(all),
    parked ? t("summary.parked", { n: number(parked) }) : t("summary.not_parked"),
  );
}

function stepTile(portal) {
  if (!portal.dossiers) return tile("#portal", "none", t("summary.in_step"), NONE, t("summary.no_dossiers"));
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
    known ? span(portal.lag_p50_s * 1000) : NONE,
    known ? t("summary.lag_p99", { p99: span(portal.lag_p99_s * 1000) }) : t("summary.lag_none"),
  );
}
