"""What the portal is owed and was told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.models import (
    DossierView,
    PortalDebt,
    PortalDossier,
)
from gateway.queries.pages import PAGE_MAX

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


async def list_debts(session: AsyncSession, code: str) -> list[PortalDebt]:
    """Return what the portal was told, or is still owed, of a dossier."""
    query = select(PortalDebt).where(PortalDebt.dossier_code == code).order_by(PortalDebt.version)
    return list(await session.scalars(query.limit(PAGE_MAX)))


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
