"""Rounds that look for dates near or missed and tell of each once: of steps, of cases, of consultations.

A round goes through what is due in order, a bounded batch at a time; each batch is a transaction. When one fails its
members are tried one by one, and the one that is to blame is logged and passed over: it never holds up the others, and
the next round tries it again. Cases that somebody else works on at this moment are left for the next round.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select, text, tuple_

from services.workflow import queries
from services.workflow.models import Case, Consultation, Notice, Task
from services.workflow.operations import consultations
from services.workflow.operations.rules import EscalationLevel, Rules
from services.workflow.queries import calendars
from services.workflow.queries import consultations as asked
from services.workflow.states import CaseStatus, ConsultationStatus
from shared import log
from shared.caller import service_caller
from shared.db import Database, is_outage
from shared.events.workflow import CaseEscalated, TaskEscalated
from shared.ids import new_id
from shared.work import Work
from shared.worktime import WorkingCalendar

BATCH = 200
_SEARCH_STEPS = 48
_SEARCH_SPAN = timedelta(days=400)
_CALLER = service_caller("workflow")

_log = log.get(__name__)

Found = tuple[datetime, str, UUID | str]
"""When something was due, its dossier's code, and its key."""
Tell = Callable[[Work, Sequence[Found]], Awaitable[int]]


@dataclass(slots=True)
class Round:
    """What a round did."""

    told: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    """Dossiers that could not be told of, to be tried again."""


async def escalate(database: Database, rules: Rules, *, now: datetime, batch: int = BATCH) -> Round:
    """Go one round; return how many notices it made. Raises only when the database is away.

    Emits workflow.task.escalated.v1, workflow.case.escalated.v1 and workflow.consultation.late.v1.
    """
    done = Round()
    async with database.session() as session:
        calendar = await calendars.get_national(session)
    for of in ("task", "case"):
        levels = rules.levels(of)
        # The highest level first: what was found late by a day is not told of as nearing before.
        for number in range(len(levels), 0, -1):
            level = levels[number - 1]
            reached = _reached_by(level, now, calendar)
            pick = _pick_tasks(number, reached) if of == "task" else _pick_cases(number, reached)
            tell = _teller(level, number, reached)
            done.told[f"{of}.{level.key}"] = await _through(database, done, pick, tell, now=now, batch=batch)
    done.told["consultation.late"] = await _through(
        database, done, _pick_consultations(now), _tell_lapsed, now=now, batch=batch
    )
    return done


def _reached_by(level: EscalationLevel, now: datetime, calendar: WorkingCalendar) -> datetime:
    """Return the latest due date for which a level is reached by now, in the national calendar's working time."""
    if level.minutes <= 0:
        return calendar.add(now, -level.minutes)
    low, high = now - _SEARCH_SPAN, now
    for _ in range(_SEARCH_STEPS):
        middle = low + (high - low) / 2
        if calendar.between(middle, now) >= level.minutes:
            low = middle
        else:
            high = middle
    return low


def _pick_tasks(number: int, reached: datetime) -> Select:
    return (
        select(Task.due_at, Task.dossier_code, Task.id)
        .join(Case, Case.dossier_code == Task.dossier_code)
        .where(
            text("task.status IN ('open', 'claimed')"),
            Task.escalation_level < number,
            Task.due_at <= reached,
            Case.paused_since.is_(None),
        )
        .order_by(Task.due_at, Task.id)
    )


def _pick_cases(number: int, reached: datetime) -> Select:
    return (
        select(Case.due_at, Case.dossier_code, Case.dossier_code.label("key"))
        .where(text("case_file.status = 'running'"), Case.escalation_level < number, Case.due_at <= reached)
        .order_by(Case.due_at, Case.dossier_code)
    )


def _pick_consultations(now: datetime) -> Select:
    return (
        select(Consultation.respond_by, Consultation.dossier_code, Consultation.id)
        .where(text("consultation.status = 'asked'"), Consultation.respond_by < now)
        .order_by(Consultation.respond_by, Consultation.id)
    )


async def _through(database: Database, done: Round, pick: Select, tell: Tell, *, now: datetime, batch: int) -> int:
    told, last = 0, None
    moment, _, key = pick.selected_columns
    while True:
        query = pick if last is None else pick.where(tuple_(moment, key) > tuple_(last[0], last[2]))
        async with database.session() as session:
            found: Sequence[Found] = [(row[0], row[1], row[2]) for row in await session.execute(query.limit(batch))]
        if not found:
            return told
        told += await _tell_batch(database, done, found, tell, now)
        last = found[-1]


async def _tell_batch(database: Database, done: Round, found: Sequence[Found], tell: Tell, now: datetime) -> int:
    try:
        return await _tell(database, found, tell, now)
    except Exception as problem:
        if is_outage(problem):
            raise
        if len(found) == 1:
            done.failed.append(found[0][1])
            _log.warning("escalation.failed", dossier_code=found[0][1], reason=type(problem).__name__)
            return 0
    return sum([await _tell_batch(database, done, [one], tell, now) for one in found])


async def _tell(database: Database, found: Sequence[Found], tell: Tell, now: datetime) -> int:
    async with database.session() as session:
        work = Work(session, now, _CALLER)
        await queries.lock_free_cases(session, {code for _, code, _ in found})
        told = await tell(work, found)
        await work.commit()
        return told


def _teller(level: EscalationLevel, number: int, reached: datetime) -> Tell:
    async def tell(work: Work, found: Sequence[Found]) -> int:
        desk, told = queries.desk(work.session), 0
        for _, code, key in found:
            case = desk.cases.get(code)
            if case is None or case.paused_since is not None:
                continue
            target = next(task for task in case.tasks if task.id == key) if isinstance(key, UUID) else case
            if not _is_due(target, number, reached):
                continue
            _notice(work, case, target, level, number)
            told += 1
        return told

    return tell


def _is_due(target: Case | Task, number: int, reached: datetime) -> bool:
    """Look again under the lock: it may have been done or moved since it was found."""
    at_work = target.is_in_hand() if isinstance(target, Task) else target.status == CaseStatus.RUNNING
    return at_work and target.escalation_level < number and target.due_at is not None and target.due_at <= reached


def _notice(work: Work, case: Case, target: Case | Task, level: EscalationLevel, number: int) -> None:
    due_at, task = target.due_at, target if isinstance(target, Task) else None
    if due_at is None:
        raise ValueError("what has no due date cannot miss it")
    told = {"level": level.key, "addressee": level.addressee, "due_at": due_at, "escalated_at": work.now}
    if task is not None:
        event = TaskEscalated(
            task_id=task.id,
            step_key=task.step_key,
            step_name=task.step_name,
            unit=task.unit,
            official=task.official,
            **told,
        )
    else:
        event = CaseEscalated(**told)
    work.emit(event, subject=case.dossier_code)
    target.escalation_level = number
    work.session.add(
        Notice(
            id=new_id(),
            target=str(task.id) if task else case.dossier_code,
            level=number,
            level_key=level.key,
            dossier_code=case.dossier_code,
            task_id=task.id if task else None,
            agency_code=case.competent_agency_code,
            unit=task.unit if task else None,
            official=task.official if task else None,
            addressee=level.addressee,
            due_at=due_at,
            told_at=work.now,
        )
    )


async def _tell_lapsed(work: Work, found: Sequence[Found]) -> int:
    desk, told = queries.desk(work.session), 0
    for one in await asked.list_by_id(work.session, [key for _, _, key in found if isinstance(key, UUID)]):
        if desk.cases.get(one.dossier_code) is not None and one.status == ConsultationStatus.ASKED:
            consultations.lapse(work, one)
            told += 1
    return told
