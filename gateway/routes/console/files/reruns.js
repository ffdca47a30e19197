// Re-runs: how far they are, what came of each call, and pausing, resuming and stopping them.

import { newKey, post } from "./acting.js";
import { ago, chip, el, NONE, patch, table } from "./dom.js";
import { number, t } from "./language.js";
import { Pace } from "./live.js";
import { offerButton, openerButton } from "./offers.js";
import { call, may } from "./session.js";

const SHOWN = 20, CALLS_SHOWN = 100;
const OUTCOMES = { succeeded: "ok", refused: "bad", failed: "warn", gone: "none", open: "busy" };
const STAGES = { running: "busy", paused: "warn", stopped: "bad", done: "ok" };
const pace = new Pace(6_000);
let reruns = null, opened = null, calls = null, ended = () => {};

/** Wire up the end of re-runs: `told` is told in words that one is over. */
export function prepareReruns(told) {
  ended = told;
}

export function forgetReruns() {
  reruns = opened = calls = null;
  pace.hurry();
}

export const hurryReruns = () => pace.hurry();

/** Open the calls of a re-run, or close them. */
export function openRerun(id) {
  opened = opened === id ? null : id;
  calls = null;
}

export const isRunning = () => (reruns ?? []).some((one) => one.stage === "running");

/** Bring the list up to date now and then, and at every occasion those that run and the calls of the one that is open. */
export async function refreshReruns() {
  if (!may("services:read")) return;
  const before = new Map((reruns ?? []).map((one) => [one.id, one]));
  if (pace.due()) {
    reruns = (await call("data-services/reruns")).body;
    pace.asked();
  } else {
    const fresh = reruns.map(async (one) => (one.stage === "running" ? (await call(`data-services/reruns/${one.id}`)).body : one));
    reruns = await Promise.all(fresh);
  }
  await refreshCalls();
  for (const one of reruns) if (before.get(one.id)?.stage === "running" && one.stage === "done") ended(endWords(one));
}

async function refreshCalls() {
  const [asked, rerun] = [opened, reruns.find((one) => one.id === opened)];
  if (!rerun || (calls && isSettled(rerun))) return;
  const { body } = await call(`data-services/reruns/${asked}/calls`);
  if (asked === opened) calls = body;
}

/** Nothing more will come of it that is not shown already. */
const isSettled = (rerun) => rerun.stage !== "running" && calls.filter((one) => !one.outcome).length === (rerun.outcomes.open ?? 0);

const endWords = (rerun) => `${t("reruns.ended", { service: rerun.service })} ${outcomesOf(rerun).map(([, words]) => words).join(", ")}.`;

/** Pause a re-run or let it go on; told in words. Stopping is asked about first. */
export async function steer(id, move) {
  await post(`data-services/reruns/${id}/${move}`, newKey());
  pace.hurry();
  return t(`reruns.${move}_done`);
}

export function showReruns(place) {
  if (!reruns) {
    patch(place);
    return;
  }
  patch(
    place,
    el("h3", {}, t("reruns.title")),
    reruns.length > SHOWN && el("p", { class: "hint" }, t("reruns.shown", { n: number(SHOWN), m: number(reruns.length) })),
    reruns.length
      ? table(t("reruns.title"), columns(), reruns.slice(0, SHOWN).map(rerunRow), "wide")
      : el("p", { class: "empty" }, t("reruns.none")),
  );
}

const columns = () => [
  { key: "service", label: t("failures.service") },
  { key: "stage", label: t("waiting.state") },
  { key: "progress", label: t("reruns.progress"), kind: "full" },
  { key: "reason", label: t("audit.reason"), kind: "reason full" },
  { key: "acts", label: t("waiting.acts"), kind: "acts full" },
];

const sentOf = (rerun) => rerun.total - (rerun.outcomes.open ?? 0);

const outcomesOf = ({ outcomes }) => Object.keys(OUTCOMES)
  .filter((name) => outcomes[name])
  .map((name) => [OUTCOMES[name], t(`outcome.${name}_n`, { n: number(outcomes[name]) })]);

function rerunRow(rerun) {
  const open = opened === rerun.id;
  const sent = sentOf(rerun);
  return {
    key: rerun.id,
    cells: {
      service: [el("span", { class: "code" }, rerun.service), el("span", { class: "below" }, `${rerun.asked_by} · `, ago(rerun.asked_at))],
      stage: chip(STAGES[rerun.stage], t(`reruns.is_${rerun.stage}`)),
      progress: [
        el("progress", { max: rerun.total, value: sent, "aria-label": t("reruns.progress") }),
        " ", t("reruns.sent_of", { n: number(sent), m: number(rerun.total) }),
        el("div", { class: "chips" }, outcomesOf(rerun).map(([state, words]) => chip(state, words))),
      ],
      reason: rerun.reason,
      acts: el("div", { class: "buttons" }, buttons(rerun, open)),
    },
    below: open && outcomeTable(rerun),
  };
}

function buttons(rerun, open) {
  const about = `${rerun.service}, ${rerun.reason}`;
  const moves = may("services:write") ? { running: ["pause"], paused: ["resume"] }[rerun.stage] ?? [] : [];
  return [
    moves.map((move) => el(
      "button",
      { type: "button", "data-key": move, "data-steer": move, "data-of": rerun.id, "aria-label": `${t(`reruns.${move}`)}: ${about}` },
      t(`reruns.${move}`),
    )),
    moves.length > 0 && offerButton(`stop ${rerun.id}`, "danger", t("reruns.stop"), about, stopOffer(rerun)),
    openerButton("rerun", rerun.id, open, t(open ? "reruns.hide_calls" : "reruns.show_calls"), about),
  ];
}

function stopOffer(rerun) {
  return {
    title: t("reruns.stop_title", { service: rerun.service }),
    about: t("reruns.stop_about", { n: number(rerun.outcomes.open ?? 0) }),
    go: t("reruns.stop"),
    look: "danger",
    send: (key) => post(`data-services/reruns/${rerun.id}/stop`, key),
    done: () => t("reruns.stop_done"),
  };
}

function outcomeTable(rerun) {
  if (!calls) return el("p", { class: "empty" }, t("failures.loading"));
  const many = calls.length > CALLS_SHOWN;
  const first = many ? [...calls].sort((one, other) => trouble(other) - trouble(one) || one.nth - other.nth) : calls;
  return el(
    "div",
    {},
    el("p", { class: "hint small" }, t("reruns.keys")),
    many && el("p", { class: "hint" }, t("reruns.calls_shown", { n: number(CALLS_SHOWN), m: number(rerun.total) })),
    table(t("reruns.calls_of", { service: rerun.service }), callColumns(), first.slice(0, CALLS_SHOWN).map(callRow), "normal"),
  );
}

/** What did not succeed is to be seen first. */
const trouble = ({ outcome }) => Number(outcome !== null && outcome !== "succeeded");

const callColumns = () => [
  { key: "nth", label: t("reruns.nth") },
  { key: "outcome", label: t("reruns.outcome") },
  { key: "status", label: t("reruns.status"), kind: "number" },
  { key: "correlation", label: t("rerun.correlation") },
  { key: "key", label: t("reruns.key") },
  { key: "at", label: t("audit.at"), kind: "short" },
];

function callRow(one) {
  const outcome = one.outcome ?? "open";
  return {
    key: one.call_id,
    cells: {
      nth: number(one.nth),
      outcome: chip(OUTCOMES[outcome], t(`outcome.${outcome}`)),
      status: one.upstream_status ? String(one.upstream_status) : NONE,
      correlation: el("span", { class: "code wrap" }, one.correlation_id ?? NONE),
      key: t("reruns.original_key"),
      at: one.at ? ago(one.at) : NONE,
    },
  };
}
