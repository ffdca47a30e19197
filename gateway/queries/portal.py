"""What the portal is owed and was told."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.models import PortalDebt, PortalQueue, PortalTally
from gateway.queries.pages import PAGE_MAX

_OWED = text(
    """
    SELECT coalesce(sum(newest - version + 1), 0) AS statuses, count(*) AS dossiers, min(owed_since) AS oldest,
           count(*) FILTER (WHERE attempts > 0) AS failing
    FROM portal_queue
    """
)
_LAG = text(
    """
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM acknowledged_at - owed_since)) AS p50_s,
           percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM acknowledged_at - owed_since)) AS p99_s
    FROM (SELECT acknowledged_at, owed_since FROM portal_debt
          WHERE acknowledged_at > :since ORDER BY acknowledged_at DESC LIMIT 5000) AS told
    """
)


async def list_debts(session: AsyncSession, code: str) -> list[PortalDebt]:
    """Return what the portal was told, or is still owed, of a dossier."""
    query = select(PortalDebt).where(PortalDebt.dossier_code == code).order_by(PortalDebt.version)
    return list(await session.scalars(query.limit(PAGE_MAX)))


async def list_stuck(session: AsyncSession, limit: int = 50) -> list[PortalDebt]:
    """Return what the portal has refused or not answered so far, oldest first."""
    query = (
        select(PortalDebt)
        .join(PortalQueue, (PortalQueue.code == PortalDebt.dossier_code) & (PortalQueue.version == PortalDebt.version))
        .where(PortalQueue.attempts > 0)
        .order_by(PortalQueue.owed_since)
    )
    return list(await session.scalars(query.limit(min(limit, PAGE_MAX))))


@dataclass(frozen=True, slots=True)
class Owed:
    """What the portal has not acknowledged."""

    statuses: int
    dossiers: int
    oldest: datetime | None
    failing: int
    """Dossiers whose next status was refused or not answered so far."""


async def count_owed(session: AsyncSession) -> Owed:
    """Return what the portal has not acknowledged."""
    row = (await session.execute(_OWED)).one()
    return Owed(int(row.statuses), row.dossiers, row.oldest, row.failing)


async def portal_lag(session: AsyncSession, since: datetime) -> tuple[float | None, float | None]:
    """Return p50 and p99, in seconds, of what was told since a time: from the event's commit to the acknowledgement."""
    row = (await session.execute(_LAG, {"since": since})).one()
    return row.p50_s, row.p99_s


async def get_tally(session: AsyncSession) -> PortalTally:
    """Return the totals of dossiers, ours and the portal's."""
    return await session.get(PortalTally, 1) or PortalTally(id=1, dossiers=0, dossiers_told=0)
