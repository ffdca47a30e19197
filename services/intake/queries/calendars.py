"""Reads: the calendar that an agency works by, and the one that a dossier was accepted by."""

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.intake.models import WorkingCalendarVersion
from shared.worktime import CalendarDocument, WorkingCalendar, load_calendar

SHIPPED = "vn"

# Versions never change, so what one transaction read serves all later ones on the same database.
_built: WeakKeyDictionary[Any, dict[tuple[str, str], WorkingCalendar]] = WeakKeyDictionary()


async def find_calendar_of(session: AsyncSession, agency_code: str) -> tuple[str, WorkingCalendar]:
    """Return the code and calendar that an agency works by now: its own, the nearest above it, or everybody's.

    Before workflow has published any, it is the one that ships with the product.
    """
    version = WorkingCalendarVersion
    newest = select(version.code, version.version, version.agencies).ext(distinct_on(version.code))
    rows = (await session.execute(newest.order_by(version.code, version.nth.desc()))).all()
    best, code, name = -1, SHIPPED, None
    for row in rows:
        reach = [len(top) for top in row.agencies if agency_code == top or agency_code.startswith(f"{top}.")]
        if not row.agencies and row.code == SHIPPED:
            reach = [0]
        if reach and max(reach) > best:
            best, code, name = max(reach), row.code, row.version
    return code, await get_calendar(session, code, name)


async def get_calendar(session: AsyncSession, code: str | None, version: str | None) -> WorkingCalendar:
    """Return a version of a calendar; the one that ships with the product where it is not known here."""
    shipped = load_calendar(SHIPPED)
    if version is None:
        return shipped
    key = (code or SHIPPED, version)
    known = _built.setdefault(session.get_bind(), {})
    if key not in known:
        of_it = WorkingCalendarVersion.code == key[0], WorkingCalendarVersion.version == version
        document = await session.scalar(select(WorkingCalendarVersion.document).where(*of_it))
        if document is None:
            return shipped
        known[key] = WorkingCalendar(CalendarDocument.model_validate(document))
    return known[key]
