"""Runs of the reconciliation and what they found."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.errors import RunUnknown
from gateway.models import PortalDifference, PortalRun, PortalRunCount
from gateway.queries.pages import PAGE_MAX
from shared.caller import Caller

COUNTS_MAX = 20_000


async def list_runs(session: AsyncSession, limit: int) -> Sequence[PortalRun]:
    """Return the latest runs, newest first."""
    query = select(PortalRun).order_by(PortalRun.id.desc()).limit(min(limit, PAGE_MAX))
    return list(await session.scalars(query))


async def get_run(session: AsyncSession, run_id: int) -> PortalRun:
    """Return a run; raises RunUnknown."""
    run = await session.get(PortalRun, run_id)
    if run is None:
        raise RunUnknown(f"No reconciliation {run_id}.")
    return run


async def find_last_run(session: AsyncSession) -> PortalRun | None:
    """Return the run that was finished last."""
    query = select(PortalRun).where(PortalRun.finished_at.is_not(None)).order_by(PortalRun.id.desc()).limit(1)
    return await session.scalar(query)


async def list_run_counts(session: AsyncSession, run_id: int) -> Sequence[PortalRunCount]:
    """Return a run's counts by day, agency and status."""
    one = PortalRunCount
    query = select(one).where(one.run_id == run_id).order_by(one.day, one.agency_code, one.status)
    return list(await session.scalars(query.limit(COUNTS_MAX)))


async def list_differences(
    session: AsyncSession,
    caller: Caller,
    *,
    code: str | None = None,
    kind: str | None = None,
    standing: bool | None = None,
    limit: int = 200,
) -> Sequence[PortalDifference]:
    """Return differences that the caller may see, newest first; standing: only those not closed, or only closed."""
    one = PortalDifference
    query = select(one).order_by(one.id.desc()).limit(min(limit, PAGE_MAX))
    if code is not None:
        query = query.where(one.dossier_code == code)
    if kind is not None:
        query = query.where(one.kind == kind)
    if standing is not None:
        query = query.where(one.closed_at.is_(None) if standing else one.closed_at.is_not(None))
    own = [one.agency_code == agency for agency in caller.agencies]
    below = [one.agency_code.startswith(f"{agency}.", autoescape=True) for agency in caller.agencies]
    return list(await session.scalars(query.where(or_(*own, *below, false()))))


async def count_standing(session: AsyncSession) -> tuple[int, datetime | None]:
    """Return how many differences are not closed, and since when the oldest is known."""
    one = PortalDifference
    row = (await session.execute(select(func.count(), func.min(one.found_at)).where(one.closed_at.is_(None)))).one()
    return row[0], row[1]
