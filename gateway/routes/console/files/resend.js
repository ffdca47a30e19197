// Sending the messages of a time span again.

import { post } from "./acting.js";
import { el, patch } from "./dom.js";
import { number, t } from "./language.js";

const OUTCOMES = ["failed", "skipped", "delivered", ""];
const FULL = 10_000;

/** Return the offer to send a subscription's messages of a span again. */
export function resendOffer(subscription, address) {
  return {
    title: t("resend.title", { address }),
    about: t("resend.about"),
    go: t("resend.go"),
    look: "strong",
    more: (place) => patch(place, fields()),
    send: (key, given) => post(`subscriptions/${subscription.id}/resend`, key, {
      outcome: given.outcome || null, since: moment(given.since), until: moment(given.until),
    }),
    done: ({ messages }) => t(messages >= FULL ? "resend.done_full" : "resend.done", { n: number(messages) }),
  };
}

/** A time as people type it is Vietnam's. */
const moment = (typed) => (typed ? `${typed.length === 16 ? `${typed}:00` : typed}+07:00` : null);

function fields() {
  return el(
    "div",
    { class: "fields" },
    time("since"),
    time("until"),
    el("div", {},
      el("label", { for: "ask-outcome" }, t("resend.outcome")),
      el("select", { id: "ask-outcome", name: "outcome" }, OUTCOMES.map((one) =>
        el("option", { value: one }, t(one ? `deliveries.${one}` : "deliveries.finished"))))),
  );
}

const time = (name) => el("div", {},
  el("label", { for: `ask-${name}` }, t(`resend.${name}`)),
  el("input", { type: "datetime-local", id: `ask-${name}`, name, step: 1 }));
