// Webhooks: who is told of changes, whether messages get through, and what a person may do about it. No secret is shown.

import { post } from "./acting.js";
import { ago, chip, el, NONE, patch, table, typeName } from "./dom.js";
import { deliveriesOf, forgetDeliveries, refreshDeliveries } from "./deliveries.js";
import { dateTime, named, number, t } from "./language.js";
import { Pace } from "./live.js";
import { offerButton, openerButton } from "./offers.js";
import { resendOffer } from "./resend.js";
import { call, may } from "./session.js";

const PAGE = 200, PAGES_MAX = 5;
const pace = new Pace(4_000);
let found = null, opened = null;

/** Return the subscriptions as last heard, null before that or without the right. */
export const subscriptionsFound = () => (may("webhooks:read") ? found : null);

export function forgetWebhooks() {
  found = opened = null;
  forgetDeliveries();
  pace.hurry();
}

export const hurryWebhooks = () => pace.hurry();

/** Open the messages of a subscription, or close them. */
export function openSubscription(id) {
  opened = opened === id ? null : id;
  forgetDeliveries();
  pace.hurry();
}

/** Bring the subscriptions up to date, and the messages of the one that is open. */
export async function refreshWebhooks() {
  if (!may("webhooks:read") || !pace.due()) return;
  const items = [];
  for (let page = 0, cursor = null; page === 0 || (cursor && page < PAGES_MAX); page += 1) {
    const { body } = await call(`subscriptions?limit=${PAGE}${cursor ? `&cursor=${cursor}` : ""}`);
    items.push(...body.items);
    cursor = body.next_cursor;
  }
  found = items;
  if (found.some((one) => one.id === opened)) await refreshDeliveries(opened);
  pace.asked();
}

export function showWebhooks(place) {
  if (!found) {
    patch(place, el("p", { class: "empty" }, t("failures.loading")));
    return;
  }
  patch(
    place,
    el("p", { class: "hint" }, t("webhooks.key")),
    !may("webhooks:write") && el("p", { class: "hint" }, t("webhooks.only_look")),
    found.length
      ? table(t("webhooks.title"), columns(), [...found].sort(worstFirst).map(subscriptionRow), "wide")
      : el("p", { class: "empty" }, t("webhooks.none")),
  );
}

const rank = (one) => (!one.enabled && one.disabled_because !== "asked" ? 2 : one.enabled && one.failing_since ? 1 : 0);
const worstFirst = (one, other) => rank(other) - rank(one);

const columns = () => [
  { key: "address", label: t("webhooks.address") },
  { key: "wants", label: t("webhooks.wants"), kind: "reason full" },
  { key: "state", label: t("waiting.state"), kind: "full" },
  { key: "owed", label: t("webhooks.owed"), kind: "number" },
  { key: "success", label: t("webhooks.last_success"), kind: "short" },
  { key: "acts", label: t("waiting.acts"), kind: "acts full many" },
];

/** Return an address without what may be secret in it: who logs in, and the query. */
function addressOf({ url }) {
  try {
    const { host, pathname, search } = new URL(url);
    return `${host}${pathname === "/" ? "" : pathname}${search ? "?•••" : ""}`;
  } catch {
    return "•••";
  }
}

function subscriptionRow(one) {
  const open = opened === one.id;
  const about = `${addressOf(one)}, ${one.client_id}`;
  return {
    key: one.id,
    state: one.enabled ? null : "is-off",
    cells: {
      address: [el("span", { class: "code wrap" }, addressOf(one)), el("span", { class: "below" }, [one.client_id, one.description].filter(Boolean).join(" · "))],
      wants: [one.event_types.map((type, nth) => [nth ? ", " : "", typeName(type)]), filtersOf(one)],
      state: stateOf(one),
      owed: one.owed_messages ? chip("warn", number(one.owed_messages)) : "0",
      success: one.last_success_at ? ago(one.last_success_at) : NONE,
      acts: el("div", { class: "buttons" },
        may("webhooks:write") && writeButtons(one, about),
        openerButton("subscription", one.id, open, t(open ? "webhooks.hide" : "webhooks.show"), about)),
    },
    below: open && deliveriesOf(one),
  };
}

function filtersOf({ only_agency: agency, only_procedure: procedure }) {
  const filters = [agency && t("webhooks.only_agency", { agency }), procedure && t("webhooks.only_procedure", { procedure })];
  return filters.some(Boolean) && el("span", { class: "below" }, filters.filter(Boolean).join(" · "));
}

function stateOf(one) {
  if (!one.enabled) {
    return [
      chip(one.disabled_because === "asked" ? "none" : "bad", t("webhooks.disabled")),
      el("span", { class: "below" }, named("disabled", one.disabled_because), " · ", el("time", { datetime: one.disabled_at }, dateTime(one.disabled_at))),
    ];
  }
  if (!one.failing_since) return chip("ok", t("webhooks.active"));
  return [chip("warn", t("webhooks.failing")), el("span", { class: "below" }, t("webhooks.failing_since"), " ", ago(one.failing_since))];
}

function writeButtons(one, about) {
  const offer = (act, look, what) => offerButton(`${act} ${one.id}`, look, t(`webhooks.${act}`), about, what);
  return [
    one.enabled ? offer("disable", "danger", disableOffer(one)) : offer("enable", "strong", enableOffer(one)),
    offer("test", "plain", testOffer(one)),
    offer("resend", "plain", resendOffer(one, addressOf(one))),
  ];
}

function simpleOffer(act, look, one, rest) {
  const facts = { address: addressOf(one), n: number(one.owed_messages) };
  return {
    title: t(`webhooks.${act}_title`, facts), about: t(`webhooks.${act}_about`, facts), go: t(`webhooks.${act}`), look,
    send: (key) => post(`subscriptions/${one.id}/${act}`, key),
    done: () => t(`webhooks.${act}_done`, facts),
    ...rest,
  };
}

const disableOffer = (one) => simpleOffer("disable", "danger", one);
const testOffer = (one) => simpleOffer("test", "strong", one);

function enableOffer(one) {
  const choice = (value, checked) => el(
    "label", { class: "choice" },
    el("input", { type: "radio", name: "resume", value, checked, id: `ask-${value}` }),
    el("span", {}, t(`webhooks.${value}`), el("span", { class: "below" }, t(`webhooks.${value}_about`))),
  );
  return simpleOffer("enable", "strong", one, {
    more: (place) => {
      patch(place, el("fieldset", { class: "choices" },
        el("legend", {}, t("webhooks.resume")), choice("where_it_stopped", true), choice("from_now", false)));
    },
    send: (key, { resume }) => post(`subscriptions/${one.id}/enable`, key, { resume }),
  });
}
