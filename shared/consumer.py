"""The consumer: one lane a partition, each taking what has arrived as one batch; acknowledged after its commit."""

import asyncio
from collections.abc import Awaitable, Callable

from aiormq.abc import DeliveredMessage

from shared import log
from shared.broker import Broker, BrokerAway, Channel
from shared.db import is_outage
from shared.events.envelope import RawEvent, Unreadable
from shared.inbox import Inbox
from shared.telemetry import BROKER_CONNECTED

BATCH_MAX = 200
PREFETCH = 2 * BATCH_MAX
GATHER_S = 0.004
"""Batches begin at least this far apart: alone an event is handled at once, in a crowd events share a transaction."""
RETRY_POLL_S = 1.0
BACKOFF_FIRST_S, BACKOFF_LAST_S = 0.2, 5.0

_log = log.get(__name__)
Deliveries = asyncio.Queue[DeliveredMessage | None]


class Consumer:
    """Feeds one service's inbox from its queues."""

    def __init__(self, inbox: Inbox, broker: Broker, *, batch_max: int = BATCH_MAX) -> None:
        self.inbox = inbox
        self.broker = broker
        self.batch_max = batch_max
        self.connected: set[int] = set()
        self._waiting_grew = asyncio.Event()
        inbox.waiting_grew = self._waiting_grew.set

    @property
    def healthy(self) -> bool:
        """Whether every partition has its consumer."""
        return len(self.connected) == self.broker.partitions

    async def run(self) -> None:
        """Consume for ever: through restarts of the broker and of the database."""
        async with asyncio.TaskGroup() as group:
            for partition in range(self.broker.partitions):
                group.create_task(_for_ever(lambda partition=partition: self._lane(partition), "consumer"))
            group.create_task(_for_ever(self._retry_waiting, "retry"))

    async def _lane(self, partition: int) -> None:
        try:
            async with self.broker.channel(f"events-{partition}", prefetch=PREFETCH) as channel:
                queues = await self.broker.declare(channel, self.inbox.handlers)
                deliveries: Deliveries = asyncio.Queue()
                await channel.consume(queues[partition], deliveries)
                self.connected.add(partition)
                BROKER_CONNECTED.labels(f"events-{partition}").set(1)
                await self._take_for_ever(channel, deliveries)
        finally:
            self.connected.discard(partition)
            BROKER_CONNECTED.labels(f"events-{partition}").set(0)

    async def _take_for_ever(self, channel: Channel, deliveries: Deliveries) -> None:
        ended = asyncio.ensure_future(channel.closed())
        ended.add_done_callback(lambda _: deliveries.put_nowait(None))
        loop, next_at = asyncio.get_running_loop(), 0.0
        try:
            while True:
                batch = [await deliveries.get()]
                if self.batch_max > 1 and loop.time() < next_at:
                    await asyncio.sleep(next_at - loop.time())
                next_at = loop.time() + GATHER_S
                while len(batch) < self.batch_max and not deliveries.empty():
                    batch.append(deliveries.get_nowait())
                if None in batch:
                    raise BrokerAway("the consumer ended")
                await self._handle(channel, [message for message in batch if message is not None], ended)
        finally:
            ended.cancel()

    async def _handle(self, channel: Channel, batch: list[DeliveredMessage], ended: "asyncio.Future[None]") -> None:
        events, last_tag = [], 0
        for message in batch:
            try:
                events.append(RawEvent.from_message(message.header.properties.headers or {}, message.body))
                last_tag = _tag(message)
            except Unreadable as problem:
                _log.error("event.unreadable", reason=str(problem))
                await channel.reject(_tag(message))
        backoff = BACKOFF_FIRST_S
        while events:
            try:
                await self.inbox.take(events)
                break
            except Exception as problem:
                if not is_outage(problem):
                    raise
                _log.warning("consumer.database_away", reason=type(problem).__name__)
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, BACKOFF_LAST_S)
            if ended.done():
                raise BrokerAway("the connection ended while the database was away")
        if last_tag:
            await channel.acknowledge(last_tag)

    async def _retry_waiting(self) -> None:
        while True:
            await self.inbox.retry_due()
            try:
                async with asyncio.timeout(RETRY_POLL_S):
                    await self._waiting_grew.wait()
            except TimeoutError:
                pass
            self._waiting_grew.clear()


def _tag(message: DeliveredMessage) -> int:
    tag = getattr(message.delivery, "delivery_tag", None)
    if tag is None:
        raise BrokerAway("a delivery without a tag")
    return tag


async def _for_ever(step: Callable[[], Awaitable[None]], name: str) -> None:
    backoff = BACKOFF_FIRST_S
    while True:
        started = asyncio.get_running_loop().time()
        try:
            await step()
        except BrokerAway as problem:
            _log.warning(f"{name}.broker_away", reason=str(problem))
        except Exception as problem:
            if is_outage(problem):
                _log.warning(f"{name}.database_away", reason=type(problem).__name__)
            else:
                _log.exception(f"{name}.failed")
        if asyncio.get_running_loop().time() - started > BACKOFF_LAST_S:
            backoff = BACKOFF_FIRST_S
        await asyncio.sleep(backoff)
        backoff = min(backoff * 2, BACKOFF_LAST_S)
