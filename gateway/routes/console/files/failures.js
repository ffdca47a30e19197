// What failed at data services, by cause, and the calls of a cause that are kept to be sent again.

import { ago, chip, el, NONE, patch, table } from "./dom.js";
import { named, number, t } from "./language.js";
import { Pace } from "./live.js";
import { offerButton, openerButton } from "./offers.js";
import { rerunOffer } from "./rerun.js";
import { call, may } from "./session.js";

const GROUPS_SHOWN = 50, CALLS_SHOWN = 50;
const pace = new Pace(6_000);
let found = null, opened = null, calls = null;

/** Return {keeping, failures} as last heard, null before that or without the right. */
export const failuresFound = () => (may("services:read") ? found : null);

export function forgetFailures() {
  found = opened = calls = null;
  pace.hurry();
}

export const hurryFailures = () => pace.hurry();

/** Open the kept calls of a cause, or close them. */
export function openFailure(fingerprint) {
  opened = opened === fingerprint ? null : fingerprint;
  calls = null;
  pace.hurry();
}

/** Bring the causes up to date, and the calls of the one that is open. */
export async function refreshFailures() {
  if (!may("services:read") || !pace.due()) return;
  const { body } = await call("data-services/failures");
  found = body;
  await refreshCalls();
  pace.asked();
}

async function refreshCalls() {
  const [asked, group] = [opened, found.failures.find((one) => one.fingerprint === opened)];
  if (!group) return;
  const { body } = await call(`data-services/calls?service=${encodeURIComponent(group.service)}&fingerprint=${asked}`);
  if (asked === opened) calls = body;
}

export function showFailures(place) {
  if (!found) {
    patch(place, el("p", { class: "empty" }, t("failures.loading")));
    return;
  }
  const groups = [...found.failures].sort((one, other) => Number(other.kept > 0) - Number(one.kept > 0));
  patch(
    place,
    el("p", { class: "hint" }, t("failures.key")),
    !found.keeping && el("p", { class: "notice" }, t("failures.not_kept")),
    !may("services:write") && el("p", { class: "hint" }, t("failures.only_look")),
    groups.length > GROUPS_SHOWN && el("p", { class: "hint" }, t("failures.shown", { n: number(GROUPS_SHOWN), m: number(groups.length) })),
    groups.length
      ? table(t("failures.title"), columns(), groups.slice(0, GROUPS_SHOWN).map(groupRow), "wide")
      : el("p", { class: "empty fine" }, t("failures.none")),
  );
}

const columns = () => [
  { key: "service", label: t("failures.service") },
  { key: "cause", label: t("failures.cause"), kind: "reason full" },
  { key: "calls", label: t("failures.calls"), kind: "number" },
  { key: "kept", label: t("failures.kept"), kind: "number" },
  { key: "again", label: t("failures.sent_again"), kind: "number" },
  { key: "last", label: t("failures.last"), kind: "short" },
  { key: "acts", label: t("waiting.acts"), kind: "acts full" },
];

const aboutGroup = (group) => `${group.service}, ${group.operation}, ${kindOf(group)}`;

function kindOf({ kind, upstream_status: status }) {
  return kind === "status" ? t("failures.status", { status }) : named("trouble", kind);
}

function groupRow(group) {
  const { fingerprint } = group;
  const open = opened === fingerprint;
  return {
    key: fingerprint,
    cells: {
      service: [el("span", { class: "code" }, group.service), el("span", { class: "below code" }, `${group.version} ${group.operation}`)],
      cause: [kindOf(group), el("span", { class: "below code wrap" }, group.complaint)],
      calls: number(group.calls),
      kept: group.kept ? chip("warn", number(group.kept)) : "0",
      again: group.sent_again ? chip("ok", number(group.sent_again)) : "0",
      last: ago(group.last_at),
      acts: group.kept ? el("div", { class: "buttons" }, buttons(group, open)) : NONE,
    },
    below: open && group.kept > 0 && keptCalls(group),
  };
}

function buttons(group, open) {
  const about = aboutGroup(group);
  return [
    may("services:write") && offerButton(
      `rerun ${group.fingerprint}`, "strong", t("rerun.go"), about,
      rerunOffer({ service: group.service, fingerprint: group.fingerprint }, t("rerun.about_group", { n: number(group.kept), cause: about })),
    ),
    openerButton("failure", group.fingerprint, open, t(open ? "failures.hide_calls" : "failures.show_calls"), about),
  ];
}

function keptCalls(group) {
  if (!calls) return el("p", { class: "empty" }, t("failures.loading"));
  return el(
    "div",
    {},
    calls.length > CALLS_SHOWN && el("p", { class: "hint" }, t("failures.calls_shown", { n: number(CALLS_SHOWN), m: number(calls.length) })),
    table(t("failures.calls_of", { cause: aboutGroup(group) }), callColumns(), calls.slice(0, CALLS_SHOWN).map((one) => callRow(group, one)), "normal"),
  );
}

const callColumns = () => [
  { key: "correlation", label: t("rerun.correlation") },
  { key: "client", label: t("rerun.client"), kind: "short" },
  { key: "failed", label: t("rerun.failed_at"), kind: "short" },
  { key: "now", label: t("rerun.now"), kind: "full" },
  ...(may("services:write") ? [{ key: "acts", label: t("waiting.acts"), kind: "acts full" }] : []),
];

function callRow(group, one) {
  return {
    key: one.id,
    cells: {
      correlation: el("span", { class: "code wrap" }, one.correlation_id),
      client: el("span", { class: "code" }, one.client_id),
      failed: ago(one.failed_at),
      now: obstacleChip(one),
      acts: may("services:write") && el("div", { class: "buttons" }, offerButton(
        `rerun ${one.id}`, "plain", t("rerun.go"), one.correlation_id,
        rerunOffer({ service: group.service, ids: [one.id] }, t("rerun.about_one", { correlation: one.correlation_id, cause: aboutGroup(group) })),
      )),
    },
  };
}

const obstacleChip = ({ obstacle }) => (obstacle ? chip("warn", named("obstacle", obstacle)) : chip("ok", t("rerun.can_go")));
