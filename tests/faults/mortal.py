"""A process of the toy that kills itself at a point: `python -m tests.faults.mortal POINT DATABASE AMQP`.

Points: before_commit and after_commit of a write, before_delete of a relayed window, before_ack of a handled batch.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from fastapi import Response

from shared.broker import Broker, Channel
from shared.caller import Caller
from shared.consumer import Consumer
from shared.db import Database
from shared.inbox import Inbox
from shared.relay import Relay
from shared.work import Work
from shared.writes import Write, Writer, fingerprint
from tests.support.toy import HANDLERS, grow

KEY = "the-one-key"
CODE = "C1"


def die() -> None:
    """End at once, as by a power cut."""
    os.kill(os.getpid(), signal.SIGKILL)


async def grow_once(work: Work) -> Response:
    """Be the effect of a call: the counter grows, the answer says to what."""
    counter = await grow(work, code=CODE)
    return Response(str(counter.value), media_type="text/plain")


def write_of_it() -> Write:
    """Return the call, always the same one."""
    return Write(Caller("tester"), KEY, fingerprint("POST", "/counters", b"{}"), grow_once)


class MortalWork(Work):
    """Dies around its commit."""

    point = ""

    async def commit(self) -> None:
        """Flush everything, and die before or after the commit itself."""
        if self.point == "before_commit":
            self.last_steps.append(_die_last)
        await Work.commit(self)
        die()


async def _die_last(_session: object) -> None:
    die()


class MortalRelay(Relay):
    """Dies when a window is confirmed and still in the outbox."""

    async def _publish(self, rows: Sequence[Any], channel: Channel) -> list[int]:
        await super()._publish(rows, channel)
        die()
        return []


class MortalChannel(Channel):
    """Dies when a batch is committed and not yet acknowledged."""

    async def acknowledge(self, delivery_tag: int) -> None:
        """Die instead of acknowledging."""
        del delivery_tag
        die()


async def run(point: str, database_url: str, amqp_url: str) -> None:
    """Go on until the point is reached."""
    database = Database(database_url, service=os.environ["SIDE"])
    broker = Broker(amqp_url, service=database.service)
    if point == "before_delete":
        await MortalRelay(database, broker).run()
    elif point == "before_ack":
        Channel.acknowledge = MortalChannel.acknowledge  # type: ignore[method-assign]
        await Consumer(Inbox(database, HANDLERS), broker).run()
    else:
        from shared import writes  # noqa: PLC0415 - only this point replaces the unit of work

        MortalWork.point = point
        writes.Work = MortalWork  # type: ignore[misc]
        await Writer(database).alone(write_of_it())


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:4]))
