"""Taking events: each once, each dossier's in order; a poison one stops its dossier and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy import text

from shared.db import Database, is_outage
from shared.events.envelope import Event, EventData, RawEvent
from shared.inbox import Inbox
from shared.work import Work
from tests.support.bus import EAGER, Side
from tests.support.gate import gate_before
from tests.support.toy import COUNTER, HANDLERS, Counter, Filled, Grown, on_grown, raw

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def series(code: str, *values: int, **more: Any) -> list[RawEvent]:
    return [raw(code, value, **more) for value in values]


def inbox_of(side: Side, handler: Callable[[Work, Event[Any]], Awaitable[None]]) -> Inbox:
    return side.inbox({Grown: handler, Filled: HANDLERS[Filled]})


class TestTake:
    """A batch of events."""

    async def test_is_one_transaction_in_order(self, ear: Side) -> None:
        events = [raw(code, value) for value in (1, 2, 3) for code in ("b", "a", "c")]
        await ear.inbox().take(events)
        assert await ear.seen_by_code() == {"a": [1, 2, 3], "b": [1, 2, 3], "c": [1, 2, 3]}
        assert await ear.rows("SELECT count(DISTINCT xmin::text) AS n FROM seen") == [{"n": 1}]
        assert await ear.count("inbox") == 9

    async def test_has_one_effect_for_fifty_deliveries_at_once(self, ear: Side) -> None:
        events = series("a", 1, 2, 3)
        await asyncio.gather(*(ear.inbox().take(events if n % 2 else [events[1]]) for n in range(50)))
        assert sorted(await ear.seen("a")) == [1, 2, 3]
        assert await ear.count("waiting") == 0

    async def test_has_one_effect_for_a_duplicate_in_the_same_batch(self, ear: Side) -> None:
        one, two = series("a", 1, 2)
        await ear.inbox().take([one, one, two, one])
        assert await ear.seen("a") == [1, 2]

    async def test_passes_over_types_it_has_no_use_for(self, ear: Side) -> None:
        class Shrunk(EventData):
            """Not handled here."""

            event_type = "toy.counter.shrunk.v1"

        await ear.inbox().take([raw("a", 1, data=Shrunk()), raw("a", 2)])
        assert await ear.seen("a") == [2]
        assert await ear.count("inbox") == 2

    async def test_tells_on_with_cause_and_trace(self, ear: Side) -> None:
        async def pass_on(work: Work, event: Event[Grown]) -> None:
            counter = Counter(code=event.subject, value=event.data.value)
            work.session.add(counter)
            work.move(counter, COUNTER, "create", event.data)

        traced = replace(raw("a", 1), traceparent=TRACE)
        await inbox_of(ear, pass_on).take([traced])
        told = (await ear.rows("SELECT causation_id, traceparent FROM outbox"))[0]
        assert told == {"causation_id": traced.id, "traceparent": TRACE}
        assert await ear.rows("SELECT actor FROM status_change") == [{"actor": "service:ear"}]


class TestPoison:
    """An event that its handler cannot take."""

    async def test_stops_its_dossier_and_no_other(self, ear: Side) -> None:
        events = [raw(f"s{n}", value, poison=(n, value) == (7, 2)) for value in (1, 2, 3) for n in range(20)]
        await ear.inbox().take(events)
        seen = await ear.seen_by_code()
        assert seen.pop("s7") == [1]
        assert list(seen.values()) == [[1, 2, 3]] * 19
        waiting = await ear.rows("SELECT subject, sequence, attempts, reason FROM waiting ORDER BY id")
        assert [(w["subject"], w["sequence"], w["attempts"]) for w in waiting] == [("s7", 2, 1), ("s7", 3, 0)]
        assert "Poisoned" in waiting[0]["reason"]
        assert "behind" in waiting[1]["reason"]

    async def test_keeps_later_batches_of_its_dossier_behind_it(self, ear: Side) -> None:
        inbox = ear.inbox()
        await inbox.take([raw("a", 1, poison=True)])
        await inbox.take(series("a", 2, 3) + series("b", 1))
        await inbox.take(series("a", 4))
        assert await ear.seen_by_code() == {"b": [1]}
        assert [w["sequence"] for w in await ear.rows("SELECT sequence FROM waiting ORDER BY id")] == [1, 2, 3, 4]

    @pytest.mark.parametrize(
        "wrong",
        [{"value": 2**40}, {"value": 2**70}, {"status": None}, {"status": "\0"}],
        ids=["beyond integer", "beyond bigint", "null", "zero byte"],
    )
    async def test_is_also_what_the_database_cannot_hold(self, ear: Side, wrong: dict[str, Any]) -> None:
        """Only the flush at the end finds it, some of it before the server is even asked: no outage."""

        async def keep(work: Work, event: Event[Grown]) -> None:
            values = {"status": "live", "value": event.data.value} | (wrong if event.subject == "a" else {})
            work.session.add(Counter(code=event.subject, **values))

        await inbox_of(ear, keep).take([raw("a", 1), raw("b", 1)])
        assert await ear.rows("SELECT code FROM counter") == [{"code": "b"}]
        assert await ear.rows("SELECT subject FROM waiting") == [{"subject": "a"}]

    async def test_leaves_no_personal_data_in_the_reason(self, ear: Side) -> None:
        """A body that does not fit its type, and a row the database refuses: both errors would quote values."""
        person = "Nguyễn Văn Thử"

        async def keep(work: Work, event: Event[Grown]) -> None:
            if event.subject == "b":
                await work.session.execute(text("INSERT INTO counter VALUES (:name, :name, NULL)"), {"name": person})
            work.session.add(Counter(code=event.subject, status="live", value=cast("int", person)))

        misfit = replace(raw("a", 1), body=f'{{"value": "{person}", "at": "056090000001"}}'.encode())
        await inbox_of(ear, keep).take([misfit, raw("b", 1), raw("c", 1)])
        reasons = [row["reason"] for row in await ear.rows("SELECT reason FROM waiting ORDER BY subject")]
        assert ["value" in reasons[0], "NotNullViolation" in reasons[1], "DataError" in reasons[2]] == [True] * 3
        assert person not in "".join(reasons)
        assert "056090000001" not in "".join(reasons)


class TestConflict:
    """PostgreSQL ends a transaction because it met another one."""

    @pytest.mark.parametrize("state", ["40001", "40P01"])
    async def test_is_tried_again_at_once(self, ear: Side, state: str) -> None:
        left = [3]

        async def conflicted(work: Work, event: Event[Grown]) -> None:
            if left[0]:
                left[0] -= 1
                await work.session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION '' USING ERRCODE = '{state}'; END $$"))
            await on_grown(work, event)

        await inbox_of(ear, conflicted).take(series("a", 1, 2))
        assert await ear.seen("a") == [1, 2]
        assert await ear.count("waiting") == 0

    async def test_that_never_ends_waits_as_any_failure(self, ear: Side) -> None:
        async def conflicted(work: Work, _: Event[Grown]) -> None:
            await work.session.execute(text("DO $$ BEGIN RAISE EXCEPTION '' USING ERRCODE = '40001'; END $$"))

        await inbox_of(ear, conflicted).take([raw("a", 1)])
        assert await ear.rows("SELECT subject FROM waiting") == [{"subject": "a"}]

    async def test_of_two_batches_ends_well_for_both(self, ear: Side) -> None:
        """A real deadlock: each batch holds what the other one wants."""
        await ear.grow("x", "y")
        holding = {"a": asyncio.Event(), "b": asyncio.Event()}

        async def lock_crosswise(work: Work, event: Event[Grown]) -> None:
            first, second = ("x", "y") if event.subject == "a" else ("y", "x")
            await work.session.get(Counter, first, with_for_update=True)
            holding[event.subject].set()
            await asyncio.gather(*(held.wait() for held in holding.values()))
            await work.session.get(Counter, second, with_for_update=True)
            await on_grown(work, event)

        inbox = inbox_of(ear, lock_crosswise)
        await asyncio.gather(inbox.take([raw("a", 1)]), inbox.take([raw("b", 1)]))
        assert await ear.seen_by_code() == {"a": [1], "b": [1]}
        assert await ear.count("waiting") == 0


class TestOutage:
    """The database goes away: no event has failed."""

    async def test_in_the_middle_of_a_batch_leaves_nothing(self, ear: Side) -> None:
        async with gate_before(ear.database.dsn) as gate:
            database = Database(gate.url, service="ear")
            cuts = [True]

            async def cut_once(work: Work, event: Event[Grown]) -> None:
                await on_grown(work, event)
                if event.data.value == 2 and cuts.pop():
                    gate.shut()

            inbox = Inbox(database, {Grown: cut_once}, plan=EAGER)
            events = series("a", 1, 2, 3)
            assert await _outage_of(inbox.take(events))
            assert [await ear.count(table) for table in ("inbox", "waiting", "seen")] == [0, 0, 0]
            await gate.open()
            cuts.append(False)
            await inbox.take(events)
            assert await ear.seen("a") == [1, 2, 3]
            await database.close()


class TestRace:
    """Two replicas hold the same event for a moment, as after a lost connection."""

    async def test_never_passes_an_event_that_the_other_one_sets_aside(self, ear: Side) -> None:
        """The claim waits for the other's transaction: what that set aside must be seen afterwards."""
        one, two = raw("a", 1, poison=True), raw("a", 2)
        async with ear.database.session() as other:
            await other.execute(text("INSERT INTO inbox VALUES (:id)"), {"id": one.id})
            taking = asyncio.create_task(ear.inbox().take([one, two]))
            await _until_somebody_waits(ear)
            await other.execute(WAIT, {"id": one.id, "body": one.body})
            await other.commit()
        await taking
        assert await ear.seen("a") == []
        assert [w["sequence"] for w in await ear.rows("SELECT sequence FROM waiting ORDER BY id")] == [1, 2]


async def _outage_of(taking: Awaitable[None]) -> bool:
    try:
        await taking
    except Exception as problem:
        return is_outage(problem)
    return False


WAIT = text(
    "INSERT INTO waiting (event_id, subject, type, source, sequence, time, body, reason, attempts, waiting_since,"
    " next_attempt_at) VALUES (:id, 'a', 'toy.counter.grown.v1', 'toy', 1, now(), :body, 'x', 1, now(), now())"
)


async def _until_somebody_waits(side: Side) -> None:
    locked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(10):
        while not await side.rows(locked):
            await asyncio.sleep(0.01)
