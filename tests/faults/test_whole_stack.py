"""The whole stack under live traffic while its processes are killed, stopped and frozen: the demo's proof must hold."""

import asyncio
import time
from collections.abc import Callable

import pytest

from deploy.demo.report import passed
from deploy.demo.run import Outcome, run
from tests.support.stack import Stack

pytestmark = pytest.mark.timeout(420)
LIVES = 30
HEARTBEAT_S = 10
SERVICES = ("intake", "workflow", "payment", "results", "gateway")


class Silent:
    """Shows nothing."""

    def step(self, done: int, total: int, words: str) -> None:
        """Show nothing."""


async def live_through(stack: Stack, mishap: Callable[[], None]) -> Outcome:
    """Lead lives while a mishap happens, twice: early and in the middle."""

    async def trouble() -> None:
        await asyncio.sleep(1)
        await asyncio.to_thread(mishap)

    outcome, _ = await asyncio.gather(run(stack.facts, LIVES, Silent()), trouble())
    return outcome


def nothing_wrong(outcome: Outcome) -> bool:
    """Tell whether every life ended as planned and everybody knows the same; show what does not fit."""
    assert outcome.failures == []
    assert outcome.proof.differences == []
    assert outcome.ended == outcome.planned
    return passed(outcome)


class TestLives:
    async def test_go_on_when_every_service_is_killed(self, stack: Stack) -> None:
        def mishap() -> None:
            for name in SERVICES:
                stack.control.kill(name)
                stack.control.wait_ready(name)

        assert nothing_wrong(await live_through(stack, mishap))

    async def test_go_on_when_the_broker_is_stopped_and_started(self, stack: Stack) -> None:
        def mishap() -> None:
            stack.control.stop("rabbitmq")
            time.sleep(2)
            stack.control.start("rabbitmq")

        assert nothing_wrong(await live_through(stack, mishap))

    async def test_go_on_when_the_broker_is_frozen_past_its_heartbeat(self, stack: Stack) -> None:
        def mishap() -> None:
            stack.control.pause("rabbitmq")
            time.sleep(2.5 * HEARTBEAT_S)
            stack.control.resume("rabbitmq")

        assert nothing_wrong(await live_through(stack, mishap))

    async def test_go_on_when_postgresql_is_killed_and_restarts(self, stack: Stack) -> None:
        def mishap() -> None:
            stack.control.kill("postgres")
            stack.control.wait_ready("postgres")

        assert nothing_wrong(await live_through(stack, mishap))
