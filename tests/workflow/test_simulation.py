"""After thousands of random acts every account balances: clocks, tasks, events."""

import random
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import selectinload

from services.workflow.models import Case, ClockEntry, Task
from services.workflow.operations import clock
from services.workflow.states import CASE, TASK
from shared.worktime import load_calendar
from tests.workflow.office import Office
from tests.workflow.processes import CODES
from tests.workflow.simulation import ACTS, PROCESSES, Simulation

ACTS_DONE, ACTS_AT_ONCE = 2_000, 50
STEPS = {CODES[process.code]: [step.key for step in process.steps] for process in PROCESSES}


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_account_balances(office: Office, seed: int) -> None:
    await office.publish(*PROCESSES)
    simulation = Simulation(random.Random(seed))
    for _ in range(ACTS_DONE // ACTS_AT_ONCE):
        async with office.database.session() as session:
            work = office.official_work(session)
            for _ in range(ACTS_AT_ONCE):
                await simulation.act(work)
            await work.commit()
    assert simulation.done.keys() == ACTS.keys()
    assert simulation.refused.keys() >= ACTS.keys() - {"pay", "withdraw"}
    await _assert_all_balances(office)
    for code in sorted(simulation.under_way):
        async with office.database.session() as session:
            work = office.official_work(session)
            await simulation.finish(work, code)
            await work.commit()
    await _assert_all_balances(office)
    assert {case.status for case in await _cases(office)} == {"completed", "withdrawn"}


async def _cases(office: Office) -> Sequence[Case]:
    async with office.database.session() as session:
        return (await session.scalars(select(Case).options(selectinload(Case.tasks)))).all()


async def _assert_all_balances(office: Office) -> None:
    ledgers: dict[str, list[ClockEntry]] = defaultdict(list)
    for entry in sorted(await office.rows(ClockEntry), key=lambda entry: entry.nth):
        ledgers[entry.dossier_code].append(entry)
    for case in await _cases(office):
        _assert_clock_balances(case, ledgers[case.dossier_code])
        _assert_no_step_is_lost(case)
    await _assert_histories_lead_here(office)
    await _assert_events_are_numbered(office)


def _assert_clock_balances(case: Case, ledger: list[ClockEntry]) -> None:
    assert clock.recompute(ledger, load_calendar(), clock.terms_of(case)) == case.due_at == ledger[-1].due_at
    assert [entry.nth for entry in ledger] == list(range(1, case.clock_entries + 1))
    assert [entry.at for entry in ledger] == sorted(entry.at for entry in ledger)
    if case.status != "withdrawn":
        assert (case.paused_since is not None) == (ledger[-1].kind == "pause")
    for task in case.tasks:
        if task.is_in_hand():
            assert task.due_at == _expected_due(task, ledger)


def _expected_due(task: Task, ledger: list[ClockEntry]) -> Any:
    calendar, opened_at = load_calendar(), task.opened_at
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


async def _assert_histories_lead_here(office: Office) -> None:
    """Each move starts where the one before ended, is an edge, and the last one led to the stored status."""
    moves: dict[tuple[str, str], list[Any]] = defaultdict(list)
    async with office.database.session() as session:
        for row in await session.execute(text("SELECT * FROM status_change ORDER BY id")):
            moves[row.entity, row.entity_key].append(row)
    stored = {("task", str(task.id)): task.status for task in await office.rows(Task)}
    stored |= {("case_file", case.dossier_code): case.status for case in await office.rows(Case)}
    assert {key: history[-1].to_status for key, history in moves.items()} == stored
    for (entity, _), history in moves.items():
        life: Any = TASK if entity == "task" else CASE
        assert history[0].from_status is None
        assert all(later.from_status == earlier.to_status for earlier, later in pairwise(history))
        assert all(life.edge(row.from_status, row.action).end == row.to_status for row in history)
        kinds = [row.action for row in history if row.action in {"complete", "reopen"}]
        assert kinds == (["complete", "reopen"] * len(kinds))[: len(kinds)]


async def _assert_events_are_numbered(office: Office) -> None:
    query = text("SELECT subject, array_agg(sequence ORDER BY id) AS numbers FROM outbox GROUP BY subject")
    async with office.database.session() as session:
        for row in await session.execute(query):
            assert row.numbers == list(range(1, len(row.numbers) + 1))
