"""The ledger through pauses, new promises and amended calendars in any order: it always gives the stored due date."""

import random
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.workflow import queries
from services.workflow.models import Case
from services.workflow.operations import calendars, cases, clock, flow
from services.workflow.states import ClockKind
from shared.clock import VN
from shared.errors import DomainError
from shared.events.values import DueDateReason, Duration, DurationUnit
from shared.work import Work
from shared.worktime import CalendarDocument, WorkingCalendar, load_calendar
from tests.workflow.office import AGENCY, CODE, Office
from tests.workflow.processes import CODES, LINEAR, PARALLEL

START = datetime(2026, 3, 2, 9, 17, 31, tzinfo=VN)
TERMS = [
    clock.Terms(Duration(amount=5, unit=DurationUnit.WORKING_DAY)),
    clock.Terms(Duration(amount=20, unit=DurationUnit.WORKING_HOUR)),
    clock.Terms(Duration(amount=30, unit=DurationUnit.DAY)),
    clock.Terms(Duration(amount=1, unit=DurationUnit.MONTH)),
    clock.Terms(None, same_day=True),
    clock.Terms(None),
]


class Life:
    """One case in virtual time, with what the service should hold of it."""

    def __init__(self, office: Office, chance: random.Random) -> None:
        self.office = office
        self.chance = chance
        self.now = START
        self.document: CalendarDocument = load_calendar().document
        self.done: list[str] = []

    async def start(self, terms: clock.Terms) -> None:
        """Accept a dossier."""
        await self.office.publish(LINEAR, PARALLEL)
        process = self.chance.choice((LINEAR, PARALLEL))
        async with self.office.database.session() as session:
            work = Work(session, self.now, self.office.official_work(session).caller)
            await calendars.publish_shipped(work)
            await cases.start_case(
                work,
                dossier_code=CODE,
                procedure_code=CODES[process.code],
                procedure_version=1,
                agency_code=AGENCY,
                accepted_at=self.now,
                late_entry=False,
                due_at=terms.due(self.now, WorkingCalendar(self.document)),
                term=terms.term,
                same_day=terms.same_day,
                calendar_version=self.document.version,
                fee_outstanding_vnd=0,
            )
            await work.commit()

    async def act(self) -> None:
        """Let some time pass and do something, possible or not."""
        self.now += timedelta(seconds=self.chance.choice((0, 1, 59, 3_600, 90_061, 400_000)))
        verb = self.chance.choice((self._stop, self._resume, self._ask, self._answer, self._extend, self._amend))
        try:
            await self._within(verb)
            self.done.append(verb.__name__)
        except DomainError:
            pass

    async def _within(self, verb: Callable[[Work, Case], Awaitable[Any]]) -> None:
        async with self.office.database.session() as session:
            work = self.office.official_work(session, self.now)
            case = await queries.lock_case(session, CODE, caller=work.caller)
            await verb(work, case)
            await work.commit()

    async def _stop(self, work: Work, _: Case) -> None:
        await cases.stop_case(work, dossier_code=CODE, reason="Chờ", legal_basis="Luật", stopped_by="an")

    async def _resume(self, work: Work, _: Case) -> None:
        await cases.resume_case(work, dossier_code=CODE, resumed_by="an")

    async def _ask(self, work: Work, _: Case) -> None:
        until = self.now + timedelta(days=9)
        await cases.request_supplement(work, dossier_code=CODE, content="Bản sao", respond_by=until, requested_by="an")

    async def _answer(self, work: Work, case: Case) -> None:
        if case.supplement_id is not None:
            at = self.now - timedelta(seconds=self.chance.choice((0, 60, 90_000)))
            await cases.take_supplement(work, dossier_code=CODE, supplement_id=case.supplement_id, answered_at=at)

    async def _extend(self, work: Work, case: Case) -> None:
        if case.due_at is not None:
            due_at = case.due_at + timedelta(hours=self.chance.randrange(200))
            flow.promise_anew(
                work, case, due_at=due_at, because=DueDateReason.EXTENSION, reason="Xin lỗi", changed_by="an"
            )

    async def _amend(self, work: Work, _: Case) -> None:
        day = (START + timedelta(days=self.chance.randrange(60))).date()
        self.document = amended(self.document, day)
        current = await calendars.publish_calendar(
            work, document=self.document, agencies=(), reason="Thử", published_by="an", base=self._base
        )
        await work.session.flush()
        await calendars.apply_next(work, current)

    @property
    def _base(self) -> str:
        number = int(self.document.version.partition(".x")[2])
        return load_calendar().version + (f".x{number - 1}" if number > 1 else "")


def amended(document: CalendarDocument, day: date) -> CalendarDocument:
    """Return a calendar with a day off more, or one less where it was off by an amendment."""
    off = {one.date: one.name for one in document.days_off}
    if off.get(day) == "Thử":
        del off[day]
    else:
        off.setdefault(day, "Thử")
    number = int(document.version.partition(".x")[2] or 0) + 1
    changes = {
        "version": f"{load_calendar().version}.x{number}",
        "days_off": [{"date": at, "name": name} for at, name in sorted(off.items())],
    }
    return CalendarDocument.model_validate(document.model_dump() | changes)


@pytest.mark.parametrize("seed", range(6))
async def test_gives_the_stored_due_date_whatever_happens(office: Office, seed: int) -> None:
    chance = random.Random(seed)
    life = Life(office, chance)
    await life.start(TERMS[seed % len(TERMS)])
    for _ in range(20):
        await life.act()
        await office.assert_ledger_holds()
        case = await office.case()
        assert case is not None
        assert case.calendar_version == life.document.version
        ledger = await office.ledger()
        for nth, entry in enumerate(ledger, start=1):
            if entry.kind != ClockKind.RECALCULATE and entry.calendar_version == case.calendar_version:
                so_far = clock.recompute(ledger[:nth], WorkingCalendar(life.document), clock.terms_of(case))
                assert so_far == entry.due_at
    assert {"_stop", "_amend"} <= set(life.done) or len(set(life.done)) >= 3


async def test_a_pause_during_which_the_calendar_is_amended_counts_by_the_new_one(office: Office) -> None:
    life = Life(office, random.Random(0))
    await life.start(TERMS[0])
    await life._within(life._stop)
    life.now = START + timedelta(days=1)
    life.document = amended(life.document, (START + timedelta(days=2)).date())

    async def amend(work: Work, _: Case) -> None:
        row = await calendars.publish_calendar(
            work, document=life.document, agencies=(), reason="Thử", published_by="an", base=load_calendar().version
        )
        await calendars.apply_next(work, row)

    await life._within(amend)
    life.now = START + timedelta(days=3)
    await life._within(life._resume)
    case = await office.case()
    assert case is not None
    calendar = WorkingCalendar(life.document)
    worked = calendar.between(START, life.now)
    assert worked == 2 * 480, "Wednesday is off now: three days' pause is two working days"
    due_at = calendar.due(START, 5, "working_day")
    assert case.due_at == calendar.add(due_at, worked)
