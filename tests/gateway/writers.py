"""Many writers of the feed at once, in a process of their own: the gateway's own way in, with long transactions.

What each writer will have written follows from its number and how much it is to write, so that a test knows the truth.
"""

import asyncio
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.consumers import HANDLERS
from gateway.operations.folding import fold, preload, write_changes
from shared.db import Database
from shared.events.envelope import Event, RawEvent
from shared.inbox import Inbox
from shared.work import Work
from tests.gateway.hall import EAGER
from tests.gateway.lives import ENDINGS, Life

ROOT = Path(__file__).parents[2]
STRUCK_OFF = "intake.dossier.retracted.v1"
TOGETHER = 40
"""So many dossiers of one writer move at a time."""


def lives_of(writer: int, changes: int) -> Iterator[Life]:
    """Yield the dossiers that a writer leads to their ends: at least so many changes."""
    chance, written, agency = random.Random(writer), 0, f"H32.{writer}"
    endings = sorted(ENDINGS)
    while written < changes:
        number = chance.randrange(10)
        code = f"{agency}-{260101 + written // 9000}-{written % 9000:04}"
        life = ENDINGS[endings[chance.randrange(len(endings))] if number else "retracted"](Life(code, agency))
        written += len(life.events)
        yield life


def batches_of(writer: int, changes: int) -> Iterator[list[RawEvent]]:
    """Yield what a writer commits together: events of some of its dossiers, each dossier's in order."""
    chance, source = random.Random(-writer - 1), lives_of(writer, changes)
    moving: list[list[RawEvent]] = []
    while True:
        while len(moving) < TOGETHER and (life := next(source, None)):
            moving.append(list(life.events))
        if not moving:
            return
        batch: list[RawEvent] = []
        for events in moving[: chance.randint(1, TOGETHER)]:
            most = chance.randint(1, len(events))
            batch += events[:most]
            del events[:most]
        chance.shuffle(moving)
        moving = [events for events in moving if events]
        yield batch


async def write(database: Database, writer: int, changes: int, linger_s: float) -> None:
    """Write everything of one writer; some transactions stay open for long, before or after they take their place."""
    chance = random.Random(writer * 7919)

    async def linger(_: AsyncSession | None = None) -> None:
        if chance.random() < 0.2:
            await asyncio.sleep(min(chance.expovariate(1 / linger_s), 20 * linger_s))

    async def slow_preload(work: Work, events: Sequence[RawEvent]) -> None:
        await preload(work, events)
        await linger()

    async def slow_fold(work: Work, event: Event[Any]) -> None:
        await fold(work, event)
        if work.session.info.setdefault("lingers", event.id) == event.id and chance.random() < 0.05:
            # After the feed's last step, with its lock in hand.
            work.last_steps.append(linger)

    inbox = Inbox(database, dict.fromkeys(HANDLERS, slow_fold), preload=slow_preload, plan=EAGER)
    for batch in batches_of(writer, changes):
        await inbox.take(batch)


async def write_feed(database: Database, writer: int, changes: int, linger_s: float) -> None:
    """Write the same to the feed alone, by the function that folding writes it with."""
    chance = random.Random(writer * 7919)
    for batch in batches_of(writer, changes):
        async with database.session() as session:
            await session.execute(text("SELECT txid_current()"))
            if chance.random() < 0.2:
                await asyncio.sleep(min(chance.expovariate(1 / linger_s), 20 * linger_s))
            await write_changes(session, [_change(event) for event in batch])
            if chance.random() < 0.01:
                await asyncio.sleep(chance.uniform(0, linger_s / 10))
            if chance.random() < 0.02:
                # Another transaction takes its place: positions that were given are never seen.
                await session.rollback()
                await write_changes(session, [_change(event) for event in batch])
            await session.commit()


def _change(event: RawEvent) -> dict[str, Any]:
    agency = event.subject.partition("-")[0]
    return {
        "dossier_code": event.subject,
        "agency_code": agency,
        "procedure_code": "1.004222",
        "event_type": event.type,
        "happened_at": event.time,
        "portal_status": None,
        "version": 1,
        "deleted": event.type == STRUCK_OFF,
        "detail": {},
    }


class Writers:
    """Processes that write side by side."""

    def __init__(self, url: str, *, processes: int, writers: int, changes: int, linger_s: float, way: str) -> None:
        share = writers // processes
        self._commands = [
            [sys.executable, "-m", __name__, url, str(at * share), str(share), str(changes), str(linger_s), way]
            for at in range(processes)
        ]
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Let them begin."""
        self._running = [subprocess.Popen(one, cwd=ROOT) for one in self._commands]

    def done(self) -> bool:
        """Tell whether all have written everything."""
        codes = [one.poll() for one in self._running]
        assert not any(codes), "a writer failed"
        return all(code == 0 for code in codes)

    def kill(self) -> None:
        """End those that still run."""
        for one in self._running:
            if one.poll() is None:
                one.kill()
                one.wait()


WAYS = {"folding": write, "feed": write_feed}


async def _main(url: str, first: int, writers: int, changes: int, linger_s: float, way: str) -> None:
    database = Database(url, service="gateway", connections_max=writers)
    await asyncio.gather(*(WAYS[way](database, first + nth, changes, linger_s) for nth in range(writers)))
    await database.close()


if __name__ == "__main__":
    _url, *_numbers, _linger_s, _way = sys.argv[1:]
    _first, _writers, _changes = map(int, _numbers)
    asyncio.run(_main(_url, _first, _writers, _changes, float(_linger_s), _way))
