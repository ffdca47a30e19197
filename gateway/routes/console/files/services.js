// Services and the broker's queues.

import { chip, el, patch, table } from "./dom.js";
import { number, service, span, t } from "./language.js";

const STATES = { ready: "ok", degraded: "warn", not_ready: "bad", away: "bad" };
const UNREADABLE = ".unreadable";

export function showServices(place, services) {
  const columns = [
    { key: "service", label: t("services.service") },
    { key: "health", label: t("services.health") },
    { key: "relay", label: t("services.relay") },
    { key: "consumers", label: t("services.consumers") },
    { key: "outbox", label: t("services.outbox"), kind: "number" },
    { key: "oldest", label: t("services.oldest"), kind: "number" },
    { key: "waiting", label: t("services.waiting"), kind: "number" },
    { key: "parked", label: t("services.parked"), kind: "number" },
  ];
  const rows = Object.entries(services).map(([name, one]) => ({ key: name, cells: serviceCells(name, one) }));
  patch(place, table(t("services.title"), columns, rows));
}

function serviceCells(name, one) {
  const away = one.status === "away";
  return {
    service: [service(name), " ", el("span", { class: "code" }, name)],
    health: [chip(STATES[one.status], t(`services.${one.status}`)), one.error && !away && el("span", { class: "code" }, ` ${one.error}`)],
    relay: away ? "–" : link(one.relay),
    consumers: away ? "–" : link(one.consumers),
    outbox: figure(one.outbox_rows),
    oldest: one.outbox_rows ? span(one.outbox_oldest_age_s * 1000) : "–",
    waiting: figure(one.waiting_subjects, "warn"),
    parked: figure(one.parked_subjects, "bad"),
  };
}

const link = (up) => el("span", { class: up ? "up" : "down" }, up ? t("services.connected") : t("services.cut"));

function figure(value, state = null) {
  if (value === null) return "–";
  return value && state ? chip(state, number(value)) : number(value);
}

export function showQueues(place, broker, queues) {
  if (broker !== "ready") {
    patch(place, el("p", { class: broker === "away" ? "empty trouble" : "empty" }, t(`queues.${broker}`)));
    return;
  }
  if (!queues.length) {
    patch(place, el("p", { class: "empty" }, t("queues.none")));
    return;
  }
  const columns = [
    { key: "name", label: t("queues.name") },
    { key: "ready", label: t("queues.ready"), kind: "number" },
    { key: "unacked", label: t("queues.unacked"), kind: "number" },
    { key: "consumers", label: t("queues.consumers"), kind: "number" },
  ];
  patch(place, table(t("queues.title"), columns, queues.map(queueRow)));
}

function queueRow(queue) {
  const unreadable = queue.name.endsWith(UNREADABLE);
  return {
    key: queue.name,
    cells: {
      name: [
        el("span", { class: "code" }, queue.name),
        unreadable && queue.messages > 0 && el("span", { class: "below" }, t("queues.unreadable")),
      ],
      ready: figure(queue.messages_ready, unreadable ? "bad" : null),
      unacked: number(queue.messages_unacknowledged),
      // Nobody reads dead letters: no consumer is right there, and wrong everywhere else.
      consumers: queue.consumers || unreadable ? number(queue.consumers) : chip("bad", "0"),
    },
  };
}
