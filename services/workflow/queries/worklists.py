"""Reads: the lists that officials and their leaders work from. Each follows an index to its first row and stops early.

An agency below the province is found by its branch (the first two parts of its code), which leads the indexes; the
province as a whole by the indexes without it. Statuses stand in the statements as words, not as parameters: only so
does PostgreSQL see that a partial index holds what is asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, false, func, literal_column, or_, select, text, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.workflow.models import Case, Notice, Task, branch
from services.workflow.queries import pages
from services.workflow.queries.pages import Order, Page, Row, within
from services.workflow.states import CaseStatus, TaskStatus
from shared.caller import Caller
from shared.errors import FieldError, InvalidRequest

_IN_HAND = text("task.status IN ('open', 'claimed')")
_UNDER_WAY = text("case_file.status IN ('running', 'awaiting_supplement', 'awaiting_payment', 'stopped')")
_COMPLETED_LATE = text("case_file.status = 'completed' AND case_file.due_at < case_file.completed_at")
_FOR_OTHERS = text("case_file.agency_code <> case_file.competent_agency_code")
_TASK_ORDER = (Task.due_at, Task.id)
_CASE_ORDER = (Case.due_at, Case.dossier_code)
Way = Callable[[Select], Select]
"""Narrows a selection to what lies one way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks; what is None does not narrow."""

    agency: str | None = None
    unit: str | None = None
    role: str | None = None
    officials: Sequence[str] | None = None
    status: TaskStatus | None = None
    """None: what is open or claimed."""
    due_before: datetime | None = None
    due_from: datetime | None = None
    overdue_at: datetime | None = None
    """Only those that had missed their date by then, when their case's clock had not stopped before."""
    running_only: bool = False
    """Only tasks of cases whose clock runs."""


async def list_tasks(
    session: AsyncSession, *, caller: Caller, wanted: TaskFilter, page: Page
) -> tuple[Sequence[Task], str | None]:
    """Return tasks that have been opened, the nearest due date first, and the cursor to go on with.

    Raises InvalidRequest for a foreign cursor, and when all that was ever done is asked without a unit or an official.
    """
    if wanted.status == TaskStatus.DONE and wanted.unit is None and wanted.officials is None:
        message = FieldError("status", "Name the unit or the official who did it.", "Cần chọn đơn vị hoặc cán bộ.")
        raise InvalidRequest(errors=[message])
    rows = (await session.scalars(tasks_query(asked_for(caller, wanted.agency), wanted, page))).all()
    return pages.ended(rows, _TASK_ORDER, page)


def tasks_query(tops: Sequence[str], wanted: TaskFilter, page: Page) -> Select[Task]:
    """Return the query of one page of a worklist below some agencies."""
    ways: list[Way] = [partial(_tasks_below, top=top, wanted=wanted) for top in tops]
    return _merged(Task, _TASK_ORDER, ways, page, UUID)


def _tasks_below(query: Select, *, top: str, wanted: TaskFilter) -> Select:
    in_status = _IN_HAND if wanted.status is None else text(f"task.status = '{TaskStatus(wanted.status)}'")
    query = query.where(in_status, Task.due_at.is_not(None))
    # One official's tasks are few and lie together: the agency is then looked at, not searched by.
    query = query.where(_below(Task.agency_code, top) if wanted.officials is None else _checked(top))
    for column, value in ((Task.unit, wanted.unit), (Task.role, wanted.role)):
        if value is not None:
            query = query.where(column == value)
    if wanted.officials is not None:
        one = len(wanted.officials) == 1
        query = query.where(Task.official == wanted.officials[0] if one else Task.official.in_(wanted.officials))
    if wanted.due_before is not None:
        query = query.where(Task.due_at < wanted.due_before)
    if wanted.due_from is not None:
        query = query.where(Task.due_at >= wanted.due_from)
    if wanted.overdue_at is not None or wanted.running_only:
        query = query.join(Case, Case.dossier_code == Task.dossier_code)
    if wanted.overdue_at is not None:
        stood = or_(Case.paused_since.is_(None), Task.due_at < Case.paused_since)
        query = query.where(Task.due_at < wanted.overdue_at, stood)
    return query.where(Case.paused_since.is_(None)) if wanted.running_only else query


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases; what is None does not narrow."""

    agency: str | None = None
    status: CaseStatus | None = None
    """None: every case under way."""
    overdue_at: datetime | None = None
    """Only those whose clock ran past their due date by then."""
    due_before: datetime | None = None
    due_from: datetime | None = None
    running_only: bool = False


async def list_cases(
    session: AsyncSession, *, caller: Caller, wanted: CaseFilter, page: Page
) -> tuple[Sequence[Case], str | None]:
    """Return cases that an agency received or decides, the nearest due date first, and the cursor to go on with."""
    rows = (await session.scalars(cases_query(asked_for(caller, wanted.agency), wanted, page))).all()
    return pages.ended(rows, _CASE_ORDER, page)


def cases_query(tops: Sequence[str], wanted: CaseFilter, page: Page) -> Select[Case]:
    """Return the query of one page of cases below some agencies."""
    ways: list[Way] = []
    for top in tops:
        if _is_branch(top):
            # Two ways in, each with an index of its own.
            ways.append(partial(_cases_where, wanted, _below(Case.competent_agency_code, top)))
            ways.append(partial(_cases_where, wanted, and_(_FOR_OTHERS, _below(Case.agency_code, top))))
        else:
            either = or_(within(Case.agency_code, top), within(Case.competent_agency_code, top))
            ways.append(partial(_cases_where, wanted, either))
    return _merged(Case, _CASE_ORDER, ways, page, str)


def _cases_where(wanted: CaseFilter, condition: ColumnElement[bool], query: Select) -> Select:
    return _narrowed(query, wanted).where(condition)


def _narrowed(query: Select, wanted: CaseFilter) -> Select:
    query = query.where(Case.due_at.is_not(None))
    if wanted.status == CaseStatus.COMPLETED and wanted.overdue_at is not None:
        query = query.where(_COMPLETED_LATE)
    else:
        in_status = _UNDER_WAY if wanted.status is None else text(f"case_file.status = '{CaseStatus(wanted.status)}'")
        query = query.where(in_status)
        if wanted.overdue_at is not None:
            stopped = func.coalesce(Case.completed_at, Case.paused_since, wanted.overdue_at)
            query = query.where(Case.due_at < wanted.overdue_at, Case.due_at < stopped)
    if wanted.due_before is not None:
        query = query.where(Case.due_at < wanted.due_before)
    if wanted.due_from is not None:
        query = query.where(Case.due_at >= wanted.due_from)
    return query.where(Case.paused_since.is_(None)) if wanted.running_only else query


async def list_notices(
    session: AsyncSession,
    *,
    caller: Caller,
    agency: str | None,
    unit: str | None,
    official: str | None,
    addressee: str | None,
    page: Page,
) -> tuple[Sequence[Notice], str | None]:
    """Return what was told about nearing and missed dates, the oldest first."""
    tops = asked_for(caller, agency)
    query = select(Notice).where(or_(false(), *(within(Notice.agency_code, top) for top in tops)))
    for column, value in ((Notice.unit, unit), (Notice.official, official), (Notice.addressee, addressee)):
        if value is not None:
            query = query.where(column == value)
    return await pages.cut(session, query, (Notice.told_at, Notice.id), page, UUID)


def _checked(top: str) -> ColumnElement[bool]:
    agency = literal_column("(task.agency_code || '')", Text)
    return or_(agency == top, agency.startswith(f"{top}.", autoescape=True))


def asked_for(caller: Caller, agency: str | None) -> Sequence[str]:
    """Return the agencies below which is looked: the one asked for, or all of the caller's; none that is not theirs."""
    if agency is None:
        return caller.agencies
    return [agency] if caller.may_see(agency) else []


def _merged(row: type[Row], order: Order, ways: Sequence[Way], page: Page, key_type: type[UUID | str]) -> Select[Row]:
    """Return the query of one page of what is found in several ways; of each no more than the page can need."""
    if not ways:
        return select(row).where(false())
    if len(ways) == 1:
        return pages.bounded(ways[0](select(row)), order, page, key_type)
    halves = [pages.bounded(way(select(*order)), order, page, key_type).subquery() for way in ways]
    keys = union(*(select(half) for half in halves)).subquery()
    return select(row).join(keys, keys.c[order[1].key] == order[1]).order_by(*order).limit(page.limit + 1)


def _is_branch(top: str) -> bool:
    return "." in top


def _below(agency: InstrumentedAttribute[str], top: str) -> ColumnElement[bool]:
    """Return the condition that an agency is another or lies below it, in a form that an index can follow."""
    if not _is_branch(top):
        return within(agency, top)
    parts = top.split(".")
    of_branch = literal_column(branch(f"{agency.class_.__tablename__}.{agency.key}").text) == ".".join(parts[:2])
    return of_branch if len(parts) == len(parts[:2]) else and_(of_branch, within(agency, top))
