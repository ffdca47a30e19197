"""The relay: in order, confirmed before a row is gone, and one at a time."""

import asyncio
from dataclasses import replace
from time import monotonic

from shared.db import Database
from tests.support.assertions import eventually
from tests.support.bus import Side, declare, drain, running
from tests.support.gate import Gate, gate_before
from tests.support.process import process_of
from tests.support.queues import spying
from tests.support.toy import Filled, Grown, raw

CODES = [f"s{n}" for n in range(7)]


def each(*values: int) -> dict[str, list[int]]:
    """Return these values for every code."""
    return {code: list(values) for code in CODES}


async def emptied(side: Side) -> None:
    async def empty() -> bool:
        return not await side.count("outbox")

    await eventually(empty, within_s=20)


class TestOrder:
    """Each dossier's events leave in the order of their numbers."""

    async def test_is_kept_over_many_windows(self, toy: Side, amqp_url: str) -> None:
        await toy.tell([raw(code, value) for value in range(1, 31) for code in CODES])
        async with spying(amqp_url) as spy, running(toy.relay(amqp_url, window=16).run()):
            await spy.has(210)
            await emptied(toy)
            assert {code: spy.sequences(code) for code in CODES} == each(*range(1, 31))

    async def test_is_kept_while_writers_write(self, toy: Side, amqp_url: str) -> None:
        """What commits later has the greater number, whatever the order of the transactions' beginnings."""

        async def write() -> None:
            for _ in range(5):
                await toy.grow(*CODES)

        await toy.grow(*CODES)
        async with spying(amqp_url) as spy, running(toy.relay(amqp_url, window=3).run()):
            await asyncio.gather(*(write() for _ in range(6)))
            await spy.has(31 * 7)
            assert {code: spy.sequences(code) for code in CODES} == each(*range(1, 32))


class TestBody:
    """What was written is what arrives."""

    async def test_of_any_size_and_script_arrives_whole(self, toy: Side, amqp_url: str) -> None:
        """Larger than a frame (131,072 bytes), empty, at a frame's very edge, and in Vietnamese."""
        bodies = [b"", b"x" * 1_000_000, b"y" * (131_072 - 8), b"z" * (131_072 - 7), "Hồ sơ Đặng Thị Ửng".encode() * 9]
        events = [replace(raw("Hồ sơ số 1", n), body=body) for n, body in enumerate(bodies, start=1)]
        await toy.tell(events)
        async with spying(amqp_url) as spy, running(toy.relay(amqp_url).run()):
            await spy.has(len(bodies))
            assert spy.events == events
            first = spy.messages[0]
        assert (first.content_type, first.delivery_mode, first.message_id) == (
            "application/json",
            2,
            str(events[0].id),
        )
        assert first.routing_key == events[0].type


class TestConfirm:
    """A row leaves the outbox after the broker has the message, and not before."""

    async def test_killed_between_publish_and_delete_it_publishes_again_with_one_effect(
        self, toy: Side, ear: Side, amqp_url: str
    ) -> None:
        """Its message goes through, the word to delete the row does not: at that moment the process dies."""
        await declare(ear, amqp_url)
        async with (
            spying(amqp_url) as spy,
            gate_before(toy.database.dsn) as database_gate,
            gate_before(amqp_url) as broker_gate,
        ):
            behind_gate = Side(Database(database_gate.url, service="toy"))
            with process_of("relay", behind_gate, broker_gate.url) as process:
                await toy.grow(*CODES)
                await emptied(toy)
                broker_gate.freeze()
                await toy.grow(*CODES)
                await _until_the_relay_has_told(broker_gate, Grown.event_type)
                database_gate.freeze()
                broker_gate.thaw()
                await spy.has(14)
                process.kill()
            database_gate.shut()
            assert await toy.count("outbox") == 7
            async with running(toy.relay(amqp_url).run(), ear.consumer(amqp_url).run()):
                await drain(toy, ear)
            assert len(spy.messages) == 21
        assert await ear.seen_by_code() == each(1, 2)

    async def test_unroutable_message_keeps_its_row_until_somebody_listens(self, toy: Side, amqp_url: str) -> None:
        await toy.tell([raw("a", 1), raw("a", 2)])
        async with spying(amqp_url, "of.something.else"), running(toy.relay(amqp_url).run()):
            await _until_the_relay_has_tried(toy)
            assert await toy.count("outbox") == 2
            async with spying(amqp_url) as spy:
                await spy.has(2)
                await emptied(toy)
                assert spy.sequences("a")[-2:] == [1, 2]

    async def test_unroutable_message_does_not_flood_the_others_listeners(self, toy: Side, amqp_url: str) -> None:
        """Its window goes out again as a whole, after ever longer pauses: 0.2, 0.4, 0.8 and 1.6 s before the fifth."""
        await toy.tell([raw("a", 1), raw("b", 1, data=Filled(value=1))])
        async with spying(amqp_url, raw("a", 1).type) as spy:
            started = monotonic()
            async with running(toy.relay(amqp_url).run()):
                await spy.has(5)
            assert monotonic() - started > 2.9

    async def test_broker_lost_and_found_loses_nothing(self, toy: Side, ear: Side, amqp_url: str) -> None:
        await declare(ear, amqp_url)
        async with gate_before(amqp_url) as gate, running(toy.relay(gate.url).run(), ear.consumer(amqp_url).run()):
            for turn in range(4):
                await toy.grow(*CODES)
                gate.shut()
                await toy.grow(*CODES)
                await gate.open()
                if turn % 2:
                    await drain(toy, ear)
            await drain(toy, ear)
        assert await ear.seen_by_code() == each(*range(1, 9))

    async def test_database_lost_and_found_loses_nothing(self, toy: Side, ear: Side, amqp_url: str) -> None:
        await declare(ear, amqp_url)
        async with gate_before(toy.database.dsn) as gate:
            behind_gate = Side(Database(gate.url, service="toy"))
            async with running(behind_gate.relay(amqp_url).run(), ear.consumer(amqp_url).run()):
                for _ in range(3):
                    await toy.grow(*CODES)
                    gate.shut()
                    await toy.grow(*CODES)
                    await gate.open()
                    await drain(toy, ear)
            await behind_gate.database.close()
        assert await ear.seen_by_code() == each(*range(1, 7))


class TestStandby:
    """One relay of a service is active; another takes over when it is gone."""

    async def test_takes_over_from_a_killed_leader(self, toy: Side, amqp_url: str) -> None:
        async with spying(amqp_url) as spy:
            with process_of("relay", toy, amqp_url) as leader:
                await toy.grow("a")
                await spy.has(1)
                second = toy.relay(amqp_url)
                async with running(second.run()):
                    await _until(lambda: second.standby)
                    await toy.grow("a")
                    await spy.has(2)
                    await emptied(toy)
                    assert not second.connected
                    leader.kill()
                    await toy.grow("a")
                    await spy.has(3)
                    assert second.connected
                    assert not second.standby
            assert spy.sequences("a") == [1, 2, 3]

    async def test_that_lost_its_database_is_no_standby(self, toy: Side, amqp_url: str) -> None:
        """Readiness must not call a relay well that neither leads nor could take over."""
        async with gate_before(toy.database.dsn) as gate:
            behind_gate = Side(Database(gate.url, service="toy"))
            leader, second = toy.relay(amqp_url), behind_gate.relay(amqp_url)
            async with running(leader.run()):
                await _until(lambda: leader.connected)
                async with running(second.run()):
                    await _until(lambda: second.standby)
                    gate.shut()
                    await _until(lambda: not second.standby)
            await behind_gate.database.close()


async def _until(condition: object) -> None:
    async def holds() -> bool:
        return bool(condition())  # type: ignore[operator]

    await eventually(holds)


async def _until_the_relay_has_told(gate: Gate, type_: str) -> None:
    """Wait until it waits for confirms: its window stands before the broker's frozen gate."""

    async def has_told() -> bool:
        return type_.encode() in gate.held

    await eventually(has_told)


async def _until_the_relay_has_tried(side: Side) -> None:
    """Wait for its second leadership: the first ended with what could not be routed."""
    statement = "SELECT backend_start FROM pg_stat_activity WHERE application_name = 'motcua-toy-own'"
    seen: set[object] = set()

    async def twice() -> bool:
        seen.update(row["backend_start"] for row in await side.rows(statement))
        return len(seen) > 1

    await eventually(twice)
