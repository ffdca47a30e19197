"""kill -9 at the four points where a careless system loses or doubles something."""

import asyncio
import os
import signal
import sys

from shared.writes import Writer
from tests.faults.mortal import CODE, write_of_it
from tests.support.bus import Side, declare, drain, running

LIMIT_S = 60


async def die_at(point: str, side: Side, amqp_url: str) -> None:
    """Run a process on a side's database until it kills itself at a point."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.mortal",
        point,
        side.database.dsn,
        amqp_url,
        env={**os.environ, "SIDE": side.name},
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            assert await process.wait() == -signal.SIGKILL
    finally:
        if process.returncode is None:
            process.kill()


class TestWrite:
    async def test_that_dies_before_its_commit_has_left_nothing(self, toy: Side, amqp_url: str) -> None:
        await die_at("before_commit", toy, amqp_url)
        assert [await toy.count(table) for table in ("counter", "outbox", "status_change", "idempotency_key")] == [
            0
        ] * 4

        answer = await Writer(toy.database).alone(write_of_it())
        assert (bytes(answer.body), await toy.count("outbox")) == (b"1", 1)

    async def test_that_dies_after_its_commit_is_found_by_its_key(self, toy: Side, amqp_url: str) -> None:
        await die_at("after_commit", toy, amqp_url)
        assert [await toy.count(table) for table in ("counter", "outbox", "status_change")] == [1] * 3

        answer = await Writer(toy.database).alone(write_of_it())
        assert (bytes(answer.body), answer.headers["Idempotency-Replayed"]) == (b"1", "true")
        assert (await toy.rows("SELECT value FROM counter"))[0]["value"] == 1
        assert await toy.count("outbox") == 1


class TestRelay:
    async def test_that_dies_before_deleting_a_confirmed_row_causes_no_second_effect(
        self, toy: Side, ear: Side, amqp_url: str
    ) -> None:
        await declare(ear, amqp_url)
        await toy.grow(CODE)
        await toy.grow(CODE)
        await die_at("before_delete", toy, amqp_url)
        assert await toy.count("outbox") == 2

        async with running(toy.relay(amqp_url).run(), ear.consumer(amqp_url).run()):
            await drain(toy, ear)
            await toy.grow(CODE)
            await drain(toy, ear)
        assert await ear.seen(CODE) == [1, 2, 3]


class TestConsumer:
    async def test_that_dies_before_its_ack_handles_nothing_twice(self, toy: Side, ear: Side, amqp_url: str) -> None:
        await declare(ear, amqp_url)
        await toy.grow(CODE)
        async with running(toy.relay(amqp_url).run()):
            await die_at("before_ack", ear, amqp_url)
            assert await ear.seen(CODE) == [1]

            await toy.grow(CODE)
            async with running(ear.consumer(amqp_url).run()):
                await drain(toy, ear)
        assert await ear.seen(CODE) == [1, 2]
