// Which language is shown, and how words, numbers, times and spans read in it.

import { NAMED, WORDS } from "./words.js";

const KEPT = "motcua.console.language";
const LANGUAGES = ["vi", "en"];
const LOCALES = { vi: "vi-VN", en: "en-GB" };
const ZONE = "Asia/Ho_Chi_Minh";
const UNITS = {
  day: ["ngày", "d"],
  hour: ["giờ", "h"],
  minute: ["phút", "min"],
  second: ["giây", "s"],
  millisecond: ["ms", "ms"],
};
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

let language = LANGUAGES.find((one) => location.hash === `#${one}`) ?? kept() ?? "vi";

function kept() {
  try {
    return LANGUAGES.find((one) => one === localStorage.getItem(KEPT));
  } catch {
    return undefined; // storage may be forbidden; the page works without
  }
}

export function currentLanguage() {
  return language;
}

/** Show another language from now on; a language in the address (#en) gives way to it. */
export function chooseLanguage(chosen) {
  language = chosen;
  try {
    localStorage.setItem(KEPT, chosen);
  } catch {
    // as above
  }
  if (LANGUAGES.some((one) => location.hash === `#${one}`)) {
    history.replaceState(history.state, "", `#${chosen}`);
  }
}

const pick = (pair) => pair[LANGUAGES.indexOf(language)];

export function t(key, facts = {}) {
  if (!WORDS[key]) throw new Error(`no words for ${key}`);
  return pick(WORDS[key]).replace(/\{(\w+)\}/g, (_, name) => facts[name] ?? "");
}

/** Return the words for a value of the wire; what is not known is shown as it came. */
export function named(kind, value) {
  const pair = NAMED[kind][value];
  return pair ? pick(pair) : String(value);
}

export function service(name) {
  return WORDS[`service.${name}`] ? t(`service.${name}`) : name;
}

export function number(value) {
  return new Intl.NumberFormat(LOCALES[language]).format(value);
}

export function money(vnd) {
  return new Intl.NumberFormat(LOCALES[language], { style: "currency", currency: "VND" }).format(vnd);
}

/** Share in whole per cent, never rounded up to 100: "all" must mean all. */
export function share(part, whole) {
  const found = whole ? Math.floor((part / whole) * 1000) / 1000 : 1;
  return new Intl.NumberFormat(LOCALES[language], { style: "percent", maximumFractionDigits: 1 }).format(found);
}

function moment(options) {
  return (value) => new Intl.DateTimeFormat(LOCALES[language], { timeZone: ZONE, ...options }).format(new Date(value));
}

export const day = moment({ weekday: "long", day: "2-digit", month: "2-digit", year: "numeric" });
export const dateTime = moment({
  day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
export const shortTime = moment({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
export const exactTime = moment({
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23",
});

const unit = (value, name, digits = 0) =>
  `${new Intl.NumberFormat(LOCALES[language], { maximumFractionDigits: digits }).format(value)} ${pick(UNITS[name])}`;

/** Return a span of milliseconds in at most two units: 840 ms, 4,2 giây, 3 phút 5 giây. */
export function span(ms) {
  if (ms < SECOND) return unit(Math.round(ms), "millisecond");
  if (ms < 10 * SECOND) return unit(ms / SECOND, "second", 1);
  if (ms < MINUTE) return unit(Math.floor(ms / SECOND), "second");
  if (ms < HOUR) return two(ms, MINUTE, "minute", SECOND, "second");
  if (ms < DAY) return two(ms, HOUR, "hour", MINUTE, "minute");
  return two(ms, DAY, "day", HOUR, "hour");
}

function two(ms, large, largeName, small, smallName) {
  const rest = Math.floor((ms % large) / small);
  const first = unit(Math.floor(ms / large), largeName);
  return rest ? `${first} ${unit(rest, smallName)}` : first;
}

let ahead = 0;

/** Set the clock that ages are told by: the server's. Walls of screens often have clocks of their own. */
export function setClock(serverTime) {
  ahead = Date.parse(serverTime) - Date.now();
}

/** Return this moment by the server's clock, in milliseconds. */
export const now = () => Date.now() + ahead;

const STEPS = [[DAY, "day"], [HOUR, "hour"], [MINUTE, "minute"], [SECOND, "second"]];

/** Return a time relative to now: 5 phút trước, sau 12 giây. */
export function relative(value, at = now()) {
  const away = new Date(value).getTime() - at;
  if (Math.abs(away) < SECOND) return t("contact.just_now");
  const [size, name] = STEPS.find(([step]) => Math.abs(away) >= step);
  const words = new Intl.RelativeTimeFormat(LOCALES[language], { numeric: "always" });
  return words.format(Math.trunc(away / size), name);
}
