"""The newest dossiers of what is asked for, at a cost that neither their number nor their age changes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from services.intake.models import Dossier

Place = InstrumentedAttribute[str] | InstrumentedAttribute[str | None]
PLACES: tuple[Place, ...] = (Dossier.agency_code, Dossier.competent_agency_code)
"""Where a dossier belongs: to whom received it, and to whom decides on it."""
_ORDER = (Dossier.submitted_at.desc(), Dossier.code.desc())


async def list_newest(
    session: AsyncSession,
    *,
    tops: Sequence[str],
    conditions: Sequence[ColumnElement[bool]],
    narrowed: bool,
    few: bool,
    after: tuple[datetime, str] | None,
    limit: int,
) -> Sequence[Dossier]:
    """Return dossiers that belong to one of `tops`, or below it, and meet all conditions; latest submitted first.

    A whole province reads them in order of time. Below it, or when the conditions narrow, the newest of each agency are
    read off the index that begins with the agency, and merged: reading by time and leaving out what is another's would
    cost a small agency the whole table. What meets the conditions in `few` cases is found by them first, then sorted.
    """
    wanted = [*conditions, tuple_(Dossier.submitted_at, Dossier.code) < after] if after else [*conditions]
    if not (narrowed or few) and all("." not in top for top in tops):
        query = select(Dossier).where(within(tops), *wanted)
    else:
        newest = (_found_first(tops, wanted) if few else _merged(tops, wanted, limit)).subquery()
        first = select(newest.c.code).order_by(newest.c.submitted_at.desc(), newest.c.code.desc()).limit(limit)
        query = select(Dossier).where(Dossier.code.in_(first))
    return (await session.scalars(query.order_by(*_ORDER).limit(limit))).all()


def within(tops: Collection[str], places: Collection[Any] = PLACES) -> ColumnElement[bool]:
    """Return the condition that a dossier belongs to one of these agencies, or to one below it."""
    each = [or_(place == top, func.starts_with(place, f"{top}.")) for top in tops for place in places]
    return or_(false(), *each)


def _found_first(tops: Sequence[str], wanted: Sequence[ColumnElement[bool]]) -> Select[Any, Any]:
    # OFFSET 0 keeps PostgreSQL from reading in the order of the outer query instead.
    return select(Dossier.submitted_at, Dossier.code).where(within(tops), *wanted).offset(0)


def _merged(tops: Sequence[str], wanted: Sequence[ColumnElement[bool]], limit: int) -> CompoundSelect[Any, Any]:
    return union(*(_newest_of_each(place, tops, wanted, limit) for place in PLACES))


def _newest_of_each(
    place: Place, tops: Sequence[str], wanted: Sequence[ColumnElement[bool]], limit: int
) -> Select[Any, Any]:
    agency = _agencies(place).cte(f"all_{place.key}")
    of_one = select(Dossier.submitted_at, Dossier.code).where(place == agency.c.code, *wanted)
    newest = of_one.order_by(*_ORDER).limit(limit).lateral()
    found = select(newest.c.submitted_at, newest.c.code).select_from(agency.join(newest, true()))
    return found.where(within(tops, [agency.c.code]))


def _agencies(place: Place) -> Select[Any]:
    """Return every agency that dossiers belong to, each found by one step down the index that begins with it."""
    first = select(func.min(place).label("code")).cte(f"each_{place.key}", recursive=True)
    other = getattr(aliased(Dossier), place.key)
    following = select(func.min(other)).where(other > first.c.code).scalar_subquery()
    agencies = first.union_all(select(following).where(first.c.code.is_not(None)))
    return select(agencies.c.code).where(agencies.c.code.is_not(None))
