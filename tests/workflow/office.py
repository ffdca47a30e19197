"""What tests of workflow do all the time: tell its inbox facts, call its HTTP as officials would, read what it told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.workflow import queries
from services.workflow.consumers import HANDLERS, preload
from services.workflow.models import Case, ClockEntry, Task, WorkflowBase
from services.workflow.operations import clock as case_clock
from services.workflow.queries import accounts, calendars, cases
from services.workflow.queries import processes as process_queries
from shared import clock
from shared.caller import Caller
from shared.db import PLUMBING, Database
from shared.events.envelope import EventData, RawEvent, encode
from shared.events.intake import DossierAccepted, ProcedurePublished, SupplementProvided, WithdrawalRequested
from shared.events.payment import FeePaid
from shared.events.registry import EVENTS, owner_of
from shared.events.values import (
    Channel,
    CollectedAt,
    Duration,
    DurationUnit,
    FeeItem,
    FeeKind,
    Party,
    PartyKind,
    Process,
    ServiceLevel,
)
from shared.ids import new_id
from shared.inbox import Inbox, RetryPlan
from shared.work import Work
from shared.worktime import load_calendar
from tests.support.tokens import Issuer
from tests.workflow.processes import CODES, LINEAR

AGENCY = "H32.14"
CODE = "H32.14-261123-0001"
OFFICIAL = "nguyen.van.an"
ANOTHER = "tran.thi.binh"
SCOPES = ("tasks:read", "tasks:work")
ONE_STOP = Caller("one-stop", AGENCY, frozenset(SCOPES))
FIVE_DAYS = Duration(amount=5, unit=DurationUnit.WORKING_DAY)
OWNER = Party(kind=PartyKind.CITIZEN, name="Nguyễn Văn Thử", id_number="056090000001")


def published(process: Process, version: int = 1) -> ProcedurePublished:
    """Make the fact that a version of a process's procedure is in force."""
    return ProcedurePublished(
        procedure_code=CODES[process.code],
        version=version,
        name="Thủ tục thử",
        field_code="LV01",
        field_name="Lĩnh vực thử",
        service_level=ServiceLevel.PARTIAL,
        process=process,
    )


def accepted(
    process: Process = LINEAR,
    *,
    at: datetime | None = None,
    term: Duration | None = FIVE_DAYS,
    fee_vnd: int = 0,
    on_return_vnd: int = 0,
    version: int = 1,
    agency: str = AGENCY,
    competent: str | None = None,
) -> DossierAccepted:
    """Make the fact that a dossier was accepted, an hour ago unless told otherwise, with fees of both kinds."""
    at = at or clock.now() - timedelta(hours=1)
    amounts = {CollectedAt.ON_ACCEPTANCE: fee_vnd, CollectedAt.ON_RETURN: on_return_vnd}
    return DossierAccepted(
        procedure_code=CODES[process.code],
        procedure_version=version,
        agency_code=agency,
        competent_agency_code=competent,
        channel=Channel.ONLINE,
        accepted_at=at,
        accepted_by=OFFICIAL,
        due_at=load_calendar().due(at, term.amount, term.unit.value) if term else None,
        duration=term,
        calendar_version=load_calendar().version,
        applicant=OWNER,
        owner=OWNER,
        fees=tuple(
            FeeItem(code=when, name="Lệ phí", kind=FeeKind.LE_PHI, amount_vnd=amount, collected=when)
            for when, amount in amounts.items()
        ),
    )


def paid(amount_vnd: int = 50_000, *, collected: CollectedAt = CollectedAt.ON_ACCEPTANCE) -> FeePaid:
    """Make the fact that the fee is paid now."""
    return FeePaid(
        fee_id=new_id(),
        payment_id=new_id(),
        amount_vnd=amount_vnd,
        collected=collected,
        method="cash",
        paid_at=clock.now(),
    )


def provided(supplement_id: UUID | str) -> SupplementProvided:
    """Make the fact that the applicant answers now."""
    return SupplementProvided(supplement_id=UUID(str(supplement_id)), answered_at=clock.now())


def withdrawal() -> WithdrawalRequested:
    """Make the fact that the applicant wants the dossier back."""
    return WithdrawalRequested(reason="Đổi ý", requested_at=clock.now())


def raw(data: EventData, subject: str = CODE) -> RawEvent:
    """Return a fact as the bus brings it."""
    kind = data.event_type
    return RawEvent(new_id(), kind, owner_of(kind), subject, clock.now(), 1, None, None, encode(data))


@dataclass(slots=True)
class Office:
    """An office with its officials, and the bus's end at it."""

    app: FastAPI
    client: httpx.AsyncClient
    issuer: Issuer
    inbox: Inbox = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.database, HANDLERS, preload=preload, plan=RetryPlan(first_s=0, last_s=0))

    @property
    def database(self) -> Database:
        return self.app.state.database

    async def hear(self, *facts: EventData, subject: str = CODE) -> list[RawEvent]:
        """Take facts about one dossier as one batch; return them as they came."""
        events = [raw(fact, subject) for fact in facts]
        await self.inbox.take(events)
        return events

    async def publish(self, *processes: Process, version: int = 1) -> None:
        """Let procedures be in force."""
        await self.inbox.take([raw(published(one, version), CODES[one.code]) for one in processes])

    async def start(self, process: Process = LINEAR, *, code: str = CODE, **more: Any) -> None:
        """Publish a process and start a case of it."""
        await self.publish(process)
        await self.hear(accepted(process, **more), subject=code)
        assert await self.waiting() == []

    def headers(self, *, agency: str = AGENCY, scopes: Sequence[str] = SCOPES, key: str | None = None) -> Any:
        """Return an official's headers."""
        return self.issuer.headers(scopes, agency=agency, key=key)

    async def post(self, path: str, body: dict[str, Any], **more: Any) -> httpx.Response:
        """Send a call that changes something."""
        return await self.client.post(path, json=body, headers=self.headers(**more))

    async def get(self, path: str, **query: Any) -> Any:
        """Return what a list or a thing shows an official."""
        answer = await self.client.get(path, params=query, headers=self.headers())
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def act(
        self, step_key: str, action: str, *, code: str = CODE, official: str = OFFICIAL, **body: Any
    ) -> httpx.Response:
        """Let an official do something to a step of a case."""
        task_id = (await self.tasks(code))[step_key].id
        return await self.post(f"/tasks/{task_id}/{action}", {"official": official} | body)

    async def complete(self, *step_keys: str, code: str = CODE) -> None:
        """Complete steps one after another."""
        for step_key in step_keys:
            answer = await self.act(step_key, "complete", code=code)
            assert answer.status_code == 200, answer.text

    async def pause(self, action: str, *, code: str = CODE) -> httpx.Response:
        """Ask for a supplement, stop, or resume."""
        respond_by = (clock.now() + timedelta(days=10)).isoformat()
        bodies = {
            "request-supplement": {"content": "Bản sao", "respond_by": respond_by, "requested_by": OFFICIAL},
            "stop": {"reason": "Chờ quy hoạch", "legal_basis": "Luật Đất đai 2024", "stopped_by": OFFICIAL},
            "resume": {"resumed_by": OFFICIAL},
        }
        return await self.post(f"/cases/{code}/{action}", bodies[action])

    async def case(self, code: str = CODE) -> Case | None:
        """Return a case as it stands, with its tasks."""
        async with self.database.session() as session:
            return await queries.find_locked_case(session, code)

    async def status(self, code: str = CODE) -> str | None:
        """Return where a case stands."""
        case = await self.case(code)
        return case.status if case else None

    async def tasks(self, code: str = CODE) -> dict[str, Task]:
        """Return a case's tasks by step."""
        case = await self.case(code)
        return {task.step_key: task for task in case.tasks} if case else {}

    async def statuses(self, code: str = CODE) -> dict[str, str]:
        """Return where each step stands."""
        return {step_key: task.status for step_key, task in (await self.tasks(code)).items()}

    async def ledger(self, code: str = CODE) -> Sequence[ClockEntry]:
        """Return the ledger of a case's clock."""
        async with self.database.session() as session:
            return await queries.list_clock(session, code)

    async def told(self, code: str = CODE) -> list[EventData]:
        """Return what was told about a dossier, in order; it must be numbered without a gap."""
        query = text("SELECT type, sequence, body FROM outbox WHERE subject = :code ORDER BY id")
        async with self.database.session() as session:
            rows = (await session.execute(query, {"code": code})).all()
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
        return [EVENTS[row.type].model_validate_json(row.body) for row in rows]

    async def told_names(self, code: str = CODE) -> list[str]:
        """Return the names of what was told, without service and version."""
        return [fact.event_type.removeprefix("workflow.").removesuffix(".v1") for fact in await self.told(code)]

    async def waiting(self) -> list[tuple[str, str]]:
        """Return what waits: subject and reason."""
        async with self.database.session() as session:
            rows = await session.execute(text("SELECT subject, reason FROM waiting ORDER BY id"))
            return [(row.subject, row.reason) for row in rows]

    async def assert_ledger_holds(self, code: str = CODE) -> None:
        """Check that the ledger gives the stored due date, line by line."""
        case, ledger = await self.case(code), await self.ledger(code)
        assert case is not None
        async with self.database.session() as session:
            calendar = await queries.get_calendar(session, case.calendar_code, case.calendar_version)
        recomputed = case_clock.recompute(ledger, calendar, case_clock.terms_of(case))
        assert recomputed == case.due_at == ledger[-1].due_at
        assert [entry.nth for entry in ledger] == list(range(1, case.clock_entries + 1))

    def official_work(self, session: AsyncSession, now: datetime | None = None) -> Work:
        """Return a unit of work at a moment, as an official's call has it."""
        return Work(session, now or clock.now(), ONE_STOP)

    async def one_waits_for_a_lock(self) -> None:
        """Return when some transaction waits for another's lock."""
        query = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        async with asyncio.timeout(10), self.database.session() as session:
            while not await session.scalar(query):
                await session.rollback()
                await asyncio.sleep(0.01)

    async def rows(self, model: type[WorkflowBase]) -> Sequence[Any]:
        """Return every row of a table."""
        async with self.database.session() as session:
            return (await session.scalars(select(model))).all()

    async def clear(self) -> None:
        """Forget everything."""
        tables = [*reversed(WorkflowBase.metadata.sorted_tables), *PLUMBING.sorted_tables]
        async with self.database.session() as session:
            for table in tables:
                await session.execute(table.delete())
            await session.commit()
        cases._processes_known.clear()
        accounts.forget_enforced()
        calendars._calendars_known.clear()
        process_queries._shelves.clear()
