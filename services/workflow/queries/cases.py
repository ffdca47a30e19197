"""Reads: the desk of a transaction with its locked cases, and single cases, tasks and ledgers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from services.workflow.errors import CaseNotFound, TaskNotFound
from services.workflow.models import Case, ClockEntry, Consultation, EarlyResult, ProcessVersion, Task
from services.workflow.queries.calendars import load_calendars
from shared.caller import Caller
from shared.events.values import Process

PROCESSES_KEPT_MAX = 1_000

ProcessKey = tuple[str, int]

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
    newest_process: int | None = None
    """Number of the newest drawn process, once asked."""
    early_results: dict[str, EarlyResult | None] = field(default_factory=dict)
    """Results told of before their cases; None: there is none."""
    consultations: dict[UUID, Consultation] = field(default_factory=dict)
    """Those that were made or locked here."""


def desk(session: AsyncSession) -> Desk:
    """Return the desk of a session's transaction."""
    return session.info.setdefault("desk", Desk())


def case_on_desk(session: AsyncSession, dossier_code: str) -> Case:
    """Return a case that this transaction has locked or made; raises LookupError for any other."""
    case = desk(session).cases.get(dossier_code)
    if case is None:
        raise LookupError(f"The case of {dossier_code} is not on the desk.")
    return case


async def lock_cases(session: AsyncSession, codes: Iterable[str]) -> None:
    """Put the cases of some dossiers on the desk, locked in order of code, with their tasks: two statements."""
    missing = sorted(set(codes) - desk(session).cases.keys())
    if not missing:
        return
    query = select(Case).where(Case.dossier_code.in_(missing)).order_by(Case.dossier_code)
    await _lock(session, query)
    for code in missing:
        desk(session).cases.setdefault(code, None)


async def lock_free_cases(session: AsyncSession, codes: Iterable[str]) -> None:
    """Put on the desk those of some cases that nobody else has locked, with their tasks; wait for none."""
    query = select(Case).where(Case.dossier_code.in_(sorted(codes))).order_by(Case.dossier_code)
    await _lock(session, query, skip_locked=True)


async def _lock(session: AsyncSession, query: Select[Case], *, skip_locked: bool = False) -> None:
    # The tasks are read by a second statement, after the lock is held: one statement would show them as they were
    # before another transaction let go of the case.
    found = (
        await session.scalars(query.with_for_update(skip_locked=skip_locked).options(selectinload(Case.tasks)))
    ).all()
    await load_calendars(session, {(case.calendar_code, case.calendar_version) for case in found})
    desk(session).cases.update({case.dossier_code: case for case in found})
    desk(session).case_of_task.update({task.id: case for case in found for task in case.tasks})


async def find_locked_case(session: AsyncSession, dossier_code: str) -> Case | None:
    """Return a dossier's case, locked; None when there is none."""
    await lock_cases(session, [dossier_code])
    return desk(session).cases[dossier_code]


async def load_early_results(session: AsyncSession, codes: Iterable[str]) -> None:
    """Put on the desk what is known of the results of dossiers whose cases are about to start: one statement."""
    wanted = list(codes)
    found = (await session.scalars(select(EarlyResult).where(EarlyResult.dossier_code.in_(wanted)))).all()
    desk(session).early_results |= dict.fromkeys(wanted) | {one.dossier_code: one for one in found}


async def find_early_result(session: AsyncSession, dossier_code: str) -> EarlyResult | None:
    """Return what is known of the result of a dossier whose case is about to start."""
    if dossier_code not in desk(session).early_results:
        await load_early_results(session, [dossier_code])
    return desk(session).early_results[dossier_code]


async def lock_case(session: AsyncSession, dossier_code: str, *, caller: Caller) -> Case:
    """Return a dossier's case, locked; raises CaseNotFound, also when the caller may not see it."""
    case = await find_locked_case(session, dossier_code)
    if case is None or not caller.may_see(case.agency_code, case.competent_agency_code):
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
    if case is None or not caller.may_see(case.agency_code, case.competent_agency_code):
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
    if case is None or not caller.may_see(case.agency_code, case.competent_agency_code):
        raise CaseNotFound(f"No case of dossier {dossier_code}.", dossier_code=dossier_code)
    return case


async def get_task(session: AsyncSession, task_id: UUID, *, caller: Caller) -> Task:
    """Return a task; raises TaskNotFound."""
    task = await session.get(Task, task_id)
    if task is None or not (caller.may_see(task.agency_code) or await _received(session, task, caller)):
        raise TaskNotFound(f"No task {task_id}.", task_id=str(task_id))
    return task


async def _received(session: AsyncSession, task: Task, caller: Caller) -> bool:
    """Tell whether the caller's agency received the dossier that another one decides."""
    return caller.may_see(await session.scalar(select(Case.agency_code).where(Case.dossier_code == task.dossier_code)))
