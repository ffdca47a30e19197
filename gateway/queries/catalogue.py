"""The portal's catalogue as it was pulled, and its differences from ours."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.errors import DiffUnknown, PullUnknown
from gateway.models import CatalogueDiff, CatalogueItem, CataloguePull
from gateway.portal.catalogue import PROCEDURES


async def find_waiting_pull(session: AsyncSession) -> CataloguePull | None:
    """Return the oldest pull that was asked for and has not ended."""
    wanted = select(CataloguePull).where(CataloguePull.finished_at.is_(None)).order_by(CataloguePull.asked_at).limit(1)
    return await session.scalar(wanted)


async def last_pull_at(session: AsyncSession) -> datetime | None:
    """Return when a pull was asked for last."""
    return await session.scalar(select(func.max(CataloguePull.asked_at)))


async def get_pull(session: AsyncSession, pull_id: UUID) -> CataloguePull:
    """Return a pull; raises PullUnknown."""
    found = await session.get(CataloguePull, pull_id)
    if found is None:
        raise PullUnknown(f"No pull {pull_id}.")
    return found


async def list_pulls(session: AsyncSession, limit: int) -> Sequence[CataloguePull]:
    """Return the latest pulls, newest first."""
    return (await session.scalars(select(CataloguePull).order_by(CataloguePull.asked_at.desc()).limit(limit))).all()


async def list_items(session: AsyncSession, name: str) -> dict[str, CatalogueItem]:
    """Return what is kept of a list, by code, also what is gone."""
    rows = await session.scalars(select(CatalogueItem).where(CatalogueItem.name == name))
    return {row.code: row for row in rows}


async def list_without_detail(session: AsyncSession, limit: int) -> Sequence[str]:
    """Return the procedures whose details are to be asked for: those without, then those asked for longest ago."""
    item = CatalogueItem
    wanted = select(item.code).where(item.name == PROCEDURES, item.gone_at.is_(None))
    return (await session.scalars(wanted.order_by(item.detail_at.nulls_first(), item.code).limit(limit))).all()


async def count_without_detail(session: AsyncSession) -> int:
    """Return how many procedures have no details yet, or changed since."""
    item = CatalogueItem
    wanted = select(func.count()).select_from(item)
    wanted = wanted.where(item.name == PROCEDURES, item.gone_at.is_(None), item.detail_at.is_(None))
    return await session.scalar(wanted) or 0


async def get_diff(session: AsyncSession, diff_id: int, *, lock: bool = False) -> CatalogueDiff:
    """Return a difference; raises DiffUnknown."""
    found = await session.get(CatalogueDiff, diff_id, with_for_update=lock)
    if found is None:
        raise DiffUnknown(f"No difference {diff_id}.")
    return found


async def list_diffs(
    session: AsyncSession, *, state: str | None, kind: str | None, after: int, limit: int
) -> Sequence[CatalogueDiff]:
    """Return differences, oldest first, those behind an id."""
    wanted = select(CatalogueDiff).where(CatalogueDiff.id > after).order_by(CatalogueDiff.id).limit(limit)
    if state:
        wanted = wanted.where(CatalogueDiff.state == state)
    if kind:
        wanted = wanted.where(CatalogueDiff.kind == kind)
    return (await session.scalars(wanted)).all()


async def list_open_diffs(session: AsyncSession) -> Sequence[CatalogueDiff]:
    """Return every open difference, locked; the whole list, since each pull compares all of it."""
    return (await session.scalars(select(CatalogueDiff).where(CatalogueDiff.state == "open").with_for_update())).all()


async def list_dismissed(session: AsyncSession, codes: Sequence[str]) -> Sequence[CatalogueDiff]:
    """Return the differences of procedures that people dismissed last, oldest first."""
    wanted = select(CatalogueDiff).where(CatalogueDiff.state == "dismissed", CatalogueDiff.code.in_(codes))
    return (await session.scalars(wanted.order_by(CatalogueDiff.id))).all()
