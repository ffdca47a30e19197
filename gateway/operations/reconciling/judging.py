"""What a portal's answer about a dossier means beside what it was told. Pure: no clock, no database, no wire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from gateway.portal.canonical import differing, digest

SHOWN_DIGITS = 16
HOSO_ALONE = 0
"""A remedy that tells no status anew, only HoSo."""


class Kind(StrEnum):
    """How the portal differs from what we told it."""

    MISSING_THERE = "missing_there"
    MISSING_HERE = "missing_here"
    STATUS_DIFFERS = "status_differs"
    CONTENT_DIFFERS = "content_differs"
    ORDER_DIFFERS = "order_differs"


@dataclass(frozen=True, slots=True)
class Told:
    """What the portal acknowledged of one dossier, and whether more is on its way."""

    code: str
    agency_code: str | None
    version: int
    """Statuses acknowledged."""
    statuses: tuple[int, ...]
    """In order."""
    status: int | None
    """Of the HoSo acknowledged last."""
    digest: bytes | None
    """Of that HoSo; None when it was told before digests were kept."""
    told_at: datetime | None
    final: bool
    """Nothing more is expected of it."""
    attempts: int | None
    """Failed attempts at what is owed next; None when nothing is owed."""
    compare_at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference, with both sides' facts and what would settle it; nothing personal is in it."""

    kind: Kind
    ours: dict[str, Any]
    theirs: dict[str, Any]
    remedy: int | None
    """The first status to tell anew, HOSO_ALONE, or None when a person has to look."""


def judge(
    told: Told,
    held: Mapping[str, Any] | None,
    *,
    history: Sequence[int] | None = None,
    ours_now: Mapping[str, Any] | None = None,
    shows: frozenset[str] | None = None,
) -> Finding | None:
    """Return how the portal's answer differs from what we told; None when it does not.

    held: the HoSo the portal gave, None for a definite "no such dossier". history: its statuses, where it gives them.
    ours_now: HoSo made from what we know now, which names the fields that differ if it still is what was told.
    shows: the fields that the portal gives back; None for all.
    """
    ours = _ours(told)
    if held is None:
        return Finding(Kind.MISSING_THERE, ours, {}, 1)
    status = _number(held.get("TrangThaiHoSo"))
    theirs: dict[str, Any] = {"status": status, "digest": _shown(digest(held, shows))}
    if history is not None:
        theirs["statuses"] = list(history)
    expected = told.status or (told.statuses[-1] if told.statuses else None)
    if status != expected:
        return Finding(Kind.STATUS_DIFFERS, ours, theirs, _first_lost(told.statuses, status, history))
    if told.digest is not None and digest(held, shows) != told.digest:
        if ours_now is not None and digest(ours_now, shows) == told.digest:
            theirs["fields"] = differing(ours_now, held, shows)
        return Finding(Kind.CONTENT_DIFFERS, ours, theirs, HOSO_ALONE)
    if history is not None and tuple(history) != told.statuses:
        return Finding(Kind.ORDER_DIFFERS, ours, theirs, None)
    return None


def _ours(told: Told) -> dict[str, Any]:
    return {
        "status": told.status,
        "version": told.version,
        "statuses": list(told.statuses),
        "digest": _shown(told.digest),
        "told_at": told.told_at.isoformat() if told.told_at else None,
    }


def remedy_of(kind: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> int | None:
    """Return the first status that telling anew would begin with for a difference that was kept; None for none."""
    if kind == Kind.MISSING_THERE:
        return 1
    if kind == Kind.CONTENT_DIFFERS:
        return HOSO_ALONE
    if kind == Kind.STATUS_DIFFERS:
        return _first_lost(ours.get("statuses", ()), theirs.get("status"), theirs.get("statuses"))
    return None


def _first_lost(statuses: Sequence[int], status: int | None, history: Sequence[int] | None) -> int | None:
    """Return the first status behind the place where the portal stands; None when we never were there.

    Without its history a status that was reached twice is taken for the first time: told twice is better than never.
    """
    if history and list(history) == list(statuses[: len(history)]):
        return len(history) + 1
    if history is not None or status is None or status not in statuses:
        return None
    return list(statuses).index(status) + 2


def _shown(found: bytes | None) -> str | None:
    return found.hex()[:SHOWN_DIGITS] if found else None


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() else None
