"""The calls through the door, one by one and counted."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Date, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.models import (
    Transaction,
    TransactionAnchor,
    TransactionCause,
    TransactionDay,
    TransactionHead,
    TransactionSeal,
    TurnedAway,
)
from gateway.queries.pages import PAGE_MAX


async def list_transactions(session: AsyncSession, code: str, limit: int = 200) -> list[Transaction]:
    """Return the calls through the door that were about a dossier, oldest first."""
    query = select(Transaction).where(Transaction.dossier_code == code).order_by(Transaction.number)
    return list(await session.scalars(query.limit(min(limit, PAGE_MAX))))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are counted: of days (both belong to it), of one service, of one client, summed by what."""

    since: date
    until: date
    service: str | None = None
    client_id: str | None = None
    by: Literal["day", "month", "year"] = "day"


@dataclass(frozen=True, slots=True)
class CallSum:
    """What calls of a service by a client added up to in a day, month or year that began on a day."""

    period: date
    service: str
    client_id: str
    calls: int
    refused: int
    failed: int
    request_bytes: int
    response_bytes: int
    duration_us: int


@dataclass(frozen=True, slots=True)
class CauseSum:
    """How often calls were answered with a status that is no success."""

    period: date
    service: str
    client_id: str
    status: int
    calls: int


async def sum_transactions(session: AsyncSession, wanted: Wanted) -> list[CallSum]:
    """Return the sums, newest first."""
    day = TransactionDay
    sums = (day.calls, day.refused, day.failed, day.request_bytes, day.response_bytes, day.duration_us)
    rows: Any = await session.execute(_summed(day, wanted, (day.service, day.client_id), sums))
    return [CallSum(*row[:3], *map(int, row[3:])) for row in rows]


async def sum_causes(session: AsyncSession, wanted: Wanted) -> list[CauseSum]:
    """Return why calls did not succeed, newest first."""
    cause = TransactionCause
    places = (cause.service, cause.client_id, cause.status)
    rows: Any = await session.execute(_summed(cause, wanted, places, (cause.calls,)))
    return [CauseSum(*row[:4], calls=int(row[4])) for row in rows]


async def sum_turned_away(session: AsyncSession, wanted: Wanted) -> list[tuple[date, str, int]]:
    """Return how many requests were turned away in a period and why, newest first; of no service and no client."""
    everybodys = replace(wanted, service=None, client_id=None)
    rows: Any = await session.execute(_summed(TurnedAway, everybodys, (TurnedAway.reason,), (TurnedAway.requests,)))
    return [(day, reason, int(requests)) for day, reason, requests in rows]


def _summed(table: Any, wanted: Wanted, places: Iterable[Any], sums: Iterable[Any]) -> Any:  # noqa: ANN401 - tables with the same columns
    period = cast(func.date_trunc(wanted.by, table.day), Date).label("period")
    query = select(period, *places, *map(func.sum, sums)).where(table.day.between(wanted.since, wanted.until))
    if wanted.service:
        query = query.where(table.service == wanted.service)
    if wanted.client_id:
        query = query.where(table.client_id == wanted.client_id)
    return query.group_by(period, *places).order_by(period.desc(), *places)


@dataclass(frozen=True, slots=True)
class LogState:
    """Where the log ends, and how far it is anchored."""

    number: int
    stored_at: datetime | None
    anchored: int | None
    anchored_at: datetime | None
    seals: int


async def log_state(session: AsyncSession) -> LogState:
    """Return where the log stands."""
    head = await session.scalar(select(TransactionHead))
    anchor = await session.scalar(select(TransactionAnchor).order_by(TransactionAnchor.number.desc()).limit(1))
    seals = await session.scalar(select(func.count()).select_from(TransactionSeal))
    return LogState(
        head.number if head else 0,
        head.stored_at if head else None,
        anchor.number if anchor else None,
        anchor.stamped_at if anchor else None,
        seals or 0,
    )
