"""What must hold of an office's books at any time: every ledger, task, consultation, history and event."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import selectinload

from services.workflow import queries
from services.workflow.models import Case, ClockEntry, Consultation, Task
from services.workflow.operations import clock
from services.workflow.states import CASE, CONSULTATION, TASK
from shared.worktime import WorkingCalendar
from tests.workflow.office import Office
from tests.workflow.processes import CODES
from tests.workflow.simulation import PROCESSES

STEPS = {CODES[process.code]: [step.key for step in process.steps] for process in PROCESSES}
LIVES: dict[str, Any] = {"task": TASK, "case_file": CASE, "consultation": CONSULTATION}


async def list_cases(office: Office) -> Sequence[Case]:
    """Return every case with its tasks."""
    async with office.database.session() as session:
        return (await session.scalars(select(Case).options(selectinload(Case.tasks)))).all()


async def assert_all_balances(office: Office) -> None:
    """Check every account there is."""
    ledgers: dict[str, list[ClockEntry]] = defaultdict(list)
    for entry in sorted(await office.rows(ClockEntry), key=lambda entry: entry.nth):
        ledgers[entry.dossier_code].append(entry)
    async with office.database.session() as session:
        keys = await session.execute(select(Case.calendar_code, Case.calendar_version).distinct())
        await queries.load_calendars(session, {(row[0], row[1]) for row in keys})
        for case in await list_cases(office):
            calendar = queries.known_calendar(session, case.calendar_code, case.calendar_version)
            _assert_clock_balances(case, ledgers[case.dossier_code], calendar)
            _assert_no_step_is_lost(case)
    await _assert_consultations_balance(office)
    await _assert_histories_lead_here(office)
    await _assert_events_stand_in_order(office)


def _assert_clock_balances(case: Case, ledger: list[ClockEntry], calendar: WorkingCalendar) -> None:
    assert clock.recompute(ledger, calendar, clock.terms_of(case)) == case.due_at == ledger[-1].due_at
    assert [entry.nth for entry in ledger] == list(range(1, case.clock_entries + 1))
    # A new promise or a holiday may come before what is entered late or is still on its way.
    acts = [entry.at for entry in ledger if entry.kind in {"start", "pause", "resume"}]
    assert acts == sorted(acts)
    if case.status != "withdrawn":
        turns = [entry.kind for entry in ledger if entry.kind in {"pause", "resume"}]
        assert (case.paused_since is not None) == (turns[-1:] == ["pause"])
    for task in case.tasks:
        if task.is_in_hand():
            assert task.due_at == _expected_due(task, ledger, calendar)


def _expected_due(task: Task, ledger: list[ClockEntry], calendar: WorkingCalendar) -> Any:
    opened_at = task.opened_at
    assert opened_at is not None
    stood_still = [pause for pause in clock.pauses(ledger) if pause.resumed_at and pause.paused_at >= opened_at]
    work = sum(calendar.between(pause.paused_at, pause.resumed_at) for pause in stood_still if pause.resumed_at)
    return calendar.add(calendar.add(opened_at, task.minutes), work)


def _assert_no_step_is_lost(case: Case) -> None:
    assert [task.step_key for task in case.tasks] == STEPS[case.procedure_code]
    statuses = {task.status for task in case.tasks}
    if not case.is_under_way():
        assert statuses <= ({"done"} if case.status == "completed" else {"done", "cancelled"})
        return
    assert statuses != {"done"}
    for task in case.tasks:
        ready = all(earlier.status == "done" for earlier in case.before(task))
        gated = task.awaits_payment and case.status == "awaiting_payment"
        if task.status in {"waiting", "returned"}:
            assert not ready or gated
        assert task.status != "open" or task.official is None
        assert task.completed_at is None or task.status == "done"


async def _assert_consultations_balance(office: Office) -> None:
    """Each task waits for as many agencies as have neither answered nor been waived."""
    outstanding = Counter(one.task_id for one in await office.rows(Consultation) if one.status in {"asked", "late"})
    for task in await office.rows(Task):
        assert task.consultations_open == outstanding[task.id]
        assert not outstanding[task.id] or task.is_in_hand()


async def _assert_histories_lead_here(office: Office) -> None:
    """Each move starts where the one before ended, is an edge, and the last one led to the stored status."""
    moves: dict[tuple[str, str], list[Any]] = defaultdict(list)
    async with office.database.session() as session:
        for row in await session.execute(text("SELECT * FROM status_change ORDER BY id")):
            moves[row.entity, row.entity_key].append(row)
    stored = {("task", str(task.id)): task.status for task in await office.rows(Task)}
    stored |= {("case_file", case.dossier_code): case.status for case in await office.rows(Case)}
    stored |= {("consultation", str(one.id)): one.status for one in await office.rows(Consultation)}
    assert {key: history[-1].to_status for key, history in moves.items()} == stored
    for (entity, _), history in moves.items():
        life = LIVES[entity]
        assert history[0].from_status is None
        assert all(later.from_status == earlier.to_status for earlier, later in pairwise(history))
        assert all(life.edge(row.from_status, row.action).end == row.to_status for row in history)
        assert [row.at for row in history] == sorted(row.at for row in history)
        kinds = [row.action for row in history if row.action in {"complete", "reopen"}]
        assert kinds == (["complete", "reopen"] * len(kinds))[: len(kinds)]


async def _assert_events_stand_in_order(office: Office) -> None:
    """Check that events of a dossier are numbered without a gap, none told before the one ahead of it."""
    query = text(
        """SELECT subject, array_agg(sequence ORDER BY id) AS numbers, array_agg(time ORDER BY sequence) AS times
        FROM outbox GROUP BY subject"""
    )
    async with office.database.session() as session:
        for row in await session.execute(query):
            assert row.numbers == list(range(1, len(row.numbers) + 1))
            assert row.times == sorted(row.times)
