"""The waiting table: backoff, parking, replay in order, causes that arrive later."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared import bus, clock
from shared.db import Database
from shared.events.envelope import Event, RawEvent
from shared.inbox import Inbox, RetryPlan
from shared.work import Work, open_work
from tests.support.assertions import eventually
from tests.support.bus import CALLER, Side
from tests.support.gate import gate_before
from tests.support.toy import CURED, HANDLERS, Filled, Grown, raw

AT_ONCE = RetryPlan(first_s=0, last_s=0, attempts_max=3)
LATER = RetryPlan(first_s=3600, last_s=3600)


async def sequences(side: Side) -> list[int]:
    return [row["sequence"] for row in await side.rows("SELECT sequence FROM waiting ORDER BY id")]


async def make_due(side: Side) -> None:
    await side.rows("UPDATE waiting SET next_attempt_at = now() WHERE parked_at IS NULL")


class TestBackoff:
    """How long an event waits."""

    def test_doubles_up_to_a_limit_and_then_parks(self) -> None:
        now = clock.now()
        plan = RetryPlan(first_s=0.5, last_s=3, attempts_max=5)
        waits = [plan.next_attempt(attempts, now) for attempts in range(1, 6)]
        assert [again and (again - now).total_seconds() for again in waits] == [0.5, 1, 2, 3, None]

    async def test_is_kept_although_others_wait_behind(self, ear: Side) -> None:
        """Events behind are due at once; only their head decides."""
        inbox = ear.inbox(plan=LATER)
        await inbox.take([raw("a", 1, poison=True), raw("a", 2), raw("b", 1, poison=True)])
        assert await inbox.retry_due() == 0
        assert await ear.rows("SELECT max(attempts) AS n FROM waiting") == [{"n": 1}]

    async def test_ends_in_parking_with_everything_behind_in_place(self, ear: Side) -> None:
        inbox = ear.inbox(plan=AT_ONCE)
        await inbox.take([raw("a", 1), raw("a", 2, poison=True), raw("a", 3), raw("b", 1)])
        while await inbox.retry_due():
            pass
        parked = await ear.rows("SELECT sequence, attempts, next_attempt_at FROM waiting WHERE parked_at IS NOT NULL")
        assert parked == [{"sequence": 2, "attempts": 3, "next_attempt_at": None}]
        assert await sequences(ear) == [2, 3]
        assert await ear.seen_by_code() == {"a": [1], "b": [1]}


class TestReplay:
    """After the fix."""

    async def test_resumes_in_order_and_lets_new_events_follow(self, ear: Side) -> None:
        inbox = ear.inbox(plan=AT_ONCE)
        await inbox.take([raw("a", value, poison=value == 3) for value in range(1, 6)])
        while await inbox.retry_due():
            pass
        CURED.add("a")
        await inbox.take([raw("a", 6)])
        assert await ear.seen("a") == [1, 2]
        async with open_work(ear.database, CALLER) as work:
            assert await bus.replay(work, subject="a", reason="the fix is in") == 4
        await inbox.retry_due()
        await inbox.take([raw("a", 7)])
        assert await ear.seen("a") == [1, 2, 3, 4, 5, 6, 7]
        assert await ear.count("waiting") == 0

    async def test_by_two_replicas_at_once_handles_each_event_once(self, ear: Side) -> None:
        inbox = ear.inbox(plan=LATER)
        codes = [f"s{n}" for n in range(10)]
        await inbox.take([raw(code, value, poison=value == 1) for code in codes for value in range(1, 8)])
        CURED.update(codes)
        await make_due(ear)
        replicas = [ear.inbox() for _ in range(4)]

        async def all_done() -> bool:
            await asyncio.gather(*(replica.retry_due() for replica in replicas))
            return not await ear.count("waiting")

        await eventually(all_done)
        assert await ear.seen_by_code() == {code: list(range(1, 8)) for code in codes}

    async def test_leaves_a_dossier_alone_that_another_replica_has_in_hand(self, ear: Side) -> None:
        inbox = ear.inbox(plan=LATER)
        await inbox.take([raw("a", 1, poison=True)])
        CURED.add("a")
        await make_due(ear)
        async with ear.database.session() as other:
            await other.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('a', 7))"))
            await inbox.retry_due()
            assert await ear.rows("SELECT attempts FROM waiting") == [{"attempts": 1}]
        await inbox.retry_due()
        assert await ear.seen("a") == [1]

    async def test_of_an_event_that_comes_again_has_one_effect(self, ear: Side) -> None:
        """Also long after, when the inbox has forgotten the event and it still waits."""
        inbox, event = ear.inbox(plan=LATER), raw("a", 1, poison=True)
        await inbox.take([event])
        await inbox.take([event, event])
        await ear.rows("DELETE FROM inbox")
        await inbox.take([event, raw("b", 1)])
        assert await sequences(ear) == [1]
        CURED.add("a")
        await make_due(ear)
        await inbox.retry_due()
        assert await ear.seen("a") == [1]


def chain(*sources: str) -> list[RawEvent]:
    """Return events of one counter, each of its source and led to by the one before."""
    events: list[RawEvent] = []
    for value, source in enumerate(sources, start=1):
        events.append(raw("a", value, source=source, cause=events[-1].id if events else None))
    return events


class TestCauseMissing:
    """Services see each other's events in different orders."""

    async def test_lets_the_cause_pass_and_follows_it(self, ear: Side) -> None:
        inbox = ear.inbox(plan=LATER)
        cause, effect = chain("one", "two")
        await inbox.take([effect])
        await inbox.take([cause])
        assert await ear.seen("a") == []
        await make_due(ear)
        await inbox.retry_due()
        assert await ear.seen("a") == [1, 2]

    async def test_holds_back_later_events_of_its_own_source(self, ear: Side) -> None:
        inbox = ear.inbox(plan=LATER)
        cause, effect = chain("one", "two")
        await inbox.take([effect, raw("a", 9, source="two"), raw("a", 5, source="three")])
        await make_due(ear)
        await inbox.retry_due()
        assert await ear.seen("a") == [5]
        await inbox.take([cause])
        await make_due(ear)
        await inbox.retry_due()
        assert await ear.seen("a") == [5, 1, 2, 9]

    async def test_of_its_own_source_goes_first_although_it_came_later(self, ear: Side) -> None:
        inbox = ear.inbox(plan=LATER)
        cause, effect = chain("one", "one")
        await inbox.take([effect])
        await inbox.take([cause])
        await make_due(ear)
        await inbox.retry_due()
        assert await ear.seen("a") == [1, 2]

    async def test_is_one_failed_attempt_however_many_others_pass(self, ear: Side) -> None:
        """The cause is the last of many that wait: whatever passes before it is no further attempt at the effect."""
        inbox = ear.inbox(plan=RetryPlan(first_s=0, last_s=0, attempts_max=4))
        cause, effect = chain("one", "two")
        others = [raw("a", 10 + n, source="three") for n in range(12)]
        await inbox.take([effect, *others, cause])
        await inbox.retry_due()
        assert await ear.seen("a") == [*range(10, 22), 1, 2]
        assert await ear.count("waiting") == 0

    @pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1), (3, 0, 1, 2)])
    async def test_untangles_any_order(self, ear: Side, order: tuple[int, ...]) -> None:
        inbox = ear.inbox(plan=RetryPlan(first_s=0, last_s=0, attempts_max=10))
        events = chain("one", "two", "three", "four")
        for nth in order:
            await inbox.take([events[nth]])
        while await ear.count("waiting"):
            await inbox.retry_due()
        assert await ear.seen("a") == [1, 2, 3, 4]

    async def test_that_comes_with_the_last_attempt_is_in_time(self, ear: Side) -> None:
        inbox = ear.inbox(plan=AT_ONCE)
        cause, effect = chain("one", "two")
        await inbox.take([effect])
        await inbox.retry_due()
        await inbox.take([cause])
        await inbox.retry_due()
        assert await ear.seen("a") == [1, 2]

    async def test_that_never_comes_parks_for_people(self, ear: Side) -> None:
        inbox = ear.inbox(plan=AT_ONCE)
        _, effect = chain("one", "two")
        await inbox.take([effect, raw("a", 3, data=Filled(value=3), source="two")])
        while await inbox.retry_due():
            pass
        waiting = await ear.rows("SELECT reason, parked_at IS NULL AS free FROM waiting ORDER BY id")
        assert "CauseMissing" in waiting[0]["reason"]
        assert [row["free"] for row in waiting] == [False, True]


class TestOutage:
    """While retrying."""

    async def test_is_no_attempt(self, ear: Side) -> None:
        await ear.inbox(plan=LATER).take([raw("a", 1, poison=True)])
        await make_due(ear)
        async with gate_before(ear.database.dsn) as gate:
            database = Database(gate.url, service="ear")

            async def cut(*_: Any) -> None:
                gate.shut()

            inbox = Inbox(database, dict.fromkeys(HANDLERS, _then_touch(cut)))
            with pytest.raises(DBAPIError):
                await inbox.retry_due()
            await database.close()
        assert await ear.rows("SELECT attempts FROM waiting") == [{"attempts": 1}]


def _then_touch(cut: Any) -> Any:
    async def handler(work: Any, event: Any) -> None:
        await cut()
        await work.session.execute(text("SELECT 1"))

    return handler


class TestRounds:
    """A round takes a bounded number of dossiers."""

    async def test_reach_every_dossier_in_the_end(self, ear: Side) -> None:
        """More dossiers are due than one round takes; those parked or not yet due do not get in the way."""
        event = raw("a", 1)
        await ear.rows(MANY_WAITING, type=event.type, body=event.body, time=event.time)
        await ear.rows("UPDATE waiting SET parked_at = now() WHERE subject < 's0010'")
        await ear.rows("UPDATE waiting SET next_attempt_at = now() + interval '1 hour' WHERE subject > 's0515'")
        inbox = ear.inbox({Grown: _glance})
        assert [await inbox.retry_due() for _ in range(3)] == [500, 6, 0]
        assert await ear.count("waiting") == 14


MANY_WAITING = (
    "INSERT INTO waiting (event_id, subject, type, source, sequence, time, body, reason, attempts, waiting_since,"
    " next_attempt_at) SELECT gen_random_uuid(), 's' || lpad(n::text, 4, '0'), :type, 'toy', 1, :time, :body, '', 1,"
    " now(), now() FROM generate_series(0, 519) AS n"
)


async def _glance(_: Work, __: Event[Grown]) -> None:
    """Take an event without a trace."""
