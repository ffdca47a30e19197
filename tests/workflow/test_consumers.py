"""Events in: once each, in order, together, whatever else the batch holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import text

from services.workflow.models import Case
from shared import clock
from shared.events.envelope import EventData
from shared.events.intake import SupplementProvided
from shared.events.payment import FeeCancelled, FeePaid, FeeWaived
from shared.events.values import CollectedAt
from shared.events.workflow import CaseResumed
from shared.ids import new_id
from shared.worktime import load_calendar
from tests.workflow.office import CODE, Office, accepted, paid, provided, published, raw, withdrawal
from tests.workflow.processes import CODES, GATED_FIRST, LINEAR

CODES_100 = [f"H32.14-261123-{number:04d}" for number in range(1, 101)]


@contextmanager
def counted(office: Office) -> Iterator[list[str]]:
    """Collect the statements sent to the database."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engine = office.database.engine.sync_engine
    sql_event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sql_event.remove(engine, "before_cursor_execute", note)


class TestDuplicates:
    """The same event, however often it comes, has one effect."""

    async def test_of_every_event_of_a_life(self, office: Office) -> None:
        await office.inbox.take([raw(published(GATED_FIRST), CODES["gated-first"])] * 2)
        await office.inbox.take([raw(accepted(GATED_FIRST, fee_vnd=50_000))] * 3)
        await office.inbox.take([raw(paid())] * 3)
        supplement = (await office.pause("request-supplement")).json()["supplement_id"]
        await office.inbox.take([raw(provided(supplement))] * 3)
        await office.inbox.take([raw(withdrawal())] * 3)
        names = [name for name in await office.told_names() if not name.startswith("task")]
        assert names == [
            "case.started",
            "case.payment_awaited",
            "case.resumed",
            "case.supplement_requested",
            "case.resumed",
            "case.withdrawn",
        ]
        assert await office.waiting() == []

    async def test_delivered_again_after_its_commit(self, office: Office) -> None:
        await office.publish(LINEAR)
        events = [raw(accepted(LINEAR), code) for code in CODES_100]
        await office.inbox.take(events)
        before = await office.told()
        await office.inbox.take(events)
        assert await office.told() == before
        assert len(await office.rows(Case)) == len(CODES_100)
        assert await office.waiting() == []


class TestBatches:
    """A batch costs a handful of statements and stands or falls event by event."""

    async def test_a_bigger_batch_costs_no_more_statements(self, office: Office) -> None:
        await office.publish(GATED_FIRST)
        await office.hear(accepted(GATED_FIRST), subject="H32.14-261124-0001")
        costs = []
        for codes in (CODES_100[:10], CODES_100[10:]):
            with counted(office) as starting:
                await office.inbox.take([raw(accepted(GATED_FIRST, fee_vnd=50_000), code) for code in codes])
            with counted(office) as paying:
                await office.inbox.take([raw(paid(), code) for code in codes])
            costs.append((len(starting), len(paying)))
        assert costs[0] == costs[1]
        assert max(costs[0]) <= 8
        assert {case.status for case in await office.rows(Case)} == {"running"}

    async def test_one_batch_can_hold_all_of_a_beginning(self, office: Office) -> None:
        events = [raw(published(GATED_FIRST), CODES["gated-first"])]
        events += [raw(fact, CODE) for fact in (accepted(GATED_FIRST, fee_vnd=50_000), paid(), withdrawal())]
        await office.inbox.take(events)
        assert await office.waiting() == []
        assert await office.status() == "withdrawn"
        assert [name for name in await office.told_names() if name.startswith("case")] == [
            "case.started",
            "case.payment_awaited",
            "case.resumed",
            "case.withdrawn",
        ]
        await office.assert_ledger_holds()

    async def test_a_poison_event_keeps_only_its_dossier(self, office: Office) -> None:
        await office.publish(LINEAR)
        poisoned = CODES_100[50]
        events = [raw(accepted(LINEAR, version=9 if code == poisoned else 1), code) for code in CODES_100]
        events += [raw(withdrawal(), code) for code in CODES_100]
        await office.inbox.take(events)
        assert [subject for subject, _ in await office.waiting()] == [poisoned, poisoned]
        cases = {case.dossier_code: case.status for case in await office.rows(Case)}
        assert cases == {code: "withdrawn" for code in CODES_100 if code != poisoned}
        await office.publish(LINEAR, version=9)
        await office.inbox.retry_due()
        assert await office.waiting() == []
        assert await office.status(poisoned) == "withdrawn"

    async def test_an_event_nobody_can_read_waits_alone(self, office: Office) -> None:
        await office.publish(LINEAR)
        broken = raw(accepted(LINEAR), CODES_100[1])
        broken = type(broken)(**{name: getattr(broken, name) for name in broken.__slots__} | {"body": b"{}"})
        await office.inbox.take([raw(accepted(LINEAR), CODES_100[0]), broken, raw(accepted(LINEAR), CODES_100[2])])
        assert [subject for subject, _ in await office.waiting()] == [CODES_100[1]]
        assert len(await office.rows(Case)) == 2


def _settled(kind: type[EventData]) -> EventData:
    common = {"fee_id": new_id(), "amount_vnd": 50_000, "collected": CollectedAt.ON_ACCEPTANCE}
    now = clock.now()
    own: dict[type[EventData], dict[str, object]] = {
        FeePaid: {"payment_id": new_id(), "method": "cash", "paid_at": now},
        FeeWaived: {"legal_basis": "Hộ nghèo", "waived_at": now},
        FeeCancelled: {"reason": "Nhầm", "cancelled_at": now},
    }
    return kind.model_validate(common | own[kind])


class TestTimes:
    """The clock goes by when a thing was done, not by when we heard of it."""

    @pytest.mark.parametrize("kind", [FeePaid, FeeWaived, FeeCancelled])
    async def test_a_settled_fee_ends_the_pause_when_it_was_settled(
        self, office: Office, kind: type[EventData]
    ) -> None:
        await office.start(GATED_FIRST, fee_vnd=50_000)
        fact = _settled(kind)
        await office.hear(fact)
        resumed = next(told for told in await office.told() if isinstance(told, CaseResumed))
        settled_at = next(
            getattr(fact, name) for name in ("paid_at", "waived_at", "cancelled_at") if hasattr(fact, name)
        )
        assert (resumed.after, resumed.resumed_at) == ("payment", settled_at)
        assert (await office.tasks())["stamp"].opened_at == settled_at

    async def test_paid_before_the_pause_was_seen_the_pause_is_empty(self, office: Office) -> None:
        await office.start(GATED_FIRST, fee_vnd=50_000)
        earlier = paid().model_copy(update={"paid_at": clock.now() - timedelta(days=2)})
        await office.hear(earlier)
        resumed = next(told for told in await office.told() if isinstance(told, CaseResumed))
        _, paused, ended = await office.ledger()
        assert (ended.at, resumed.resumed_at) == (paused.at, paused.at)
        assert resumed.due_at == resumed.previous_due_at

    async def test_due_dates_move_by_the_working_time_of_the_pause(self, office: Office) -> None:
        await office.start(LINEAR)
        before, task = await office.case(), (await office.tasks())["check"]
        supplement = (await office.pause("request-supplement")).json()["supplement_id"]
        answered_at = clock.now() + timedelta(days=20)
        await office.hear(SupplementProvided(supplement_id=supplement, answered_at=answered_at))
        after, paused_at = await office.case(), (await office.ledger())[1].at
        assert before is not None
        assert after is not None
        assert before.due_at is not None
        assert task.due_at is not None
        calendar = load_calendar()
        work = calendar.between(paused_at, answered_at)
        assert work > 0
        assert after.due_at == calendar.add(before.due_at, work)
        assert (await office.tasks())["check"].due_at == calendar.add(task.due_at, work)
        await office.assert_ledger_holds()

    async def test_another_machines_clock_may_be_ahead(self, office: Office) -> None:
        await office.start(LINEAR)
        supplement = (await office.pause("request-supplement")).json()["supplement_id"]
        ahead = clock.now() + timedelta(seconds=30)
        await office.hear(SupplementProvided(supplement_id=supplement, answered_at=ahead))
        await office.complete("check")
        assert (await office.pause("stop")).status_code == 200
        ledger = await office.ledger()
        assert [entry.at for entry in ledger] == sorted(entry.at for entry in ledger)
        assert (await office.tasks())["check"].completed_at == ahead


class TestCauses:
    """What we tell names the event that led to it."""

    async def test_the_start_is_caused_by_the_acceptance(self, office: Office) -> None:
        await office.publish(LINEAR)
        (acceptance,) = await office.hear(accepted(LINEAR))
        async with office.database.session() as session:
            causes = set(await session.scalars(text("SELECT causation_id FROM outbox")))
        assert causes == {acceptance.id}

    async def test_the_ledger_names_the_event_that_told_it(self, office: Office) -> None:
        await office.start(GATED_FIRST, fee_vnd=50_000)
        await office.hear(paid())
        await office.pause("stop")
        async with office.database.session() as session:
            rows = await session.execute(text("SELECT type, event_id FROM outbox"))
            told = {row.event_id: row.type.split(".")[2] for row in rows}
        assert [told[entry.event_id] for entry in await office.ledger()] == [
            "started",
            "payment_awaited",
            "resumed",
            "stopped",
        ]
