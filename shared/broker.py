"""All AMQP behind one small seam: connect, declare, publish a window with confirms, take deliveries.

aio-pika opens connections and declares; the two hot loops (publishing a window, receiving) use the channel beneath it.
Connections are not self-healing: whoever holds one ends with TransientError when it breaks, and opens another.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import aio_pika
import aiormq
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.abc import ChannelFrame, DeliveredMessage

from shared import log
from shared.errors import TransientError
from shared.events.envelope import RawEvent
from shared.frames import publish_frames

EXCHANGE = "motcua.events"
HEARTBEAT_S = 10
CONNECT_TIMEOUT_S = 10
CONFIRM_TIMEOUT_S = 30

_log = log.get(__name__)


class BrokerAway(TransientError):
    """The broker cannot be reached, or the connection to it broke."""


class Broker:
    """RabbitMQ as one service sees it."""

    def __init__(self, url: str, *, service: str, partitions: int = 1, heartbeat_s: int = HEARTBEAT_S) -> None:
        self.url = url
        self.service = service
        self.partitions = partitions
        self.heartbeat_s = heartbeat_s

    @asynccontextmanager
    async def channel(self, purpose: str, *, prefetch: int = 0) -> AsyncIterator["Channel"]:
        """Open a connection with one channel; raises BrokerAway when that fails or while it breaks."""
        connection: AbstractConnection | None = None
        try:
            connection = await aio_pika.connect(
                self.url,
                timeout=CONNECT_TIMEOUT_S,
                heartbeat=self.heartbeat_s,
                client_properties={"connection_name": f"{self.service}-{purpose}"},
            )
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            if prefetch:
                await channel.set_qos(prefetch_count=prefetch)
            yield Channel(connection, channel)
        except (aiormq.exceptions.AMQPError, aio_pika.exceptions.AMQPError, OSError, TimeoutError) as problem:
            raise BrokerAway(f"{type(problem).__name__}: {problem}") from problem
        except asyncio.CancelledError as problem:
            # aiormq cancels what waits on a connection whose heartbeat failed. That is no wish to end our loop.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise BrokerAway("the connection was given up") from problem
        finally:
            if connection is not None:
                await _close_quietly(connection)

    async def declare(self, channel: "Channel", event_types: Iterable[str]) -> list[str]:
        """Declare this service's exchange, queues and bindings; return its queues, one a partition."""
        amqp = channel.amqp
        topic = await amqp.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
        unreadable = f"{self.service}.unreadable"
        await amqp.declare_queue(unreadable, durable=True, arguments={"x-queue-type": "quorum"})
        spread = await amqp.declare_exchange(
            f"{self.service}.events",
            aio_pika.ExchangeType.X_CONSISTENT_HASH,
            durable=True,
            arguments={"hash-header": "ce-subject"},
        )
        names = [f"{self.service}.events.{n}" for n in range(self.partitions)]
        for name in names:
            queue = await amqp.declare_queue(
                name,
                durable=True,
                arguments={
                    "x-queue-type": "quorum",
                    "x-single-active-consumer": True,
                    "x-dead-letter-exchange": "",
                    "x-dead-letter-routing-key": unreadable,
                    "x-dead-letter-strategy": "at-least-once",
                    "x-overflow": "reject-publish",
                },
            )
            await queue.bind(spread, routing_key="1")
        for event_type in event_types:
            await spread.bind(topic, routing_key=event_type)
        return names


class Channel:
    """One channel on a connection of its own."""

    def __init__(self, connection: AbstractConnection, amqp: AbstractChannel) -> None:
        self.connection = connection
        self.amqp = amqp

    async def _channel(self) -> aiormq.Channel:
        beneath = await self.amqp.get_underlay_channel()
        if not isinstance(beneath, aiormq.Channel):
            raise BrokerAway("the channel is closed")
        return beneath

    async def publish(self, events: Sequence[RawEvent]) -> None:
        """Publish events in order and wait until the broker has confirmed every one.

        Raises BrokerAway when one was refused, could not be routed, or the connection broke: any of them may or may
        not have arrived.
        """
        channel = await self._channel()
        if channel.is_closed:
            raise BrokerAway("the channel is closed")
        confirmations = [self._register(channel, event) for event in events]
        frames = b"".join(self._frames(channel, event) for event in events)
        try:
            await channel.write_queue.put(ChannelFrame(payload=frames, should_close=False))
            await _all_confirmed(confirmations, channel)
        finally:
            for event in events:
                channel.message_id_delivery_tag.pop(str(event.id), None)

    @staticmethod
    def _register(channel: aiormq.Channel, event: RawEvent) -> "asyncio.Future[object]":
        channel.delivery_tag += 1
        confirmation: asyncio.Future[object] = channel.loop.create_future()
        channel.confirmations[channel.delivery_tag] = confirmation
        channel.message_id_delivery_tag[str(event.id)] = channel.delivery_tag
        return confirmation

    @staticmethod
    def _frames(channel: aiormq.Channel, event: RawEvent) -> bytes:
        return publish_frames(
            channel.number,
            exchange=EXCHANGE,
            routing_key=event.type,
            message_id=str(event.id),
            headers=event.headers(),
            body=event.body,
            frame_max=channel.connection.connection_tune.frame_max,
        )

    async def consume(self, queue: str, deliveries: "asyncio.Queue[DeliveredMessage | None]") -> None:
        """Put every delivery of a queue into `deliveries`; None when the broker ends the consumer."""

        async def take(message: DeliveredMessage) -> None:
            deliveries.put_nowait(message)

        channel = await self._channel()
        channel.on_consumer_cancel_callbacks.add(lambda _frame: deliveries.put_nowait(None))
        await channel.basic_consume(queue, take)

    async def acknowledge(self, delivery_tag: int) -> None:
        """Acknowledge every delivery up to and including this one."""
        channel = await self._channel()
        await channel.basic_ack(delivery_tag, multiple=True)

    async def reject(self, delivery_tag: int) -> None:
        """Send one delivery to the dead letters."""
        channel = await self._channel()
        await channel.basic_reject(delivery_tag, requeue=False)

    async def closed(self) -> None:
        """Return when the connection or the channel has ended."""
        channel = await self._channel()
        await asyncio.wait([channel.closing, channel.connection.closing], return_when=asyncio.FIRST_COMPLETED)


async def _all_confirmed(confirmations: "list[asyncio.Future[object]]", channel: aiormq.Channel) -> None:
    everything = asyncio.gather(*confirmations, return_exceptions=True)
    ended = channel.closing
    try:
        await asyncio.wait([everything, ended], timeout=CONFIRM_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        if not everything.done():
            raise BrokerAway("the channel ended" if ended.done() else f"no confirm within {CONFIRM_TIMEOUT_S} s")
        failures = [outcome for outcome in everything.result() if isinstance(outcome, BaseException)]
        if failures:
            raise BrokerAway(f"{len(failures)} of {len(confirmations)} not confirmed, first: {failures[0]!r}")
    finally:
        everything.cancel()
        ended.cancel()


async def _close_quietly(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(5):
            await connection.close()
    except Exception as problem:
        _log.debug("broker.close_failed", reason=repr(problem))
