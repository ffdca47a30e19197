"""Reads: the desk of a transaction with its locked cases, and the lists that people look at."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, selectinload

from services.workflow.errors import CaseNotFound, TaskNotFound
from services.workflow.models import AT_WORK, UNDER_WAY, Case, ClockEntry, ProcessVersion, Task
from services.workflow.states import CaseStatus, TaskStatus
from shared.caller import Caller
from shared.errors import FieldError, InvalidRequest
from shared.events.values import Process

LIST_MAX = 200
PROCESSES_KEPT_MAX = 1_000

ProcessKey = tuple[str, int]
Row = TypeVar("Row", Case, Task)

# Versions never change, so what one transaction read serves all later ones on the same database.
_processes_known: WeakKeyDictionary[Any, dict[ProcessKey, Process]] = WeakKeyDictionary()


@dataclass(slots=True)
class Desk:
    """What one transaction works on: cases it has locked (None: there is none) or made, processes it has published.

    Things just made are found here without a flush, and a batch of events finds everything without a query each.
    """

    cases: dict[str, Case | None] = field(default_factory=dict)
    case_of_task: dict[UUID, Case] = field(default_factory=dict)
    processes: dict[ProcessKey, Process] = field(default_factory=dict)


def desk(session: AsyncSession) -> Desk:
    """Return the desk of a session's transaction."""
    return session.info.setdefault("desk", Desk())


async def lock_cases(session: AsyncSession, codes: Iterable[str]) -> None:
    """Put the cases of some dossiers on the desk, locked in order of code, with their tasks: two statements."""
    missing = sorted(set(codes) - desk(session).cases.keys())
    if not missing:
        return
    query = select(Case).where(Case.dossier_code.in_(missing)).order_by(Case.dossier_code)
    await _lock(session, query)
    for code in missing:
        desk(session).cases.setdefault(code, None)


async def _lock(session: AsyncSession, query: Select[Case]) -> None:
    # The tasks are read by a second statement, after the lock is held: one statement would show them as they were
    # before another transaction let go of the case.
    found = (await session.scalars(query.with_for_update().options(selectinload(Case.tasks)))).all()
    desk(session).cases.update({case.dossier_code: case for case in found})
    desk(session).case_of_task.update({task.id: case for case in found for task in case.tasks})


async def find_locked_case(session: AsyncSession, dossier_code: str) -> Case | None:
    """Return a dossier's case, locked; None when there is none."""
    await lock_cases(session, [dossier_code])
    return desk(session).cases[dossier_code]


async def lock_case(session: AsyncSession, dossier_code: str, *, caller: Caller) -> Case:
    """Return a dossier's case, locked; raises CaseNotFound, also when the caller may not see it."""
    case = await find_locked_case(session, dossier_code)
    if case is None or not caller.may_see(case.agency_code):
        raise CaseNotFound(f"No case of dossier {dossier_code}.", dossier_code=dossier_code)
    return case


async def lock_cases_of_tasks(session: AsyncSession, task_ids: Sequence[UUID]) -> None:
    """Put the cases of some tasks on the desk, locked in order of code, with their tasks."""
    codes = await session.scalars(select(Task.dossier_code).where(Task.id.in_(task_ids)).distinct())
    await lock_cases(session, codes)


async def lock_task(session: AsyncSession, task_id: UUID, *, caller: Caller) -> tuple[Case, Task]:
    """Return a task with its case, both locked by the case; raises TaskNotFound, also for what is not the caller's."""
    on_desk = desk(session).case_of_task
    if task_id not in on_desk:
        of_task = select(Task.dossier_code).where(Task.id == task_id).scalar_subquery()
        await _lock(session, select(Case).where(Case.dossier_code == of_task))
    case = on_desk.get(task_id)
    if case is None or not caller.may_see(case.agency_code):
        raise TaskNotFound(f"No task {task_id}.", task_id=str(task_id))
    return case, next(task for task in case.tasks if task.id == task_id)


async def find_process(session: AsyncSession, procedure_code: str, version: int) -> Process | None:
    """Return a version of a procedure's process; known ones cost no query."""
    key = (procedure_code, version)
    known = _processes_known.setdefault(session.get_bind(), {})
    found = desk(session).processes.get(key) or known.get(key)
    if found is None:
        row = await session.get(ProcessVersion, key)
        if row is not None:
            if len(known) >= PROCESSES_KEPT_MAX:
                known.clear()
            found = known[key] = Process.model_validate(row.definition)
    return found


async def list_clock(session: AsyncSession, dossier_code: str) -> Sequence[ClockEntry]:
    """Return the ledger of a case's clock in order."""
    query = select(ClockEntry).where(ClockEntry.dossier_code == dossier_code).order_by(ClockEntry.nth)
    return (await session.scalars(query)).all()


async def get_case(session: AsyncSession, dossier_code: str, *, caller: Caller) -> Case:
    """Return a dossier's case with its tasks; raises CaseNotFound."""
    case = await session.get(Case, dossier_code, options=[selectinload(Case.tasks)])
    if case is None or not caller.may_see(case.agency_code):
        raise CaseNotFound(f"No case of dossier {dossier_code}.", dossier_code=dossier_code)
    return case


async def get_task(session: AsyncSession, task_id: UUID, *, caller: Caller) -> Task:
    """Return a task; raises TaskNotFound."""
    task = await session.get(Task, task_id)
    if task is None or not caller.may_see(task.agency_code):
        raise TaskNotFound(f"No task {task_id}.", task_id=str(task_id))
    return task


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list: at most `limit`, after the cursor that the part before gave."""

    limit: int
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks; what is None does not narrow."""

    agency: str | None = None
    unit: str | None = None
    role: str | None = None
    official: str | None = None
    status: TaskStatus | None = None
    """None: what is open or claimed."""
    due_before: datetime | None = None


async def list_tasks(
    session: AsyncSession, *, caller: Caller, wanted: TaskFilter, page: Page
) -> tuple[Sequence[Task], str | None]:
    """Return tasks that have been opened, the nearest due date first, and the cursor to go on with.

    Raises InvalidRequest for a foreign cursor, and when all that was ever done is asked without a unit or an official.
    """
    if wanted.status == TaskStatus.DONE and wanted.unit is None and wanted.official is None:
        message = FieldError("status", "Name the unit or the official who did it.", "Cần chọn đơn vị hoặc cán bộ.")
        raise InvalidRequest(errors=[message])
    query = select(Task).where(Task.due_at.is_not(None), _visible(Task.agency_code, caller))
    if wanted.status is None:
        query = query.where(AT_WORK, Task.status != TaskStatus.RETURNED)
    else:
        query = query.where(Task.status == wanted.status)
    if wanted.agency is not None:
        query = query.where(_within(Task.agency_code, wanted.agency))
    for column, value in ((Task.unit, wanted.unit), (Task.role, wanted.role), (Task.official, wanted.official)):
        if value is not None:
            query = query.where(column == value)
    if wanted.due_before is not None:
        query = query.where(Task.due_at < wanted.due_before)
    return await _page(session, query, (Task.due_at, Task.id), page, UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases; what is None does not narrow."""

    agency: str | None = None
    status: CaseStatus | None = None
    """None: every case under way."""
    overdue_at: datetime | None = None
    """Only those whose clock ran past their due date by then."""
    due_before: datetime | None = None


async def list_cases(
    session: AsyncSession, *, caller: Caller, wanted: CaseFilter, page: Page
) -> tuple[Sequence[Case], str | None]:
    """Return cases that have a due date, the nearest first, and the cursor to go on with."""
    query = select(Case).where(Case.due_at.is_not(None), _visible(Case.agency_code, caller))
    query = query.where(UNDER_WAY if wanted.status is None else Case.status == wanted.status)
    if wanted.agency is not None:
        query = query.where(_within(Case.agency_code, wanted.agency))
    if wanted.overdue_at is not None:
        query = query.where(Case.due_at < func.coalesce(Case.completed_at, Case.paused_since, wanted.overdue_at))
    if wanted.due_before is not None:
        query = query.where(Case.due_at < wanted.due_before)
    return await _page(session, query, (Case.due_at, Case.dossier_code), page, str)


def _visible(agency: InstrumentedAttribute[str], caller: Caller) -> ColumnElement[bool]:
    return _within(agency, caller.agency) if caller.agency else false()


def _within(agency: InstrumentedAttribute[str], top: str) -> ColumnElement[bool]:
    return or_(agency == top, agency.startswith(f"{top}.", autoescape=True))


async def _page(
    session: AsyncSession,
    query: Select[Row],
    order: tuple[InstrumentedAttribute[Any], InstrumentedAttribute[Any]],
    page: Page,
    key_type: type[UUID | str],
) -> tuple[Sequence[Row], str | None]:
    if page.cursor is not None:
        due_at, key = _decoded(page.cursor, key_type)
        query = query.where(and_(tuple_(*order) > tuple_(due_at, key)))
    rows = (await session.scalars(query.order_by(*order).limit(page.limit + 1))).all()
    if len(rows) <= page.limit:
        return rows, None
    last = rows[page.limit - 1]
    return rows[: page.limit], _encoded(*(getattr(last, column.key) for column in order))


def _encoded(due_at: datetime, key: UUID | str) -> str:
    return base64.urlsafe_b64encode(f"{due_at.isoformat()} {key}".encode()).decode().rstrip("=")


def _decoded(cursor: str, key_type: type[UUID | str]) -> tuple[datetime, UUID | str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        due_at, _, key = text.partition(" ")
        return datetime.fromisoformat(due_at), key_type(key)
    except (binascii.Error, ValueError) as problem:
        raise InvalidRequest("The cursor is not one that this list gave.") from problem
