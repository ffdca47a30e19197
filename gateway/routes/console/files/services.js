// Services and the broker's queues.

import { chip, el, NONE, patch, table } from "./dom.js";
import { number, service, span, t } from "./language.js";

const STATES = { ready: "ok", degraded: "warn", not_ready: "bad", away: "bad" };

export function showServices(place, services) {
  const columns = [
    { key: "service", label: t("services.service") },
    { key: "health", label: t("services.health"), kind: "full" },
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
    relay: away ? NONE : link(one.relay),
    consumers: away ? NONE : link(one.consumers),
    outbox: figure(one.outbox_rows),
    oldest: one.outbox_rows ? span(one.outbox_oldest_age_s * 1000) : NONE,
    waiting: figure(one.waiting_subjects, "warn"),
    parked: figure(one.parked_subjects, "bad"),
  };
}

const link = (up) => el("span", { class: up ? "up" : "down" }, up ? t("services.connected") : t("services.cut"));

function figure(value, state = null) {
  if (value === undefined) return NONE; // the service could not tell
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
    { key: "unreadable", label: t("queues.unreadable"), kind: "number" },
  ];
  patch(place, table(t("queues.title"), columns, queueRows(queues), "slim"));
}

/** A service's dead letters (S.unreadable) stand beside its first queue. */
function queueRows(queues) {
  const dead = new Map(queues.filter(isDead).map((queue) => [queue.name.split(".")[0], queue.messages]));
  return queues.filter((queue) => !isDead(queue)).map((queue) => {
    const of = queue.name.split(".")[0];
    const unreadable = dead.get(of);
    dead.delete(of);
    return queueRow(queue, unreadable);
  });
}

const isDead = ({ name }) => name.endsWith(".unreadable");

function queueRow(queue, unreadable) {
  return {
    key: queue.name,
    cells: {
      name: el("span", { class: "code" }, queue.name),
      ready: number(queue.messages_ready),
      unacked: number(queue.messages_unacknowledged),
      consumers: queue.consumers ? number(queue.consumers) : chip("bad", "0"),
      unreadable: figure(unreadable, "bad"),
    },
  };
}
