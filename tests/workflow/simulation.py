"""An office in virtual time: officials, applicants, payers and other agencies do random things, possible or not."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from services.workflow import queries
from services.workflow.models import Case
from services.workflow.operations import calendars, cases, consultations, delegations, extensions, results, tasks
from services.workflow.operations.escalations import escalate
from services.workflow.operations.rules import load_rules
from services.workflow.queries.consultations import list_of_case as asked_of
from shared.caller import Caller
from shared.clock import VN
from shared.errors import DomainError
from shared.events.values import Duration, DurationUnit
from shared.ids import new_id
from shared.work import Work
from shared.worktime import CalendarDocument, DayOff, WorkingCalendar, load_calendar
from tests.workflow.office import AGENCY, Office
from tests.workflow.processes import BRANCHES, CODES, GATED, GATED_BRANCH, GATED_FIRST, LINEAR, PARALLEL

PROCESSES = (LINEAR, PARALLEL, BRANCHES, GATED, GATED_FIRST, GATED_BRANCH)
OFFICIALS = ("an", "binh", "chi")
TERMS = (None, *(Duration(amount=3, unit=unit) for unit in DurationUnit))
CONSULTED = ("H32.15", "H32.16")
AT_WORK_MAX = 60
Thing = TypeVar("Thing")
RULES = load_rules(None)


@dataclass(slots=True)
class Simulation:
    """A random office: its dossiers, its clock, and how often each act was done or refused."""

    chance: random.Random
    now: datetime = datetime(2026, 3, 2, 7, 30, tzinfo=VN)
    codes: list[str] = field(default_factory=list)
    under_way: set[str] = field(default_factory=set)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[UUID, str]] = field(default_factory=list)
    """Consultations with the agencies asked."""
    delegated: list[UUID] = field(default_factory=list)
    amendments: int = 0
    calendar: WorkingCalendar = field(default_factory=load_calendar)

    async def act(self, work: Work) -> None:
        """Let somebody do something, a few minutes later, to some case; a new one comes in when there is room."""
        self.now += timedelta(seconds=self.chance.expovariate(1 / 150))
        work.now = self.now
        if len(self.under_way) < AT_WORK_MAX:
            await self._start(work)
        ended = self.chance.random() < 0.05
        case = await self._case(work, self.chance.choice(self.codes[-90:] if ended else sorted(self.under_way)))
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

    async def open_books(self, work: Work) -> None:
        """Have the cases at hand that are under way, and know that no result came before the next ones."""
        await queries.lock_cases(work.session, self.under_way)
        number = len(self.codes)
        await queries.load_early_results(work.session, map(code_of, range(number + 1, number + 200)))

    async def finish(self, work: Work, code: str) -> None:
        """Do what is left to do for a case, without detours."""
        self.now += timedelta(seconds=1)
        work.now = self.now
        case = await self._case(work, code)
        if case.pause_reason:
            await {"payment": pay, "supplement": answer, "stop": resume}[case.pause_reason](self, work, case)
        await cases.settle_fee(work, dossier_code=code, settled_at=self.now)
        await work.session.flush()
        for one in await asked_of(work.session, code):
            if one.status in {"asked", "late"}:
                task = next(task for task in case.tasks if task.id == one.task_id)
                who = task.official or "an"
                await consultations.waive(work, consultation_id=one.id, official=who, reason="Hết kỳ")
        for _ in range(100):
            in_hand = [task for task in case.tasks if task.is_in_hand()]
            if not in_hand:
                return
            await tasks.complete_task(work, task_id=in_hand[0].id, official=in_hand[0].official or "an", note="")

    async def amend_holidays(self, work: Work) -> None:
        """Declare another day off some days ahead; every case under way follows."""
        work.now = self.now
        await calendars.publish_shipped(work)
        current = await queries.find_current_calendar(work.session, queries.SHIPPED)
        assert current is not None
        document = CalendarDocument.model_validate(current.document)
        day = document_day(document, self.now + timedelta(days=self.chance.randint(1, 6)))
        self.amendments += 1
        changed = document.model_copy(
            update={
                "version": f"{load_calendar().version}-{self.amendments}",
                "days_off": (*document.days_off, DayOff(date=day, name="Nghỉ đột xuất")),
            }
        )
        row = await calendars.publish_calendar(
            work, document=changed, agencies=(), reason="Nghỉ đột xuất", published_by="an", base=current.version
        )
        while (await calendars.apply_next(work, row, limit=1_000))[0]:
            await work.session.flush()
        self.calendar = WorkingCalendar(changed)

    async def _case(self, work: Work, code: str) -> Case:
        return await queries.lock_case(work.session, code, caller=work.caller)

    async def _start(self, work: Work) -> None:
        number = len(self.codes) + 1
        process, term = PROCESSES[number % len(PROCESSES)], self.chance.choice(TERMS)
        calendar = self.calendar
        case = await cases.start_case(
            work,
            dossier_code=code_of(number),
            procedure_code=CODES[process.code],
            procedure_version=1,
            agency_code=AGENCY,
            accepted_at=work.now,
            late_entry=False,
            due_at=calendar.due(work.now, term.amount, term.unit.value) if term else None,
            term=term,
            calendar_version=calendar.version,
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
    late = timedelta(seconds=simulation.chance.choice((0, 0, 0, 900, 2_400)))
    completed_at = work.now - late if late else None
    late_reason = simulation.chance.choice(("Mất mạng", None)) if late else None
    official = _official(simulation, task.official)
    await tasks.complete_task(
        work, task_id=task.id, official=official, note="", completed_at=completed_at, late_reason=late_reason
    )


async def complete_many(simulation: Simulation, work: Work, case: Case) -> None:
    """Finish several tasks in one go, of this case and of others, one of them unknown."""
    others = simulation.chance.sample(sorted(simulation.under_way), k=min(3, len(simulation.under_way)))
    found = [task for task in case.tasks if task.is_in_hand()]
    for code in others:
        found += (await queries.lock_case(work.session, code, caller=work.caller)).tasks
    wanted = [tasks.Completion(task.id, _official(simulation, task.official), "") for task in found]
    outcomes = await tasks.complete_tasks(work, [*wanted, tasks.Completion(new_id(), "an", "")])
    refused = sum(isinstance(outcome, DomainError) for outcome in outcomes)
    assert refused, "an unknown task was finished"
    simulation.done["complete_one_of_many"] += len(outcomes) - refused
    for code in others:
        other = await queries.lock_case(work.session, code, caller=work.caller)
        if not other.is_under_way():
            simulation.under_way.discard(code)


async def extend(simulation: Simulation, work: Work, case: Case) -> None:
    """Give the applicant a later date, or one that is none."""
    minutes = simulation.chance.choice((480, 960, 960, 960))
    calendar = simulation.calendar
    due_at = calendar.end_of_day(calendar.add(case.due_at or work.now, minutes).date())
    if simulation.chance.random() < 0.1:
        due_at = work.now - timedelta(days=1)
    await extensions.extend_case(
        work,
        dossier_code=case.dossier_code,
        due_at=due_at,
        reason="Chờ thẩm định",
        official="an",
        rule=RULES.extension(work.now),
    )


async def consult(simulation: Simulation, work: Work, case: Case) -> None:
    """Ask other agencies about some task."""
    task = simulation.chance.choice([task for task in case.tasks if task.is_in_hand()] or case.tasks)
    agencies = simulation.chance.sample(CONSULTED, k=simulation.chance.choice((1, 2)))
    made = await consultations.consult(
        work,
        task_id=task.id,
        agencies=agencies,
        question="Ý kiến?",
        documents=(),
        respond_by=work.now + timedelta(hours=simulation.chance.choice((-1, 4, 30, 60))),
        official=_official(simulation, task.official),
    )
    simulation.asked += [(one.id, one.consulted_agency_code) for one in made]


async def reply(simulation: Simulation, work: Work, _: Case) -> None:
    """Answer as an agency that was asked, or as another; open or not."""
    consultation_id, agency = _some(simulation, simulation.asked, (new_id(), "H32.15"))
    if simulation.chance.random() < 0.1:
        agency = "H32.17"
    own, work.caller = work.caller, Caller("elsewhere", agency, work.caller.scopes)
    try:
        await consultations.answer(
            work, consultation_id=consultation_id, opinion="agree", text="Nhất trí", official="x"
        )
    finally:
        work.caller = own


async def waive(simulation: Simulation, work: Work, _: Case) -> None:
    """Go on without an answer."""
    consultation_id, _agency = _some(simulation, simulation.asked, (new_id(), ""))
    await consultations.waive(work, consultation_id=consultation_id, official="an", reason="Quá hạn")


async def delegate(simulation: Simulation, work: Work, _: Case) -> None:
    """Let one official stand in for another for some time, or for oneself, which is refused."""
    made = await delegations.delegate(
        work,
        agency_code=AGENCY,
        delegator=simulation.chance.choice(OFFICIALS),
        official=simulation.chance.choice(OFFICIALS),
        unit=None,
        units=simulation.chance.choice((None, ["unit-check", "unit-left"])),
        procedures=None,
        starts_at=work.now,
        ends_at=work.now + timedelta(hours=simulation.chance.choice((2, 20))),
        reason="Đi công tác",
        made_by="an",
    )
    await work.session.flush()
    simulation.delegated.append(made.id)


async def end_delegation(simulation: Simulation, work: Work, _: Case) -> None:
    """End a delegation early, or one that is over."""
    delegation_id = _some(simulation, simulation.delegated, new_id())
    await delegations.end_delegation(work, delegation_id=delegation_id, ended_by="an", reason="Về sớm")
    await work.session.flush()


async def hear_of_result(simulation: Simulation, work: Work, case: Case) -> None:
    """Hear that a result was issued or returned, before or after its steps are done."""
    times = {simulation.chance.choice(("issued_at", "returned_at")): work.now}
    await results.note_result(work, dossier_code=case.dossier_code, **times)


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


def _some(simulation: Simulation, things: list[Thing], none: Thing) -> Thing:
    return simulation.chance.choice(things[-40:]) if things else none


def code_of(number: int) -> str:
    """Return the code of the nth dossier."""
    return f"{AGENCY}-260302-{number:05d}"


def document_day(document: CalendarDocument, moment: datetime) -> date:
    """Return the first day from a moment's on that a calendar works and has no word about yet."""
    known = {day.date for day in document.days_off} | {day.date for day in document.make_up_days}
    day = moment.date()
    while day in known or not document.week.hours(day):
        day += timedelta(days=1)
    return day


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
    "complete_many": (1, complete_many),
    "extend": (3, extend),
    "consult": (2, consult),
    "reply": (7, reply),
    "waive": (2, waive),
    "delegate": (1, delegate),
    "end_delegation": (1, end_delegation),
    "hear_of_result": (1, hear_of_result),
}
"""Each act with its weight."""


async def work_on(office: Office, simulation: Simulation, *, acts: int, at_once: int) -> None:
    """Let so many acts happen, some hundreds in a transaction; between them rounds are gone and holidays declared."""
    await office.publish(*PROCESSES)
    for nth in range(acts // at_once):
        async with office.database.session() as session:
            work = office.official_work(session)
            await simulation.open_books(work)
            for _ in range(at_once):
                await simulation.act(work)
            await work.commit()
        if nth % 5 == 1:
            await escalate(office.database, RULES, now=simulation.now)
        if nth % 10 == 2:
            async with office.database.session() as session:
                work = office.official_work(session)
                await simulation.amend_holidays(work)
                await work.commit()


async def finish_all(office: Office, simulation: Simulation) -> None:
    """Bring every case to its end."""
    async with office.database.session() as session:
        work = office.official_work(session)
        await queries.lock_cases(session, simulation.under_way)
        for code in sorted(simulation.under_way):
            await simulation.finish(work, code)
        await work.commit()
