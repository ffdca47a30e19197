"""What the gateway reads."""

import base64
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.errors import DossierUnknown, InvalidCursor
from gateway.models import (
    Change,
    Client,
    DossierView,
    PortalDebt,
    PortalDossier,
    TimelineEntry,
    Transaction,
    TransactionDay,
)
from shared.caller import Caller

PAGE_MAX = 1000
_CURSOR = re.compile(rb"c1:(\d{1,18})")

_OWED = text(
    """
    SELECT count(*) AS statuses, count(DISTINCT dossier_code) AS dossiers, min(owed_since) AS oldest
    FROM portal_debt WHERE acknowledged_at IS NULL
    """
)

_PORTAL_LAG = text(
    """
    SELECT count(*) FILTER (WHERE acknowledged_at IS NULL) AS open,
           count(DISTINCT dossier_code) FILTER (WHERE acknowledged_at IS NULL) AS open_dossiers,
           min(owed_since) FILTER (WHERE acknowledged_at IS NULL) AS oldest,
           count(*) FILTER (WHERE acknowledged_at IS NULL AND attempts > 0) AS failing,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM acknowledged_at - owed_since)) AS p50_s,
           percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM acknowledged_at - owed_since)) AS p99_s
    FROM (SELECT * FROM portal_debt WHERE acknowledged_at IS NULL
          UNION ALL
          (SELECT * FROM portal_debt WHERE acknowledged_at > :since ORDER BY acknowledged_at DESC LIMIT 5000)) AS debt
    """
)


async def find_client(session: AsyncSession, client_id: str) -> Client | None:
    """Return an active client."""
    client = await session.get(Client, client_id)
    return client if client and client.active else None


async def lock_views(session: AsyncSession, codes: Sequence[str]) -> dict[str, DossierView]:
    """Return the views of dossiers, locked in order of code."""
    rows = await session.scalars(
        select(DossierView).where(DossierView.code.in_(codes)).order_by(DossierView.code).with_for_update()
    )
    return {view.code: view for view in rows}


async def list_event_ids(session: AsyncSession, codes: Sequence[str]) -> dict[str, set[UUID]]:
    """Return the ids of the events folded into dossiers, by code."""
    known: dict[str, set[UUID]] = defaultdict(set)
    if codes:
        entry = TimelineEntry
        rows = await session.execute(select(entry.dossier_code, entry.event_id).where(entry.dossier_code.in_(codes)))
        for code, event_id in rows:
            known[code].add(event_id)
    return known


async def find_view(session: AsyncSession, caller: Caller, code: str) -> DossierView | None:
    """Return a dossier's view; None also for a dossier the caller may not know of."""
    view = await session.get(DossierView, code)
    return view if view and caller.may_see(view.agency_code) else None


async def get_view(session: AsyncSession, caller: Caller, code: str) -> DossierView:
    """Return a dossier's view; raises DossierUnknown."""
    view = await find_view(session, caller, code)
    if view is None:
        raise DossierUnknown(f"No dossier {code}.")
    return view


async def list_timeline(session: AsyncSession, code: str) -> list[TimelineEntry]:
    """Return everything that happened to a dossier, in the order folded (at most 1,000 entries)."""
    query = select(TimelineEntry).where(TimelineEntry.dossier_code == code).order_by(TimelineEntry.nth)
    return list(await session.scalars(query.limit(PAGE_MAX)))


async def list_debts(session: AsyncSession, code: str) -> list[PortalDebt]:
    """Return what the portal was told, or is still owed, of a dossier."""
    query = select(PortalDebt).where(PortalDebt.dossier_code == code).order_by(PortalDebt.version)
    return list(await session.scalars(query.limit(PAGE_MAX)))


async def list_transactions(session: AsyncSession, code: str, limit: int = 200) -> list[Transaction]:
    """Return the calls through the door that were about a dossier, oldest first."""
    query = select(Transaction).where(Transaction.dossier_code == code).order_by(Transaction.number)
    return list(await session.scalars(query.limit(min(limit, PAGE_MAX))))


async def list_stuck(session: AsyncSession, limit: int = 50) -> list[PortalDebt]:
    """Return what the portal has refused or not answered so far, oldest first."""
    query = (
        select(PortalDebt)
        .where(PortalDebt.acknowledged_at.is_(None), PortalDebt.attempts > 0)
        .order_by(PortalDebt.owed_since)
    )
    return list(await session.scalars(query.limit(min(limit, PAGE_MAX))))


@dataclass(frozen=True, slots=True)
class Owed:
    """What the portal has not acknowledged."""

    statuses: int
    dossiers: int
    oldest: datetime | None


async def count_owed(session: AsyncSession) -> Owed:
    """Return what the portal has not acknowledged."""
    row = (await session.execute(_OWED)).one()
    return Owed(row.statuses, row.dossiers, row.oldest)


async def portal_lag(session: AsyncSession, since: object) -> dict[str, Any]:
    """Return how far the portal is behind: open statuses, the oldest, and the lag of what was told since a time."""
    row = (await session.execute(_PORTAL_LAG, {"since": since})).mappings().one()
    total = await session.scalar(select(func.count()).select_from(DossierView))
    told = await session.scalar(select(func.count()).select_from(PortalDossier))
    figures: dict[str, Any] = {str(name): value for name, value in row.items()}
    return figures | {"dossiers": total or 0, "dossiers_on_portal": told or 0}


async def list_changes(
    session: AsyncSession, caller: Caller, *, after: int, limit: int, agency: str | None, procedure: str | None
) -> list[Change]:
    """Return the feed after a position, in commit order, of the agencies the caller may see."""
    query = select(Change).where(Change.position > after).order_by(Change.position).limit(min(limit, PAGE_MAX))
    theirs = [_within(own) for own in caller.agencies]
    query = query.where(or_(false(), *theirs))
    if agency:
        query = query.where(_within(agency))
    if procedure:
        query = query.where(Change.procedure_code == procedure)
    return list(await session.scalars(query))


def _within(agency: str) -> ColumnElement[bool]:
    return (Change.agency_code == agency) | Change.agency_code.startswith(f"{agency}.", autoescape=True)


async def last_position(session: AsyncSession) -> int:
    """Return the feed's newest position, 0 when it is empty."""
    return await session.scalar(select(func.max(Change.position))) or 0


def to_cursor(position: int) -> str:
    """Return a feed position as an opaque cursor."""
    return base64.urlsafe_b64encode(b"c1:%d" % position).decode().rstrip("=")


def from_cursor(cursor: str | None) -> int:
    """Return the position a cursor stands for, 0 for none; raises InvalidCursor."""
    if not cursor:
        return 0
    try:
        known = _CURSOR.fullmatch(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        known = None
    if known is None:
        raise InvalidCursor("Use a cursor as it was given, or none to start from the beginning.")
    return int(known.group(1))


async def list_transaction_days(
    session: AsyncSession, *, since: date, until: date, service: str | None, client_id: str | None
) -> list[TransactionDay]:
    """Return what was counted on days, newest first; both days belong to it."""
    day = TransactionDay
    query = select(day).where(day.day.between(since, until))
    if service:
        query = query.where(day.service == service)
    if client_id:
        query = query.where(day.client_id == client_id)
    return list(await session.scalars(query.order_by(day.day.desc(), day.service, day.client_id)))
