// Elements are made here, with text only: nothing on this page ever becomes markup.

import { dateTime, now, relative, t } from "./language.js";

export const NONE = "–";

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** Return an element; attributes that are null or false are left out, so are empty children. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Return a time that reads relative and keeps itself fresh; the exact one is its title. */
export function ago(value) {
  return el("time", { datetime: value, title: dateTime(value), "data-ago": true }, relative(value));
}

/** Return a time to come, which keeps itself fresh too; one that has passed is due any moment. */
export function until(value) {
  return el("time", { datetime: value, title: dateTime(value), "data-until": true }, untilWords(value));
}

const untilWords = (value) => (Date.parse(value) - now() > 1_000 ? relative(value) : t("soon"));

/** Let every relative time on the page read as of now. */
export function freshen() {
  for (const time of document.querySelectorAll("time[data-ago]")) time.textContent = relative(time.dateTime);
  for (const time of document.querySelectorAll("time[data-until]")) time.textContent = untilWords(time.dateTime);
}

/** Return an event's type, breakable after its dots. */
export const typeName = (type) => el("span", { class: "code" }, type.split(".").map((part, nth) => (nth ? [".", el("wbr"), part] : part)));

export function chip(state, text) {
  return el("span", { class: `chip ${state}` }, text);
}

/**
 * Return a table. columns: {key, label, kind?}, rows: {key, state?, cells: {column key: node or text}, below?: node},
 * width: slim, normal or wide, how much room it needs before its rows become cards.
 * Roles are written out because CSS display, which makes the cards, would take the roles away.
 */
export function table(caption, columns, rows, width = "normal") {
  const head = columns.map(({ label, kind }) =>
    el("th", { scope: "col", role: "columnheader", class: kind ?? null }, label));
  return el(
    "table",
    { role: "table", class: width, "aria-label": caption },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, head)),
    el("tbody", { role: "rowgroup" }, rows.map((row) => tableRow(columns, row))),
  );
}

function tableRow(columns, { key, state, cells, below }) {
  const found = columns.map((column, nth) =>
    nth === 0
      ? el("th", { scope: "row", role: "rowheader", class: column.kind ?? null }, cells[column.key])
      : tableCell(column, cells[column.key]));
  const row = el("tr", { role: "row", "data-key": key, class: state ?? null }, found);
  if (!below) return row;
  const cell = el("td", { role: "cell", colspan: columns.length, class: "full" }, below);
  return [row, el("tr", { role: "row", class: "below-row", "data-key": `${key} below` }, cell)];
}

function tableCell({ kind = "", label }, content) {
  const look = [kind, content === NONE && "none"].filter(Boolean).join(" ");
  return el("td", { role: "cell", class: look || null, "data-label": label }, content);
}

/** Make a parent's children what they should be, touching only what differs: focus and selection survive. */
export function patch(parent, ...wanted) {
  const fresh = wanted.flat(Infinity).filter(Boolean).map((one) => (one instanceof Node ? one : document.createTextNode(one)));
  const keyed = new Map([...parent.children].filter(keyOf).map((child) => [keyOf(child), child]));
  const kept = new Set(fresh.map((node) => keyed.get(keyOf(node))).filter(Boolean));
  for (const child of [...parent.childNodes]) {
    if (keyOf(child) && !kept.has(child)) child.remove();
  }
  fresh.forEach((node, nth) => place(parent, node, keyed.get(keyOf(node)) ?? null, parent.childNodes[nth] ?? null));
  while (parent.childNodes.length > fresh.length) parent.lastChild.remove();
}

const keyOf = (node) => node?.dataset?.key ?? null;

function place(parent, node, same, here) {
  if (same) {
    if (same !== here) parent.insertBefore(same, here);
    merge(same, node);
  } else if (here === null || keyOf(here)) {
    parent.insertBefore(node, here);
  } else {
    merge(here, node);
  }
}

function merge(old, node) {
  if (old.isEqualNode(node)) return;
  if (old.nodeName !== node.nodeName || keyOf(old) !== keyOf(node)) {
    old.replaceWith(node);
  } else if (old.nodeType === Node.TEXT_NODE) {
    old.data = node.data;
  } else {
    mergeAttributes(old, node);
    patch(old, [...node.childNodes]);
  }
}

function mergeAttributes(old, node) {
  for (const { name } of [...old.attributes]) {
    // What a person has opened stays open.
    if (!node.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of node.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}
