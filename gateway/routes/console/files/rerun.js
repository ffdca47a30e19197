// Sending calls again: a dry run first, which shows how many would go, which would not and why; then exactly those.

import { newKey, post } from "./acting.js";
import { el, patch } from "./dom.js";
import { dateTime, named, number, t } from "./language.js";

const LISTED = 10;
const RATES = [1, 5, 20, 100];
const USUAL = 5;
const REASON_MAX = 300;

/** Return the offer to send kept calls again; `wanted` says which: {service, fingerprint} or {service, ids}. */
export function rerunOffer(wanted, about) {
  let chosen = [];
  return {
    title: t("rerun.title", { service: wanted.service }),
    about,
    go: t("rerun.send"),
    look: "strong",
    wantsReason: true,
    reasonMax: REASON_MAX,
    more: async (place) => {
      patch(place, el("p", { class: "empty", role: "status" }, t("rerun.trying")));
      const { body: tried } = await post("data-services/reruns", newKey(), { ...wanted, reason: t("rerun.dry_reason"), dry_run: true });
      chosen = tried.calls.filter((one) => !one.obstacle);
      patch(place, dryRun(tried, chosen));
      return chosen.length > 0;
    },
    send: (key, { reason, rate }) => post("data-services/reruns", key, {
      service: wanted.service, ids: chosen.map((one) => one.id), reason, calls_per_second: Number(rate),
    }),
    done: ({ total }) => t("rerun.begun", { n: number(total) }),
  };
}

/** What came of the dry run. A call is sent as it failed: nothing of what is in it is shown. */
function dryRun(tried, chosen) {
  const stay = tried.calls.length - chosen.length;
  const later = tried.total - tried.calls.length;
  return el(
    "div",
    { class: "dry-run" },
    el("div", { role: "status" },
      el("p", {}, el("strong", {}, t("rerun.would_go", { n: number(chosen.length), m: number(tried.total) }))),
      stay > 0 && el("p", {}, t("rerun.would_stay", { n: number(stay) })),
      stay > 0 && el("ul", { class: "plain-list" }, obstacles(tried.calls)),
      later > 0 && el("p", {}, t("rerun.later", { n: number(later) }))),
    el("p", { class: "notice good" }, t("rerun.same_key")),
    chosen.length > 0 && listed(chosen),
    chosen.length > 0 && rateField(),
  );
}

function obstacles(calls) {
  const counted = new Map();
  for (const { obstacle } of calls) if (obstacle) counted.set(obstacle, (counted.get(obstacle) ?? 0) + 1);
  return [...counted].map(([obstacle, count]) => el("li", {}, `${number(count)}: ${named("obstacle", obstacle)}`));
}

function listed(chosen) {
  const some = chosen.slice(0, LISTED);
  return el(
    "details",
    {},
    el("summary", {}, t("rerun.which", { n: number(some.length), m: number(chosen.length) })),
    el("ol", {}, some.map((one) => el("li", {},
      el("span", { class: "code wrap" }, one.correlation_id), ` · ${one.client_id} · ${dateTime(one.failed_at)}`))),
  );
}

function rateField() {
  return el(
    "div",
    {},
    el("label", { for: "ask-rate" }, t("rerun.rate")),
    el("select", { id: "ask-rate", name: "rate" }, RATES.map((rate) =>
      el("option", { value: rate, selected: rate === USUAL }, t("rerun.per_second", { n: number(rate) })))),
  );
}
