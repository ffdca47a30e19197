"""A ministry behind a data service: one real server that does as a test tells it, and writes down what it hears."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import orjson
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send


@dataclass(slots=True)
class Call:
    """One call that arrived, as it stood on the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    chunks: int
    whole: bool
    """Its end came."""

    def all(self, name: str) -> list[str]:
        """Return a header's values."""
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str | None:
        """Return a header's only value."""
        found = self.all(name)
        assert len(found) <= 1, found
        return found[0] if found else None


Answering = Callable[[Call], Awaitable[Response]]


async def plain(call: Call) -> Response:
    """Answer with what was asked."""
    return JSONResponse({"method": call.method, "target": call.target}, 200 if call.method == "GET" else 201)


@dataclass
class Ministry:
    """Hears calls; keeps the effects of changes by their key."""

    calls: list[Call] = field(default_factory=list)
    answer: Answering = plain
    script: list[Response] = field(default_factory=list)
    """Answers to give first, in order."""
    effects: dict[str, int] = field(default_factory=dict)
    """How often a change was carried out, by its Idempotency-Key; the same call again has no effect."""
    bodies: dict[str, bytes] = field(default_factory=dict)
    deliveries: dict[str, int] = field(default_factory=dict)
    hold: asyncio.Event | None = None
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when somebody hung up while an answer was held."""
    asgi: Callable[[Scope, Receive, Send], Awaitable[None]] | None = None
    """Instead of all else."""

    def forget(self) -> None:
        """Start anew."""
        fresh = Ministry()
        self.__dict__.update(fresh.__dict__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hear a call and answer it."""
        if self.asgi is not None:
            await self.asgi(scope, receive, send)
            return
        call = await self._hear(scope, receive)
        self.calls.append(call)
        key = call.one("idempotency-key")
        if key:
            self.deliveries[key] = self.deliveries.get(key, 0) + 1
        if self.hold is not None:
            await self._held(receive)
        response = self.script.pop(0) if self.script else await self.answer(call)
        if key and call.method != "GET" and response.status_code < 400:
            if key not in self.bodies:
                self.effects[key] = self.effects.get(key, 0) + 1
            # Another body under a known key would be another effect.
            assert self.bodies.setdefault(key, call.body) == call.body
        await response(scope, receive, send)

    async def _hear(self, scope: Scope, receive: Receive) -> Call:
        body, more, chunks, whole = b"", True, 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                whole = False
                break
            body += message.get("body", b"")
            more = message.get("more_body", False)
            chunks += 1
        raw = scope["raw_path"].decode() + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        return Call(scope["method"], raw, headers, body, chunks, whole)

    async def _held(self, receive: Receive) -> None:
        assert self.hold is not None
        waiting = asyncio.create_task(self.hold.wait())
        leaving = asyncio.create_task(_left(receive))
        await asyncio.wait([waiting, leaving], return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            self.left.set()
        waiting.cancel()
        leaving.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def contract(*paths: str, **more: object) -> dict[str, object]:
    """Return a contract: for each path `METHOD /path`, with `!` at the end where it is safe to repeat."""
    found: dict[str, dict[str, object]] = {}
    for one in paths:
        method, _, path = one.partition(" ")
        operation: dict[str, object] = {"responses": {"200": {"description": "ok"}}}
        if path.endswith("!"):
            operation["x-safe-to-repeat"] = True
        found.setdefault(path.rstrip("!"), {})[method.lower()] = operation
    return {"openapi": "3.1.0", "info": {"title": "Thử", "version": "1"}, "paths": found, **more}


def json_of(answer: bytes) -> object:
    """Return a body read as JSON."""
    return orjson.loads(answer)
