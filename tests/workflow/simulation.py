"""An office at work in virtual time: officials, applicants and payers do random things, possible or not."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.workflow import queries
from services.workflow.models import Case
from services.workflow.operations import cases, tasks
from shared.clock import VN
from shared.errors import DomainError
from shared.events.values import Duration, DurationUnit
from shared.ids import new_id
from shared.work import Work
from shared.worktime import load_calendar
from tests.workflow.office import AGENCY
from tests.workflow.processes import BRANCHES, CODES, GATED, GATED_BRANCH, GATED_FIRST, LINEAR, PARALLEL

PROCESSES = (LINEAR, PARALLEL, BRANCHES, GATED, GATED_FIRST, GATED_BRANCH)
OFFICIALS = ("an", "binh", "chi")
TERMS = (None, *(Duration(amount=3, unit=unit) for unit in DurationUnit))
AT_WORK_MAX = 30


@dataclass(slots=True)
class Simulation:
    """A random office: its dossiers, its clock, and how often each act was done or refused."""

    chance: random.Random
    now: datetime = datetime(2026, 3, 2, 7, 30, tzinfo=VN)
    codes: list[str] = field(default_factory=list)
    under_way: set[str] = field(default_factory=set)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    async def act(self, work: Work) -> None:
        """Let somebody do something, a few minutes later, to some case; a new one comes in when there is room."""
        self.now += timedelta(seconds=self.chance.expovariate(1 / 400))
        work.now = self.now
        if len(self.under_way) < AT_WORK_MAX:
            await self._start(work)
        ended = self.chance.random() < 0.05
        case = await self._case(work, self.chance.choice(self.codes if ended else sorted(self.under_way)))
        name = self.chance.choices(list(ACTS), [weight for weight, _ in ACTS.values()])[0]
        told = len(work.telling.events)
        try:
            await ACTS[name][1](self, work, case)
        except DomainError:
            assert len(work.telling.events) == told, f"{name} was refused and told something"
            self.refused[name] += 1
        else:
            self.done[name] += 1
        if not case.is_under_way():
            self.under_way.discard(case.dossier_code)

    async def finish(self, work: Work, code: str) -> None:
        """Do what is left to do for a case, without detours."""
        self.now += timedelta(seconds=1)
        work.now = self.now
        case = await self._case(work, code)
        if case.pause_reason:
            await {"payment": pay, "supplement": answer, "stop": resume}[case.pause_reason](self, work, case)
        await cases.settle_fee(work, dossier_code=code, settled_at=self.now)
        for _ in range(100):
            in_hand = [task for task in case.tasks if task.is_in_hand()]
            if not in_hand:
                return
            await tasks.complete_task(work, task_id=in_hand[0].id, official=in_hand[0].official or "an", note="")

    async def _case(self, work: Work, code: str) -> Case:
        return await queries.lock_case(work.session, code, caller=work.caller)

    async def _start(self, work: Work) -> None:
        number = len(self.codes) + 1
        process, term = PROCESSES[number % len(PROCESSES)], self.chance.choice(TERMS)
        case = await cases.start_case(
            work,
            dossier_code=f"{AGENCY}-260302-{number:04d}",
            procedure_code=CODES[process.code],
            procedure_version=1,
            agency_code=AGENCY,
            accepted_at=work.now,
            late_entry=False,
            due_at=load_calendar().due(work.now, term.amount, term.unit.value) if term else None,
            term=term,
            calendar_version=load_calendar().version,
            fee_outstanding_vnd=self.chance.choice((0, 50_000)),
        )
        self.codes.append(case.dossier_code)
        self.under_way.add(case.dossier_code)


def _official(simulation: Simulation, official: str | None) -> str:
    return official if official and simulation.chance.random() < 0.9 else simulation.chance.choice(OFFICIALS)


def _task(verb: str) -> "Act":
    async def act(simulation: Simulation, work: Work, case: Case) -> None:
        in_hand = [task for task in case.tasks if task.is_in_hand()]
        task = simulation.chance.choice(in_hand if in_hand and simulation.chance.random() < 0.9 else case.tasks)
        verbs = {"release": tasks.release_task, "reassign": tasks.reassign_task, "return": tasks.return_task}
        official = _official(simulation, task.official)
        await verbs[verb](work, task_id=task.id, official=official, reason="Có lý do")

    return act


async def claim(simulation: Simulation, work: Work, case: Case) -> None:
    """Take some task."""
    task = simulation.chance.choice(case.tasks)
    await tasks.claim_task(work, task_id=task.id, official=_official(simulation, task.official))


async def complete(simulation: Simulation, work: Work, case: Case) -> None:
    """Finish some task, now or entered after the fact."""
    task = simulation.chance.choice([task for task in case.tasks if task.is_in_hand()] or case.tasks)
    late = timedelta(seconds=simulation.chance.choice((0, 0, 900)))
    completed_at = work.now - late if late else None
    official = _official(simulation, task.official)
    await tasks.complete_task(work, task_id=task.id, official=official, note="", completed_at=completed_at)


async def ask(_: Simulation, work: Work, case: Case) -> None:
    """Ask for a supplement."""
    until = work.now + timedelta(days=9)
    await cases.request_supplement(
        work, dossier_code=case.dossier_code, content="Bản sao", respond_by=until, requested_by="an"
    )


async def answer(simulation: Simulation, work: Work, case: Case) -> None:
    """Answer the supplement, or one that is not awaited."""
    at = work.now - timedelta(seconds=simulation.chance.choice((0, 5, 9_000)))
    supplement_id = case.supplement_id or new_id()
    await cases.take_supplement(work, dossier_code=case.dossier_code, supplement_id=supplement_id, answered_at=at)


async def pay(simulation: Simulation, work: Work, case: Case) -> None:
    """Pay the fee."""
    at = work.now - timedelta(seconds=simulation.chance.choice((0, 5, 9_000)))
    await cases.settle_fee(work, dossier_code=case.dossier_code, settled_at=at)


async def stop(_: Simulation, work: Work, case: Case) -> None:
    """Stop the case."""
    await cases.stop_case(work, dossier_code=case.dossier_code, reason="Chờ", legal_basis="Luật", stopped_by="an")


async def resume(_: Simulation, work: Work, case: Case) -> None:
    """Let the case go on."""
    await cases.resume_case(work, dossier_code=case.dossier_code, resumed_by="an")


async def withdraw(_: Simulation, work: Work, case: Case) -> None:
    """Ask for the dossier back."""
    await cases.decide_withdrawal(work, dossier_code=case.dossier_code, reason="Đổi ý")


Act = Callable[[Simulation, Work, Case], Awaitable[None]]
ACTS: dict[str, tuple[int, Act]] = {
    "claim": (10, claim),
    "complete": (30, complete),
    "release": (3, _task("release")),
    "reassign": (3, _task("reassign")),
    "return": (7, _task("return")),
    "ask": (4, ask),
    "answer": (12, answer),
    "pay": (8, pay),
    "stop": (4, stop),
    "resume": (12, resume),
    "withdraw": (1, withdraw),
}
"""Each act with its weight."""
