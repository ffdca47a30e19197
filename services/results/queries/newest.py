"""The newest of what a caller may see, at a cost that the age and size of the archive do not change."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, Mapped, aliased

from services.results.models import DigitisedResult, Result
from shared.caller import Caller

Row = TypeVar("Row", Result, DigitisedResult)


async def list_newest(
    session: AsyncSession,
    caller: Caller,
    row: type[Row],
    *,
    only: Sequence[tuple[InstrumentedAttribute[Any], Any]] = (),
    before: UUID | None,
    limit: int,
) -> Sequence[Row]:
    """Return rows that the caller may see and whose columns have these values, newest first, older than `before`.

    A whole province reads its newest rows off the primary key. Below it, or with a column to match, the newest rows of
    each agency are read off the index that begins with agency and column, and merged: reading by time and leaving out
    what is another's would cost a small agency the whole archive.
    """
    wanted = [column == value for column, value in only]
    if before:
        wanted.append(row.id < before)
    if not only and all("." not in own for own in caller.agencies):
        query = select(row).where(seen_by(caller, row.agency_code), *wanted)
        return (await session.scalars(query.order_by(row.id.desc()).limit(limit))).all()
    agency = _agencies(row).subquery()
    of_one = select(row.id).where(row.agency_code == agency.c.code, *wanted).order_by(row.id.desc()).limit(limit)
    newest = of_one.lateral()
    visible = seen_by(caller, agency.c.code)
    ids = select(newest.c.id).select_from(agency.join(newest, true())).where(visible).order_by(newest.c.id.desc())
    query = select(row).where(row.id.in_(ids.limit(limit))).order_by(row.id.desc())
    return (await session.scalars(query)).all()


def seen_by(caller: Caller, agency: Mapped[str] | ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that an agency is one of the caller's, or lies below one."""
    each = (or_(agency == own, agency.startswith(f"{own}.", autoescape=True)) for own in caller.agencies)
    return or_(false(), *each)


def _agencies(row: type[Row]) -> Select[Any]:
    """Return every agency that has rows, each found by one step down the index that begins with it."""
    first = select(func.min(row.agency_code).label("code")).cte("agency", recursive=True)
    other = aliased(row)
    following = select(func.min(other.agency_code)).where(other.agency_code > first.c.code).scalar_subquery()
    agencies = first.union_all(select(following).where(first.c.code.is_not(None)))
    return select(agencies.c.code).where(agencies.c.code.is_not(None))
