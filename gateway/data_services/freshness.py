"""Which answers may be kept, for whom and how long: the shared cache of RFC 9111, kept small."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

Headers = Sequence[tuple[bytes, bytes]]

CACHEABLE = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414})
"""Statuses that may be kept without being asked to (RFC 9110 §15.1), 206 and 501 aside."""
AGE_MAX_S = 31_536_000
_DIRECTIVE = re.compile(r'([A-Za-z0-9!#$%&\'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^,;\s]*)))?')


def one(headers: Headers, name: bytes) -> str:
    """Return a header's value, several joined by commas; empty when there is none."""
    found = ""
    for key, value in headers:
        if key == name:
            text = value.decode("latin-1")
            found = f"{found}, {text}" if found else text
    return found


def directives(text: str) -> dict[str, str]:
    """Return the members of a Cache-Control field, names in small letters; of one that comes twice the first counts."""
    found: dict[str, str] = {}
    for name, quoted, plain in _DIRECTIVE.findall(text):
        found.setdefault(name.lower(), quoted or plain)
    return found


def seconds(text: str | None) -> int | None:
    """Return a delta-seconds value, bounded; None for what is none (which counts as stale, RFC 9111 §4.2.1)."""
    return min(int(text), AGE_MAX_S) if text is not None and text.isascii() and text.isdigit() else None


def date(text: str) -> datetime | None:
    """Return an HTTP date; None for what is none."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms an answer may be kept."""

    store: bool
    shared: bool
    """It may serve other clients than the one that asked."""
    fresh_s: float
    """From the moment it was made."""
    stale_if_error_s: float
    age_s: float
    """How old it was when it came."""


NOT_KEPT = Terms(store=False, shared=False, fresh_s=0, stale_if_error_s=0, age_s=0)


def terms_of(
    status: int, headers: Headers, now: datetime, *, default_s: int, shared: bool, stale_if_error_s: int
) -> Terms:
    """Return on what terms an answer to a GET may be kept, by its headers and the service's policy.

    The request carried an Authorization header, so what is not said to be public belongs to its client alone
    (RFC 9111 §3.5).
    """
    control = directives(one(headers, b"cache-control"))
    vary = one(headers, b"vary")
    if status not in CACHEABLE or "no-store" in control or "*" in vary or one(headers, b"set-cookie"):
        return NOT_KEPT
    private = "private" in control
    public = not private and (shared or not {"public", "s-maxage", "must-revalidate"}.isdisjoint(control))
    made = date(one(headers, b"date")) or now
    apparent = max(0.0, (now - made).total_seconds())
    age_s = max(apparent, float(seconds(one(headers, b"age")) or 0))
    fresh_s = _fresh_s(control, headers, made, default_s, public=public)
    has_validator = bool(one(headers, b"etag") or one(headers, b"last-modified"))
    strict = not {"no-cache", "must-revalidate", "proxy-revalidate"}.isdisjoint(control)
    said = seconds(control.get("stale-if-error"))
    if fresh_s <= age_s and not has_validator and (strict or not (said or stale_if_error_s)):
        return NOT_KEPT
    return Terms(
        store=True,
        shared=public,
        fresh_s=0.0 if "no-cache" in control else fresh_s,
        stale_if_error_s=0.0 if strict else float(stale_if_error_s if said is None else said),
        age_s=age_s,
    )


def _fresh_s(control: Mapping[str, str], headers: Headers, made: datetime, default_s: int, *, public: bool) -> float:
    for name in ("s-maxage", "max-age") if public else ("max-age",):
        if name in control:
            return float(seconds(control[name]) or 0)
    expires = one(headers, b"expires")
    if expires:
        ends = date(expires)
        return max(0.0, (ends - made).total_seconds()) if ends else 0.0
    return float(default_s)


def varied(vary: str, request: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the request's headers on which an answer depends, with their values."""
    names = sorted({name.strip().lower() for name in vary.split(",") if name.strip()})
    sent: dict[str, list[str]] = {}
    for name, value in request:
        sent.setdefault(name.lower(), []).append(value.strip())
    return tuple((name, ", ".join(sent.get(name, ()))) for name in names)


def matches(if_none_match: str, etag: str) -> bool:
    """Tell whether an If-None-Match names an ETag, by weak comparison (RFC 9110 §8.8.3.2)."""
    if if_none_match.strip() == "*":
        return True
    wanted = etag.removeprefix("W/")
    return any(tag == wanted for tag in re.findall(r'"[^"]*"', if_none_match))
