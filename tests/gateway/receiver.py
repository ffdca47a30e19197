"""A receiver of webhooks: a real server that writes down what it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.support.serving import serving

PATIENCE_S = 25


@dataclass(frozen=True, slots=True)
class Told:
    """One message as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The message's id."""
        return self.headers["webhook-id"]

    @property
    def data(self) -> dict[str, Any]:
        """What it is about."""
        return json.loads(self.body)["data"]

    @property
    def type(self) -> str:
        """The event's name."""
        return json.loads(self.body)["type"]


Answer = Callable[[Told], Awaitable[Response]]


async def takes(_: Told) -> Response:
    """Take a message."""
    return Response(status_code=204)


class Receiver:
    """Hears messages at any path."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.answer: Answer = takes
        self.url = ""
        self._news = asyncio.Condition()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hear a message and answer it."""
        request = Request(scope, receive)
        told = Told(request.url.path, dict(request.headers), await request.body())
        async with self._news:
            self.told.append(told)
            self._news.notify_all()
        await (await self.answer(told))(scope, receive, send)

    async def wait_for(self, enough: Callable[[list[Told]], bool]) -> list[Told]:
        """Return what was told as soon as it is enough."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: enough(self.told))
        return list(self.told)

    async def count(self, messages: int) -> list[Told]:
        """Return what was told as soon as so many different messages came."""
        return await self.wait_for(lambda told: len({one.id for one in told}) >= messages)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver()
    async with serving(receiver) as url:
        receiver.url = url
        yield receiver
