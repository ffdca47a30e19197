"""Calls to an app without a network between, thousands of them in seconds."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import orjson
from starlette.types import ASGIApp, Message, Scope

TOGETHER = 12
"""Fewer than any process takes in hand at once, of whatever kind."""
Found = TypeVar("Found")


@dataclass(slots=True)
class Heard:
    """What an app answered."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """Return the body read as a JSON object."""
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's code; empty when it is none."""
        return orjson.loads(self.body)["code"] if self.headers.get("content-type") == "application/problem+json" else ""


async def knock(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str | None] | None = None,
    query: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Heard:
    """Make a call; headers without a value are left out."""
    heard, parts = Heard(), [body]

    async def receive() -> Message:
        if not parts:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": parts.pop(), "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            heard.status = message["status"]
            heard.headers = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
        heard.body += message.get("body", b"")

    usual = {"host": "motcua.example", "content-length": str(len(body)) if body else None}
    await app(_scope(method, path, {**usual, **(headers or {})}, query or {}), receive, send)
    return heard


def _scope(method: str, path: str, headers: Mapping[str, str | None], query: Mapping[str, str]) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": urlencode(query).encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items() if value is not None],
        "client": ("192.0.2.1", 1),
        "server": ("motcua.example", 80),
        "state": {},
    }


async def all_of(calls: Iterable[Awaitable[Found]]) -> list[Found]:
    """Make calls, so many at once, and return what came of each in order."""
    places = asyncio.Semaphore(TOGETHER)

    async def one(call: Awaitable[Found]) -> Found:
        async with places:
            return await call

    return await asyncio.gather(*map(one, calls))
