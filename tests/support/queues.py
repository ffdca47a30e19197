"""What lies in a queue, read by a consumer that is nobody's service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika

from shared.broker import EXCHANGE
from shared.events.envelope import RawEvent
from tests.support.assertions import eventually


class Spy:
    """Listens to the whole bus, and keeps every message as it came."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    @property
    def events(self) -> list[RawEvent]:
        """The messages read as events, in order of arrival."""
        return [RawEvent.from_message(message.headers, message.body) for message in self.messages]

    def sequences(self, subject: str) -> list[int]:
        """Return the numbers of a subject's events, in order of arrival."""
        return [event.sequence for event in self.events if event.subject == subject]

    async def has(self, count: int, *, within_s: float = 20) -> None:
        """Wait until so many messages have come."""

        async def enough() -> bool:
            return len(self.messages) >= count

        await eventually(enough, within_s=within_s, what=lambda: f"{len(self.messages)} of {count} messages")


@asynccontextmanager
async def spying(amqp_url: str, *event_types: str) -> AsyncIterator[Spy]:
    """Listen to event types, `#` for all."""
    spy = Spy()
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue("", exclusive=True)
        for event_type in event_types or ("#",):
            await queue.bind(exchange, routing_key=event_type)

        async def keep(message: Any) -> None:
            spy.messages.append(message)

        await queue.consume(keep, no_ack=True)
        yield spy


async def count_in(amqp_url: str, queue: str) -> int:
    """Return how many messages a queue holds for whoever comes."""
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        there = await channel.get_queue(queue)
        return there.declaration_result.message_count or 0


async def messages_in(amqp_url: str, queue: str) -> list[Any]:
    """Return the messages that lie in a queue, and take them out."""
    found: list[Any] = []
    connection = await aio_pika.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        there = await channel.get_queue(queue)
        while message := await there.get(no_ack=True, fail=False):
            found.append(message)
    return found
