"""The consumer: once, in order, and acknowledged after the commit, through everything that breaks."""

import asyncio
from collections import Counter as Tally
from dataclasses import replace
from typing import Any

import pytest

from shared.broker import Broker as Seam
from shared.broker import BrokerAway
from shared.consumer import Consumer
from shared.db import Database
from shared.events.envelope import Event, RawEvent
from shared.inbox import Inbox
from shared.work import Work
from tests.support.assertions import eventually
from tests.support.bus import EAGER, Side, declare, drain, running
from tests.support.gate import gate_before
from tests.support.process import process_of
from tests.support.queues import count_in, messages_in
from tests.support.servers import Broker
from tests.support.toy import CURED, Grown, on_grown, raw

CODES = [f"H32.14-260407-{n:04}" for n in range(40)]


async def publish(amqp_url: str, *events: RawEvent) -> None:
    async with Seam(amqp_url, service="tester").channel("test") as channel:
        await channel.publish(events)


async def has_seen(side: Side, count: int, *, within_s: float = 30) -> None:
    async def enough() -> bool:
        return await side.count("seen") >= count

    await eventually(enough, within_s=within_s)


class TestDuplicates:
    """The bus may bring an event more than once."""

    async def test_fifty_deliveries_at_once_have_one_effect(self, ear: Side, amqp_url: str) -> None:
        """Published over ten connections; three replicas listen, and each handles what it is given."""
        await declare(ear, amqp_url, partitions=4)
        events = [raw(code, 1) for code in CODES[:8]]
        replicas = [ear.consumer(amqp_url, partitions=4) for _ in range(3)]
        async with running(*(replica.run() for replica in replicas)):
            await asyncio.gather(*(publish(amqp_url, *events, *events, *events, *events, *events) for _ in range(10)))
            await publish(amqp_url, *(raw(f"end{n}", 1) for n in range(64)))
            await has_seen(ear, 8 + 64)
        assert Tally(await _codes(ear)) == Tally([*CODES[:8], *(f"end{n}" for n in range(64))])

    async def test_redelivered_after_a_lost_acknowledgement_has_one_effect(self, ear: Side, amqp_url: str) -> None:
        """The commit is done, the acknowledgement never arrives."""
        await declare(ear, amqp_url)
        async with gate_before(amqp_url) as gate:

            async def freeze(work: Work, event: Event[Grown]) -> None:
                await on_grown(work, event)
                gate.freeze()

            inbox = ear.inbox({Grown: freeze})
            async with running(ear.consumer(gate.url, inbox=inbox).run()):
                await publish(amqp_url, raw("a", 1), raw("a", 2))
                await has_seen(ear, 2)
                gate.shut()
        async with running(ear.consumer(amqp_url).run()):
            await publish(amqp_url, raw("a", 3))
            await has_seen(ear, 3)
        assert await ear.seen("a") == [1, 2, 3]


class TestOrder:
    """Each dossier's events are handled in order, whoever handles them."""

    async def test_is_kept_when_one_of_two_replicas_dies_half_way(
        self, toy: Side, ear: Side, broker: Broker, amqp_url: str
    ) -> None:
        """Four partitions, two processes, 4,000 events of 40 dossiers; one is killed with messages in its hands."""
        await declare(ear, amqp_url, partitions=4)
        await toy.tell([raw(code, value) for value in range(1, 101) for code in CODES])
        with process_of("consumer", ear, amqp_url, partitions=4) as first:
            await _until_consumers(broker, amqp_url, 4)
            with process_of("consumer", ear, amqp_url, partitions=4):
                await _until_consumers(broker, amqp_url, 8)
                async with running(toy.relay(amqp_url, window=100).run()):
                    await has_seen(ear, 800)
                    first.kill()
                    assert await ear.count("seen") < 4000
                    await has_seen(ear, 4000, within_s=60)
        assert await ear.seen_by_code() == {code: list(range(1, 101)) for code in CODES}
        assert await ear.count("waiting") == 0

    async def test_is_kept_around_a_poison_event_and_after_its_fix(self, toy: Side, ear: Side, amqp_url: str) -> None:
        """One dossier parks, a thousand events of others pass; after the fix it resumes where it stood."""
        poison = CODES[3]
        await declare(ear, amqp_url, partitions=2)
        await toy.tell([raw(c, value, poison=(c, value) == (poison, 5)) for value in range(1, 26) for c in CODES])
        async with running(toy.relay(amqp_url).run(), ear.consumer(amqp_url, partitions=2).run()):
            await drain(toy, ear)
            await eventually(lambda: ear.rows("SELECT 1 FROM waiting WHERE parked_at IS NOT NULL"))
            seen = await ear.seen_by_code()
            assert seen.pop(poison) == [1, 2, 3, 4]
            assert list(seen.values()) == [list(range(1, 26))] * 39
            CURED.add(poison)
            await ear.rows("UPDATE waiting SET parked_at = NULL, attempts = 0, next_attempt_at = now()")
            await has_seen(ear, 1000)
        assert await ear.seen(poison) == list(range(1, 26))


class TestUnreadable:
    """What is no event of ours goes to the dead letters, and nothing else does."""

    async def test_lies_in_the_dead_letters_as_it_came(self, ear: Side, amqp_url: str) -> None:
        await declare(ear, amqp_url)
        garbage = replace(raw("a", 9), source="", body="Hồ sơ".encode())
        async with running(ear.consumer(amqp_url).run()):
            await publish(amqp_url, raw("a", 1), garbage, raw("a", 2), garbage, garbage)
            await has_seen(ear, 2)
            await eventually(lambda: _holds(amqp_url, "ear.unreadable", 3))
        dead = await messages_in(amqp_url, "ear.unreadable")
        assert [message.body for message in dead] == [garbage.body] * 3
        assert dead[0].headers["ce-subject"] == "a"
        assert await ear.seen("a") == [1, 2]
        assert await ear.count("waiting") == 0

    async def test_body_that_does_not_fit_waits_in_its_dossiers_order(self, ear: Side, amqp_url: str) -> None:
        """Whose it is can be read: dropping it would break the dossier's order."""
        await declare(ear, amqp_url)
        async with running(ear.consumer(amqp_url).run()):
            await publish(amqp_url, raw("a", 1), replace(raw("a", 2), body=b"{}"), raw("a", 3), raw("b", 1))
            await has_seen(ear, 2)
            await eventually(lambda: ear.rows("SELECT 1 FROM waiting HAVING count(*) = 2"))
        assert await ear.seen_by_code() == {"a": [1], "b": [1]}


class TestOutage:
    """Nothing is acknowledged, nothing waits, and work resumes by itself."""

    async def test_of_the_database_in_the_middle_of_a_batch(self, ear: Side, amqp_url: str) -> None:
        await declare(ear, amqp_url)
        async with gate_before(ear.database.dsn) as gate:
            database = Database(gate.url, service="ear")
            cuts = [True]

            async def cut_once(work: Work, event: Event[Grown]) -> None:
                await on_grown(work, event)
                if event.data.value == 3 and cuts:
                    cuts.clear()
                    gate.shut()

            consumer = Consumer(Inbox(database, {Grown: cut_once}, plan=EAGER), Seam(amqp_url, service="ear"))
            await publish(amqp_url, *(raw("a", value) for value in range(1, 6)))
            async with running(consumer.run()):
                await eventually(lambda: _is_empty(cuts))
                assert [await ear.count(table) for table in ("inbox", "seen", "waiting")] == [0, 0, 0]
                await gate.open()
                await has_seen(ear, 5)
            await database.close()
        assert await ear.seen("a") == [1, 2, 3, 4, 5]
        assert await ear.count("waiting") == 0

    async def test_of_the_broker_ends_with_every_lane_back(self, ear: Side, amqp_url: str) -> None:
        await declare(ear, amqp_url, partitions=3)
        async with gate_before(amqp_url) as gate:
            consumer = ear.consumer(gate.url, partitions=3)
            async with running(consumer.run()):
                for turn in range(3):
                    await eventually(lambda: _is(consumer, healthy=True))
                    gate.shut()
                    await eventually(lambda: _is(consumer, healthy=False))
                    await gate.open()
                    await publish(amqp_url, *(raw(code, turn + 1) for code in CODES))
                await has_seen(ear, 3 * 40)
        assert await ear.seen_by_code() == {code: [1, 2, 3] for code in CODES}

    async def test_of_a_deleted_queue_ends_with_it_declared_again(
        self, ear: Side, broker: Broker, amqp_url: str
    ) -> None:
        """The broker cancels the consumer; the connection itself stays."""
        vhost = amqp_url.rpartition("/")[2]
        consumer = ear.consumer(amqp_url)
        async with running(consumer.run()):
            await eventually(lambda: _is(consumer, healthy=True))
            await asyncio.to_thread(broker.call, "DELETE", f"/api/queues/{vhost}/ear.events.0")
            await eventually(lambda: _is(consumer, healthy=False))
            await eventually(lambda: _is(consumer, healthy=True))
            await publish(amqp_url, raw("a", 1))
            await has_seen(ear, 1)

    async def test_of_a_broker_that_freezes_while_asked_is_an_end_of_the_connection(self, amqp_url: str) -> None:
        """Its client cancels whoever waits for an answer: a lane that took that for its own end would never be back."""
        async with gate_before(amqp_url) as gate:
            seam = Seam(gate.url, service="ear", heartbeat_s=1)

            async def ask() -> None:
                async with seam.channel("test") as channel:
                    gate.freeze()
                    await seam.declare(channel, [])

            asking = asyncio.create_task(ask())
            with pytest.raises(BrokerAway):
                await asking

    async def test_of_a_broker_does_not_hide_that_one_is_cancelled(self, amqp_url: str) -> None:
        started = asyncio.Event()

        async def hold() -> None:
            async with Seam(amqp_url, service="ear").channel("test"):
                started.set()
                await asyncio.Event().wait()

        holding = asyncio.create_task(hold())
        await started.wait()
        holding.cancel()
        await asyncio.wait([holding])
        assert holding.cancelled()


class TestBacklog:
    """Work that piled up."""

    async def test_of_20000_events_drains(self, toy: Side, ear: Side, amqp_url: str) -> None:
        subjects = [f"s{n}" for n in range(500)]
        await declare(ear, amqp_url, partitions=2)
        await toy.tell([raw(subject, value) for value in range(1, 41) for subject in subjects])
        async with running(toy.relay(amqp_url).run()):
            await eventually(lambda: _has_told_all(toy), within_s=60)
        async with running(ear.consumer(amqp_url, partitions=2).run()):
            await has_seen(ear, 20_000, within_s=100)
        assert await ear.seen_by_code() == {subject: list(range(1, 41)) for subject in subjects}


async def _codes(side: Side) -> list[str]:
    return [row["code"] for row in await side.rows("SELECT code FROM seen")]


async def _is_empty(things: list[Any]) -> bool:
    return not things


async def _has_told_all(side: Side) -> bool:
    return not await side.count("outbox")


async def _is(consumer: Consumer, *, healthy: bool) -> bool:
    return consumer.healthy is healthy


async def _holds(amqp_url: str, queue: str, count: int) -> bool:
    return await count_in(amqp_url, queue) == count


async def _until_consumers(broker: Broker, amqp_url: str, count: int) -> None:
    """Wait until so many listen, in charge of their queue or in waiting."""
    vhost = amqp_url.rpartition("/")[2]

    async def there() -> bool:
        return len(await asyncio.to_thread(broker.call, "GET", f"/api/consumers/{vhost}")) == count

    await eventually(there, within_s=30)
