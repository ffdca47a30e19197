// The latest messages of a subscription, each with what became of it, and sending one again.

import { post } from "./acting.js";
import { ago, chip, el, NONE, table, until } from "./dom.js";
import { named, number, span, t } from "./language.js";
import { offerButton } from "./offers.js";
import { call, may } from "./session.js";
import { dossierLink, eventName } from "./waiting.js";

const SHOWN = 20;
const STATES = { delivered: "ok", failed: "bad", skipped: "none", owed: "warn" };
const FILTERS = ["", "owed", "failed", "delivered", "skipped"];
const TEST_EVENT = "motcua.webhook.test.v1";
let page = null, filter = "";

export function forgetDeliveries() {
  page = null;
  filter = "";
}

/** Show only messages with one outcome; all with "". */
export function filterDeliveries(chosen) {
  filter = chosen;
  page = null;
}

export async function refreshDeliveries(subscription) {
  const asked = filter;
  const { body } = await call(`subscriptions/${subscription}/deliveries?limit=${SHOWN}${asked && `&outcome=${asked}`}`);
  if (asked === filter) page = body;
}

export function deliveriesOf(subscription) {
  return el("div", {}, filterField(), shown(subscription));
}

function filterField() {
  return el(
    "p",
    { class: "filter" },
    el("label", { for: "deliveries-filter" }, t("deliveries.filter")), " ",
    el("select", { id: "deliveries-filter", "data-filter": "deliveries" }, FILTERS.map((one) =>
      el("option", { value: one, selected: one === filter }, one ? t(`deliveries.${one}`) : t("deliveries.all")))),
  );
}

function shown(subscription) {
  if (!page) return el("p", { class: "empty" }, t("failures.loading"));
  if (!page.items.length) return el("p", { class: "empty" }, t("deliveries.none"));
  return el(
    "div",
    {},
    page.next_cursor && el("p", { class: "hint" }, t("deliveries.shown", { n: number(SHOWN) })),
    table(t("deliveries.title"), columns(), page.items.map((one) => row(subscription, one)), "normal"),
  );
}

const columns = () => [
  { key: "event", label: t("waiting.event") },
  { key: "dossier", label: t("waiting.dossier"), kind: "full" },
  { key: "outcome", label: t("deliveries.outcome"), kind: "reason full" },
  { key: "attempts", label: t("waiting.attempts"), kind: "number" },
  { key: "made", label: t("deliveries.made"), kind: "short" },
  { key: "next", label: t("waiting.next"), kind: "short" },
  ...(may("webhooks:write") ? [{ key: "acts", label: t("waiting.acts"), kind: "acts full" }] : []),
];

const outcomeOf = (message) => message.outcome ?? "owed";

function row(subscription, message) {
  const outcome = outcomeOf(message);
  return {
    key: message.id,
    cells: {
      event: message.event_type === TEST_EVENT ? t("deliveries.test") : eventName({ type: message.event_type }),
      dossier: message.dossier_code ? dossierLink(message.dossier_code) : NONE,
      outcome: [chip(STATES[outcome], t(`deliveries.${outcome}`)), lastAnswer(message)],
      attempts: number(message.attempts.length),
      made: ago(message.created_at),
      next: message.next_attempt_at && subscription.enabled ? until(message.next_attempt_at) : NONE,
      acts: message.finished_at && may("webhooks:write") ? el("div", { class: "buttons" }, again(subscription, message)) : NONE,
    },
  };
}

function lastAnswer({ attempts }) {
  const last = attempts.at(-1);
  if (!last) return null;
  const said = last.http_status ? `HTTP ${last.http_status}` : named("silence", last.reason);
  return el("span", { class: "below" }, `${said}, ${span(last.duration_ms)} · `, ago(last.at));
}

function again(subscription, message) {
  const about = [message.event_type, message.dossier_code].filter(Boolean).join(", ");
  return offerButton(`resend ${subscription.id} ${message.id}`, "plain", t("deliveries.resend"), about, {
    title: t("deliveries.resend_title"),
    about: t("deliveries.resend_about", { about, id: message.id }),
    go: t("deliveries.resend"),
    look: "strong",
    send: (key) => post(`subscriptions/${subscription.id}/deliveries/${message.id}/resend`, key),
    done: () => t("deliveries.resend_done"),
  });
}
