// How far the national portal is in step, and what is stuck.

import { ago, chip, el, NONE, patch, table, until } from "./dom.js";
import { named, number, share, span, t } from "./language.js";
import { dossierLink } from "./waiting.js";

export const statusLabel = (status) => [el("span", { class: "code" }, String(status)), " ", named("portal", status)];

export function showPortal(place, portal) {
  patch(
    place,
    el("dl", { class: "figures" }, figures(portal)),
    el("h3", {}, t("portal.compared")),
    el("dl", { class: "figures" }, comparison(portal.reconciliation)),
    el("h3", {}, t("portal.stuck")),
    portal.stuck.length
      ? table(t("portal.stuck"), columns(), portal.stuck.map(stuckRow), "wide")
      : el("p", { class: "empty fine" }, t("portal.nothing_stuck")),
  );
}

function figures(portal) {
  const lag = portal.lag_p50_s === null ? NONE : `${span(portal.lag_p50_s * 1000)} / ${span(portal.lag_p99_s * 1000)}`;
  return [
    pair(t("portal.breaker"), chip(portal.breaker === "open" ? "bad" : "ok", t(`portal.breaker_${portal.breaker}`))),
    pair(t("portal.in_step"), [`${number(portal.dossiers_in_step)} / ${number(portal.dossiers)}`, portal.dossiers > 0 && meter(portal)]),
    pair(t("portal.open"), [
      number(portal.open),
      portal.open > 0 && el("span", { class: "below" }, t("portal.open_of", { n: number(portal.open_dossiers) })),
    ]),
    pair(t("portal.failing"), portal.failing ? chip("warn", number(portal.failing)) : "0"),
    pair(t("portal.oldest"), portal.open ? span(portal.oldest_age_s * 1000) : NONE),
    pair(t("portal.lag"), lag),
  ];
}

function comparison({ last, differences, oldest_difference_age_s: age }) {
  const standing = differences > 0 && el("span", { class: "below" }, t("portal.differ_since", { age: span(age * 1000) }));
  const found = pair(t("portal.differences"), [
    differences ? chip(age > DAY_S ? "bad" : "warn", number(differences)) : chip("ok", "0"),
    standing,
  ]);
  if (!last) return [pair(t("portal.last_run"), t("portal.never_compared")), found];
  return [
    pair(t("portal.last_run"), [ago(last.finished_at), !last.two_way && el("span", { class: "below" }, t("portal.one_way"))]),
    pair(t("portal.same_there"), [
      `${number(last.in_step)} / ${number(last.compared)}`,
      last.compared > 0 && el("span", { class: "below" }, share(last.in_step, last.compared)),
    ]),
    found,
    pair(t("portal.told_anew"), `${number(last.redriven)} / ${number(last.settled)}`),
    pair(t("portal.not_judged"), number(last.on_their_way + last.unanswered)),
  ];
}

const DAY_S = 86_400;
const pair = (term, value) => el("div", {}, el("dt", {}, term), el("dd", {}, value));

function meter({ dossiers, dossiers_in_step: inStep }) {
  return el("meter", { min: 0, max: dossiers, value: inStep, "aria-label": t("portal.in_step") });
}

const columns = () => [
  { key: "dossier", label: t("waiting.dossier") },
  { key: "status", label: t("portal.status"), kind: "full" },
  { key: "why", label: t("portal.why"), kind: "reason full" },
  { key: "failed", label: t("portal.failed"), kind: "number" },
  { key: "since", label: t("portal.since"), kind: "short" },
  { key: "next", label: t("waiting.next"), kind: "short" },
];

function stuckRow(debt) {
  return {
    key: `${debt.dossier_code} ${debt.version}`,
    cells: {
      dossier: dossierLink(debt.dossier_code),
      status: statusLabel(debt.status),
      why: el("span", { class: "code wrap" }, debt.last_error ?? NONE),
      failed: number(debt.attempts),
      since: ago(debt.owed_since),
      next: debt.next_attempt_at ? until(debt.next_attempt_at) : NONE,
    },
  };
}
