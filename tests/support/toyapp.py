"""The toy over HTTP: routes that write, refuse, break and conflict, made as every service makes its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import httpx
from fastapi import FastAPI, Request, Response
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.app import ServiceParts, create_service
from shared.http import CallerDep, SessionDep, WorkDep, grouped, needs, router
from shared.settings import ServiceSettings
from shared.work import Work
from tests.support.tokens import Issuer
from tests.support.toy import HANDLERS, Counter, CounterFull, grow

NO_BROKER = "amqp://guest:guest@127.0.0.1:1/"
"""Nobody listens there: what is told stays in the outbox."""
PERSON = "Nguyễn Văn Thử"

counters = router("counters", prefix="/counters")


class Person(BaseModel):
    """Personal data, strictly checked."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=40)
    id_number: str = Field(pattern=r"^\d{12}$")
    born: date
    phones: list[str] = []


class Hooks:
    """What a test wants to happen inside a call."""

    def __init__(self) -> None:
        self.inside: Callable[[Work], Awaitable[None]] | None = None
        self.calls = 0


async def _grow(request: Request, work: Work, code: str, by: int) -> Response:
    hooks: Hooks = request.app.state.hooks
    hooks.calls += 1
    for _ in range(by):
        counter = await grow(work, code=code)
        await work.session.flush()
    if hooks.inside:
        await hooks.inside(work)
    body = f'{{"code": "{code}", "value": {counter.value}}}'
    headers = {"Location": f"/counters/{code}", "ETag": f'"{counter.value}"'}
    return Response(body, status_code=201, media_type="application/json", headers=headers)


@counters.post("/{code}/grow", dependencies=[needs("counters:write")])
async def grow_alone(request: Request, work: WorkDep, code: str, by: int = 1) -> Response:
    """Grow in a transaction of one's own."""
    return await _grow(request, work, code, by)


@counters.post("/{code}/grow-together", dependencies=[needs("counters:write")])
@grouped
async def grow_together(request: Request, work: WorkDep, code: str, by: int = 1) -> Response:
    """Grow in a transaction with whoever comes at the same time."""
    return await _grow(request, work, code, by)


@counters.post("/{code}/refuse")
async def refuse(work: WorkDep, code: str) -> Response:
    """Grow, and then think better of it."""
    await grow(work, code=code)
    await work.session.flush()
    raise CounterFull("It is at its end.", value=7)


@counters.post("/{code}/refuse-together")
@grouped
async def refuse_together(work: WorkDep, code: str) -> Response:
    """Spoil the transaction that others share."""
    await grow(work, code=code)
    await work.session.flush()
    raise CounterFull("It is at its end.", value=7)


@counters.put("/{code}/name")
async def keep_person(code: str, work: WorkDep, body: Person) -> dict[str, str]:
    """Take a person."""
    await work.session.execute(text("SELECT 1"))
    return {"code": code, "name": body.name}


@counters.get("/{code}")
async def read(session: SessionDep, caller: CallerDep, code: str) -> dict[str, Any]:
    """Read a counter; its name goes to the database as it came."""
    counter = await session.get(Counter, code)
    return {"value": counter.value if counter else 0, "for": caller.client_id}


@counters.get("/{code}/break")
async def break_down(session: SessionDep, code: str) -> None:
    """Fail as nobody anticipated, with personal data in the error."""
    await _insert_person(session, code)


async def _insert_person(session: AsyncSession, code: str) -> None:
    await session.execute(text("INSERT INTO counter VALUES (:code, :name, NULL)"), {"code": code, "name": PERSON})


def create_toy_app(
    database_url: str, *, amqp_url: str = NO_BROKER, keys: KeySet | None = None, **settings: Any
) -> FastAPI:
    """Return the toy's app; its `state.hooks` are the test's, the keys those of the tokens that it takes."""

    @asynccontextmanager
    async def opens(app: FastAPI) -> AsyncIterator[None]:
        if keys:
            app.state.tokens.use_keys(keys)
        yield

    found = ServiceSettings.model_validate({"database_url": database_url, "amqp_url": amqp_url, **settings})
    parts = ServiceParts(name="toy", title="Toy", routers=[counters], handlers=HANDLERS, opens=opens)
    app = create_service(found, parts)
    app.state.hooks = Hooks()
    return app


class ToyClient:
    """Calls the toy as a system would, with a token and a key of its own for each call unless told otherwise."""

    def __init__(self, app: FastAPI, http: httpx.AsyncClient) -> None:
        self.app = app
        self.http = http
        self.issuer = Issuer()
        self.issuer.trusted_by(app)
        self.hooks: Hooks = app.state.hooks

    async def send(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        who: str = "one-stop",
        scopes: Iterable[str] = ("counters:write", "ops:read", "ops:act"),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Make a call."""
        usual = self.issuer.headers(scopes, client_id=who, key=key)
        return await self.http.request(method, path, headers={**usual, **(headers or {})}, **more)

    async def post(self, path: str, **more: Any) -> httpx.Response:
        """Make a call that changes something."""
        return await self.send("POST", path, **more)


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[ToyClient]:
    """Open a client of a running app; what the app raises, it answers."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://toy", timeout=60) as http:
        yield ToyClient(app, http)
