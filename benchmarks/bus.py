"""The bus alone: relay beside raw publishing, handling beside raw consuming, batches beside one by one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from typing import ClassVar

import aio_pika
import asyncpg
from sqlalchemy import MetaData, text
from sqlalchemy.orm import Mapped, mapped_column

from benchmarks.figures import Figure
from benchmarks.scratch import Scratch
from shared import clock
from shared.broker import Broker
from shared.caller import Caller
from shared.consumer import Consumer
from shared.db import NAMES, PLUMBING, Base, Database
from shared.events.envelope import Event, EventData
from shared.inbox import Inbox
from shared.relay import Relay
from shared.work import Work, open_work

EVENTS = 10_000
ONE_BY_ONE_EVENTS = 500
SUBJECTS = 500
WINDOW = 500
ACK_EVERY = 200
BODY = "x" * 900
RUNS = 3


class Measured(EventData):
    """Something of about a kilobyte happened."""

    event_type: ClassVar[str] = "bench.thing.measured.v1"

    number: int
    padding: str


class BenchBase(Base):
    """Root of the one table here."""

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMES)


class Effect(BenchBase):
    """What handling an event does: one row."""

    __tablename__ = "effect"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    subject: Mapped[str]
    number: Mapped[int]


async def _take_effect(work: Work, event: Event[Measured]) -> None:
    work.session.add(Effect(subject=event.subject, number=event.data.number))


async def measure(scratch: Scratch) -> list[Figure]:
    """Return the figures of the bus, medians of three runs."""
    async with _databases(scratch) as (teller, listener):
        relayed, published, handled, consumed = [], [], [], []
        for _ in range(RUNS):
            published.append(await _raw_publish(scratch))
            consumed.append(await _raw_consume(scratch))
            await _declare(scratch, listener)
            await _fill_outbox(teller, EVENTS)
            relayed.append(await _relay(scratch, teller))
            handled.append(await _handle(scratch, listener, EVENTS, batch_max=200))
        await _fill_outbox(teller, ONE_BY_ONE_EVENTS)
        await _relay(scratch, teller)
        one_by_one = await _handle(scratch, listener, ONE_BY_ONE_EVENTS, batch_max=1)
    return [
        Figure("outbox → confirmed", median(relayed), "events/s", median(published), "raw publish, windows", 0.6),
        Figure("events handled, durable", median(handled), "events/s", median(consumed), "raw consume"),
        Figure("… at least", median(handled), "events/s", at_least=2000),
        Figure("… as times one by one", median(handled) / one_by_one, "×", at_least=10),
    ]


@asynccontextmanager
async def _databases(scratch: Scratch) -> AsyncIterator[tuple[Database, Database]]:
    teller = Database(await scratch.database("bench_teller"), service="bench")
    listener = Database(await scratch.database("bench_listener"), service="benchlistener")
    try:
        for database in (teller, listener):
            async with database.engine.begin() as connection:
                await connection.run_sync(PLUMBING.create_all)
                await connection.run_sync(BenchBase.metadata.create_all)
        yield teller, listener
    finally:
        await teller.close()
        await listener.close()


async def _fill_outbox(database: Database, count: int) -> None:
    for start in range(0, count, 1000):
        async with open_work(database, Caller("bench")) as work:
            for number in range(start, min(start + 1000, count)):
                work.emit(Measured(number=number, padding=BODY), subject=f"B{number % SUBJECTS}")


async def _declare(scratch: Scratch, listener: Database) -> None:
    broker = Broker(scratch.amqp_url, service=listener.service)
    async with broker.channel("declare") as channel:
        await broker.declare(channel, [Measured.event_type])


async def _relay(scratch: Scratch, database: Database) -> float:
    relay = Relay(database, Broker(scratch.amqp_url, service=database.service))
    connection = await asyncpg.connect(database.dsn)
    count = await connection.fetchval("SELECT count(*) FROM outbox")
    started = clock.monotonic()
    running = asyncio.create_task(relay.run())
    while await connection.fetchval("SELECT EXISTS (SELECT 1 FROM outbox)"):
        await asyncio.sleep(0.01)
    seconds = clock.monotonic() - started
    running.cancel()
    await connection.close()
    return count / seconds


async def _handle(scratch: Scratch, database: Database, count: int, *, batch_max: int) -> float:
    inbox = Inbox(database, {Measured: _take_effect})
    consumer = Consumer(inbox, Broker(scratch.amqp_url, service=database.service), batch_max=batch_max)
    async with database.session() as session:
        await session.execute(text("TRUNCATE effect"))
        await session.commit()
    started = clock.monotonic()
    running = asyncio.create_task(consumer.run())
    connection = await asyncpg.connect(database.dsn)
    while await connection.fetchval("SELECT count(*) FROM effect") < count:
        await asyncio.sleep(0.02)
    seconds = clock.monotonic() - started
    running.cancel()
    await connection.close()
    return count / seconds


async def _raw_publish(scratch: Scratch) -> float:
    connection = await aio_pika.connect(scratch.amqp_url)
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        await _raw_queue(channel, purge=True)
        body = BODY.encode()
        started = clock.monotonic()
        for _ in range(EVENTS // WINDOW):
            await asyncio.gather(
                *(
                    channel.default_exchange.publish(
                        aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT), routing_key="bench.raw"
                    )
                    for _ in range(WINDOW)
                )
            )
        return EVENTS / (clock.monotonic() - started)


async def _raw_consume(scratch: Scratch) -> float:
    connection = await aio_pika.connect(scratch.amqp_url)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=2 * ACK_EVERY)
        queue = await _raw_queue(channel, purge=False)
        done = asyncio.Event()
        seen = 0

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            nonlocal seen
            seen += 1
            if seen % ACK_EVERY == 0:
                await message.ack(multiple=True)
            if seen == EVENTS:
                done.set()

        started = clock.monotonic()
        await queue.consume(take)
        await done.wait()
        return EVENTS / (clock.monotonic() - started)


async def _raw_queue(channel: aio_pika.abc.AbstractChannel, *, purge: bool) -> aio_pika.abc.AbstractQueue:
    queue = await channel.declare_queue("bench.raw", durable=True, arguments={"x-queue-type": "quorum"})
    if purge:
        await queue.purge()
    return queue
