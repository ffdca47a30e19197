"""The toy on real servers: one side tells, one listens, each with a database; relay and consumer on demand."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text

from shared.broker import Broker
from shared.caller import Caller
from shared.consumer import Consumer
from shared.db import PLUMBING, Database
from shared.events.envelope import RawEvent
from shared.inbox import Handlers, Inbox, RetryPlan
from shared.migrations import create_plumbing_v1
from shared.relay import Relay
from shared.work import open_work
from tests.support.assertions import eventually
from tests.support.toy import HANDLERS, ToyBase, grow

CALLER = Caller("tester")
EAGER = RetryPlan(first_s=0.02, last_s=0.05, attempts_max=4)
"""A retry plan for people without patience."""


class Side:
    """One service of the toy: its database, and what its tables hold."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.name = database.service

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Return the rows of a statement, which is committed."""
        async with self.database.session() as session:
            connection = await session.connection()
            result = await connection.execute(text(statement), values)
            found = list(result.mappings()) if result.returns_rows else []
            await session.commit()
            return found

    async def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return (await self.rows(f"SELECT count(*) AS n FROM {table}"))[0]["n"]

    async def seen(self, code: str | None = None) -> list[int]:
        """Return the values seen, in order, of one counter or of all."""
        rows = await self.rows("SELECT code, value FROM seen ORDER BY nth")
        return [row["value"] for row in rows if code in {None, row["code"]}]

    async def seen_by_code(self) -> dict[str, list[int]]:
        """Return the values seen of every counter, in order."""
        found: dict[str, list[int]] = {}
        for row in await self.rows("SELECT code, value FROM seen ORDER BY nth"):
            found.setdefault(row["code"], []).append(row["value"])
        return found

    async def grow(self, *codes: str, poison: bool = False, traceparent: str | None = None) -> None:
        """Let counters grow by one each, in one transaction."""
        async with open_work(self.database, CALLER, traceparent=traceparent) as work:
            for code in codes:
                await grow(work, code=code, poison=poison)
                await work.session.flush()

    def inbox(self, handlers: Handlers = HANDLERS, *, plan: RetryPlan = EAGER) -> Inbox:
        """Return an inbox of this side."""
        return Inbox(self.database, handlers, plan=plan)

    def relay(self, amqp_url: str, *, window: int = 500) -> Relay:
        """Return a relay of this side."""
        return Relay(self.database, Broker(amqp_url, service=self.name), window=window)

    def consumer(self, amqp_url: str, *, partitions: int = 1, inbox: Inbox | None = None) -> Consumer:
        """Return a consumer of this side."""
        return Consumer(inbox or self.inbox(), Broker(amqp_url, service=self.name, partitions=partitions))

    async def tell(self, events: Iterable[RawEvent]) -> None:
        """Put many events into the outbox as they are, faster than operations could."""
        names = ("event_id", "type", "subject", "sequence", "time", "body")
        rows = [(e.id, e.type, e.subject, e.sequence, e.time, e.body) for e in events]
        connection = await self.database.connect()
        try:
            await connection.copy_records_to_table("outbox", records=rows, columns=names)
        finally:
            await connection.close()


async def create_tables(database: Database) -> None:
    """Create the plumbing as a service's first migration does, and the toy's own tables."""

    class Statements:
        """What create_plumbing_v1 needs of alembic's `op`."""

        def __init__(self, connection: Any) -> None:
            self.execute = connection.exec_driver_sql

    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: create_plumbing_v1(Statements(sync)))
        await connection.run_sync(ToyBase.metadata.create_all)


async def clear(*sides: Side) -> None:
    """Empty every table."""
    for side in sides:
        tables = [*ToyBase.metadata.sorted_tables, *PLUMBING.sorted_tables]
        async with side.database.session() as session:
            for table in tables:
                await session.execute(table.delete())
            await session.commit()


@asynccontextmanager
async def running(*loops: Coroutine[Any, Any, None]) -> AsyncIterator[Sequence[asyncio.Task[None]]]:
    """Run endless loops while the block lasts; none of them may end by itself."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield tasks
        for task in tasks:
            assert not task.done() or task.cancelled(), task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def declare(side: Side, amqp_url: str, *, partitions: int = 1) -> None:
    """Declare a side's queues, so that what is told from now on reaches it."""
    broker = Broker(amqp_url, service=side.name, partitions=partitions)
    async with broker.channel("declare") as channel:
        await broker.declare(channel, side.inbox().handlers)


async def drain(speaker: Side, listener: Side, *, within_s: float = 20) -> None:
    """Wait until everything told so far has left the outbox and was taken, or waits, at the other end."""
    told = {row["event_id"] for row in await speaker.rows("SELECT event_id FROM outbox")}

    async def done() -> bool:
        if await speaker.count("outbox"):
            return False
        taken = {row["event_id"] for row in await listener.rows("SELECT event_id FROM inbox")}
        return told <= taken

    await eventually(done, within_s=within_s)
