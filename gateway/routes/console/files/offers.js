// What the buttons on the page offer to do, as it was when they were last shown.

import { el } from "./dom.js";

const offers = new Map();

/** Return what a button offers. */
export const offered = (id) => offers.get(id);

/** Forget all offers: the page is about to be shown anew. */
export const forgetOffers = () => offers.clear();

/** Return a button that offers something; `about` is what it is about, for those who only hear its name. */
export function offerButton(id, look, text, about, offer) {
  offers.set(id, offer);
  return el("button", { type: "button", class: look, "data-offer": id, "data-key": id, "aria-label": `${text}: ${about}` }, text);
}

/** Return a button that opens or closes what lies below a row. */
export function openerButton(kind, key, open, text, about) {
  return el(
    "button",
    { type: "button", class: "opener", "data-open": kind, "data-of": key, "aria-expanded": String(open), "aria-label": `${text}: ${about}` },
    text,
  );
}
