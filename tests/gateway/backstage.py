"""The services as the gateway meets them: one real server that plays all four and writes down what it hears."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

SERVICES = ("intake", "workflow", "payment", "results")


@dataclass(frozen=True, slots=True)
class Heard:
    """One call that arrived, as it stood on the wire."""

    service: str
    method: str
    target: str
    """Path and query, not decoded."""
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's value."""
        return dict(self.headers).get(name)

    def json(self) -> object:
        """Return the body read as JSON."""
        return orjson.loads(self.body)


async def echo(heard: Heard) -> Response:
    """Answer what a service would that has nothing to say."""
    return JSONResponse({"service": heard.service}, 200 if heard.method == "GET" else 201)


class Backstage:
    """Below /intake, /workflow, /payment and /results."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answer: Callable[[Heard], Awaitable[Response]] = echo
        self.hold: asyncio.Event | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hear a call and answer it."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        raw = scope["raw_path"].decode() + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        service, _, rest = raw.removeprefix("/").partition("/")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        heard = Heard(service, scope["method"], f"/{rest}", headers, body)
        # What the gateway asks for itself, once a minute, belongs to no test's call.
        if not (service == "intake" and heard.target.startswith("/agencies/H")):
            self.heard.append(heard)
            if self.hold:
                await self.hold.wait()
        await (await self.answer(heard))(scope, receive, send)

    def forget(self) -> None:
        """Start anew."""
        self.heard.clear()
        self.answer = echo
        self.hold = None
