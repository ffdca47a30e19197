"""The folded views and what happened to dossiers."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.errors import DossierUnknown
from gateway.models import (
    DossierView,
    TimelineEntry,
)
from gateway.queries.pages import PAGE_MAX
from shared.caller import Caller


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
