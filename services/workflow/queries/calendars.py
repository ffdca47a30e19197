"""Reads: calendars by code and version, which of them is in force, and what a version changed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, select, text, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.workflow.errors import CalendarNotFound
from services.workflow.models import UNDER_WAY, CalendarVersion, Case, ClockEntry, DueDateChange
from shared.caller import Caller
from shared.worktime import CalendarDocument, WorkingCalendar, load_calendar

SHIPPED = "vn"
LOCK_CALENDARS = text("SELECT pg_advisory_xact_lock(7161124065395368306)")
"""Held by whoever publishes: versions follow each other, and no agency gets two calendars."""
CalendarKey = tuple[str, str]
"""A calendar's code and version."""

# Versions never change, so what one transaction read serves all later ones on the same database.
_calendars_known: WeakKeyDictionary[Any, dict[CalendarKey, WorkingCalendar]] = WeakKeyDictionary()


def built(document: Mapping[str, Any]) -> WorkingCalendar:
    """Return the calendar of a stored document."""
    return WorkingCalendar(CalendarDocument.model_validate(document))


async def load_calendars(session: AsyncSession, keys: Iterable[CalendarKey]) -> None:
    """Have calendars at hand; those known cost no query. Raises CalendarNotFound."""
    known = _calendars_known.setdefault(session.get_bind(), {})
    missing = set(keys) - known.keys()
    if not missing:
        return
    key = tuple_(CalendarVersion.calendar_code, CalendarVersion.version)
    for row in await session.scalars(select(CalendarVersion).where(key.in_(list(missing)))):
        known[row.calendar_code, row.version] = built(row.document)
    shipped = load_calendar(SHIPPED)
    if (SHIPPED, shipped.version) in missing:
        known.setdefault((SHIPPED, shipped.version), shipped)
    if strangers := missing - known.keys():
        code, version = min(strangers)
        raise CalendarNotFound(f"Calendar {code} has no version {version}.", calendar_code=code, version=version)


def known_calendar(session: AsyncSession, code: str, version: str) -> WorkingCalendar:
    """Return a calendar that `load_calendars` has brought."""
    return _calendars_known[session.get_bind()][code, version]


async def get_calendar(session: AsyncSession, code: str, version: str) -> WorkingCalendar:
    """Return a calendar; raises CalendarNotFound."""
    await load_calendars(session, [(code, version)])
    return known_calendar(session, code, version)


async def get_national(session: AsyncSession) -> WorkingCalendar:
    """Return the national calendar in force: the newest that was published, or the one that ships."""
    current = await find_current_calendar(session, SHIPPED)
    return await get_calendar(session, SHIPPED, current.version if current else load_calendar(SHIPPED).version)


async def list_current_calendars(session: AsyncSession) -> Sequence[CalendarVersion]:
    """Return the version in force of every calendar, in order of code; a province has some dozens at most."""
    newest = (
        select(CalendarVersion)
        .ext(distinct_on(CalendarVersion.calendar_code))
        .order_by(CalendarVersion.calendar_code, CalendarVersion.nth.desc())
    )
    return (await session.scalars(newest)).all()


async def find_current_calendar(session: AsyncSession, code: str) -> CalendarVersion | None:
    """Return the version of a calendar that is in force; None when it was never published."""
    query = select(CalendarVersion).where(CalendarVersion.calendar_code == code)
    return await session.scalar(query.order_by(CalendarVersion.nth.desc()).limit(1))


async def get_calendar_version(session: AsyncSession, code: str, version: str | None = None) -> CalendarVersion:
    """Return a version of a calendar, without one that in force; raises CalendarNotFound."""
    if version is None:
        row = await find_current_calendar(session, code)
    else:
        of_it = CalendarVersion.calendar_code == code, CalendarVersion.version == version
        row = await session.scalar(select(CalendarVersion).where(*of_it))
    if row is None:
        which = f"{code} {version}" if version else code
        raise CalendarNotFound(f"There is no calendar {which}.", calendar_code=code)
    return row


async def list_calendar_versions(session: AsyncSession, code: str, *, limit: int) -> Sequence[CalendarVersion]:
    """Return the newest versions of a calendar, the newest first."""
    query = select(CalendarVersion).where(CalendarVersion.calendar_code == code)
    return (await session.scalars(query.order_by(CalendarVersion.nth.desc()).limit(limit))).all()


async def find_outdated_version(session: AsyncSession, current: CalendarVersion) -> str | None:
    """Return another version of a calendar that some case under way still runs by; None when there is none."""
    for other in (Case.calendar_version < current.version, Case.calendar_version > current.version):
        query = select(Case.calendar_version).where(Case.calendar_code == current.calendar_code, other, UNDER_WAY)
        found = await session.scalar(query.where(~_is_set_aside(current)).limit(1))
        if found is not None:
            return found
    return None


async def list_outdated_cases(
    session: AsyncSession, current: CalendarVersion, version: str, *, limit: int
) -> Sequence[str]:
    """Return codes of cases under way on a former version, in order, but for those set aside."""
    query = select(Case.dossier_code).where(
        Case.calendar_code == current.calendar_code,
        Case.calendar_version == version,
        UNDER_WAY,
        ~_is_set_aside(current),
    )
    return (await session.scalars(query.order_by(Case.dossier_code).limit(limit))).all()


def _is_set_aside(current: CalendarVersion) -> ColumnElement[bool]:
    return (
        select(DueDateChange.dossier_code)
        .where(
            DueDateChange.calendar_code == current.calendar_code,
            DueDateChange.calendar_nth == current.nth,
            DueDateChange.dossier_code == Case.dossier_code,
            DueDateChange.problem.is_not(None),
        )
        .exists()
    )


async def list_cases_of_calendar(session: AsyncSession, code: str, *, after: str, limit: int) -> Sequence[Case]:
    """Return cases under way that run by a calendar, in order of dossier code."""
    query = select(Case).where(Case.calendar_code == code, UNDER_WAY, Case.dossier_code > after)
    return (await session.scalars(query.order_by(Case.dossier_code).limit(limit))).all()


async def list_clocks(session: AsyncSession, codes: Sequence[str]) -> dict[str, list[ClockEntry]]:
    """Return the ledgers of some cases, each in order: one statement."""
    query = select(ClockEntry).where(ClockEntry.dossier_code.in_(codes))
    found: dict[str, list[ClockEntry]] = {code: [] for code in codes}
    for entry in await session.scalars(query.order_by(ClockEntry.dossier_code, ClockEntry.nth)):
        found[entry.dossier_code].append(entry)
    return found


async def list_due_date_changes(
    session: AsyncSession, version: CalendarVersion, *, caller: Caller, after: str, limit: int
) -> Sequence[DueDateChange]:
    """Return what a version changed, in order of dossier code, as far as the caller may see it."""
    within = (
        (DueDateChange.agency_code == top) | DueDateChange.agency_code.startswith(f"{top}.", autoescape=True)
        for top in caller.agencies
    )
    visible: ColumnElement[bool] | None = None
    for one in within:
        visible = one if visible is None else visible | one
    if visible is None:
        return []
    query = select(DueDateChange).where(
        DueDateChange.calendar_code == version.calendar_code,
        DueDateChange.calendar_nth == version.nth,
        DueDateChange.dossier_code > after,
        visible,
    )
    return (await session.scalars(query.order_by(DueDateChange.dossier_code).limit(limit))).all()


async def list_versions_named(session: AsyncSession, code: str, version: str) -> Sequence[int]:
    """Return the numbers of a calendar's versions of some name: one or none."""
    query = select(CalendarVersion.nth).where(CalendarVersion.calendar_code == code, CalendarVersion.version == version)
    return (await session.scalars(query)).all()


async def mark_applied(session: AsyncSession, version: CalendarVersion, at: datetime) -> None:
    """Note that every case under way has been brought to a version."""
    found = await session.get(CalendarVersion, (version.calendar_code, version.nth))
    if found is not None:
        found.applied_at = version.applied_at = at
