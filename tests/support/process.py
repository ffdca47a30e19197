"""One loop of the toy as a process of its own, to be killed as a power cut would: relay or consumer."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.db import Database
from tests.support.bus import Side

ROOT = Path(__file__).parents[2]


class Process:
    """A running loop."""

    def __init__(self, role: str, side: Side, amqp_url: str, partitions: int) -> None:
        arguments = [role, side.name, side.database.dsn, amqp_url, str(partitions)]
        self._popen = subprocess.Popen([sys.executable, "-m", __name__, *arguments], cwd=ROOT, env=os.environ)

    def kill(self) -> None:
        """End it at once: kill -9."""
        self._popen.send_signal(signal.SIGKILL)
        self._popen.wait()


@contextmanager
def process_of(role: str, side: Side, amqp_url: str, *, partitions: int = 1) -> Iterator[Process]:
    """Run a side's `relay` or `consumer` in a process of its own; it is killed at the end at the latest."""
    process = Process(role, side, amqp_url, partitions)
    try:
        yield process
    finally:
        process.kill()


async def run(role: str, name: str, database_url: str, amqp_url: str, partitions: str) -> None:
    """Run a loop until the process is killed."""
    side = Side(Database(database_url, service=name))
    if role == "relay":
        await side.relay(amqp_url).run()
    else:
        await side.consumer(amqp_url, partitions=int(partitions)).run()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
