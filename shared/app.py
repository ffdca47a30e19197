"""Assembles a service: HTTP, relay and consumer in one process, with health, metrics and the bus's ops door."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import SpanKind
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import bus, clock, log, problems, telemetry
from shared.bodies import WHOLE_MAX, Body
from shared.broker import Broker
from shared.consumer import Consumer
from shared.db import Database, is_outage
from shared.guard import Guard, Room, rooms_of
from shared.http import SessionDep, WorkDep, needs, router
from shared.ids import first_id_at
from shared.inbox import Handlers, Inbox, Preload, RetryPlan
from shared.relay import Relay
from shared.settings import ServiceSettings
from shared.tokens import Claims, TokenVerifier
from shared.writes import Writer

READY_TIMEOUT_S = 3
CANCELS_MAX = 10
HOUSEKEEPING_S = 600
DELETE_BATCH = 5_000
IDEMPOTENCY_RETENTION_DAYS = 30
_OBSERVED_BY_US: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""`Observed` makes the span and the measurement; the framework's own would look for providers at every call."""

_log = log.get(__name__)


def _no_group(_: str) -> str:
    return ""


Opens = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """What a service brings: its name, routes, event handlers, and what else it opens and closes."""

    name: str
    title: str
    routers: Sequence[APIRouter]
    handlers: Handlers
    preload: Preload | None = None
    opens: Opens | None = None
    """Opened after the database and before the loops; its app.state additions serve the routes."""
    loops: Sequence[Callable[[FastAPI], Awaitable[None]]] = field(default_factory=tuple)
    """Endless tasks besides relay and consumer."""
    ops_prefix: str = "/ops"
    about: str = ""
    """What it does, in a sentence or two, for readers of its OpenAPI document."""
    below: str = "/api/v1"
    """Where the gateway offers its paths."""
    middleware: Sequence[Callable[..., ASGIApp]] = ()
    """Around the routes, inside the request's span; the last is the innermost."""
    rooms: Sequence[Room] = ()
    """Calls with a size of their own, besides those of the routers."""
    patient: re.Pattern[str] | None = None
    """Path and query of calls that wait for news; they take no place from others."""
    group_of: Callable[[str], str] = _no_group
    """Which part behind this process a path leads to; one that hangs leaves places for the others."""


def create_service(settings: ServiceSettings, parts: ServiceParts) -> FastAPI:
    """Return the app of a service; nothing is opened before its lifespan begins."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _opened(app, settings, parts):
            yield

    # An address with a slash too many is wrong, and says so: a redirect would send the call's body elsewhere.
    # FastAPI's pages about the API would load scripts from elsewhere; the document itself is at /openapi.json.
    app = FastAPI(
        title=parts.title,
        version="1",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        telemetry=_OBSERVED_BY_US,
    )
    addresses = problems.install(app, about=parts.about, below=parts.below)
    for one, prefix in ((_health, ""), (_ops, parts.ops_prefix), *((one, "") for one in parts.routers)):
        app.include_router(one, prefix=prefix)
        addresses.add(one, prefix=prefix)
    for inner in reversed(parts.middleware):
        app.add_middleware(inner)
    app.add_middleware(Observed, service=parts.name)
    app.add_middleware(
        Guard,
        settings,
        rooms=[*parts.rooms, *rooms_of(parts.routers)],
        vital=re.compile(rf"/health/|/metrics$|{re.escape(parts.ops_prefix)}/"),
        patient=parts.patient,
        group_of=parts.group_of,
        methods_at=addresses.methods_at,
    )
    return app


@asynccontextmanager
async def _opened(app: FastAPI, settings: ServiceSettings, parts: ServiceParts) -> AsyncIterator[None]:
    log.configure(parts.name, settings.log_level)
    telemetry.configure(parts.name, settings.otlp_endpoint)
    state: Any = app.state
    state.settings = settings
    database = state.database = Database(
        settings.database_url.get_secret_value(), service=parts.name, connections_max=settings.database_connections_max
    )
    broker = Broker(settings.amqp_url.get_secret_value(), service=parts.name, partitions=settings.partitions)
    plan = RetryPlan(settings.retry_first_s, settings.retry_last_s, settings.attempts_max)
    state.writer = Writer(database)
    state.relay = Relay(database, broker)
    state.consumer = Consumer(Inbox(database, parts.handlers, preload=parts.preload, plan=plan), broker)
    async with httpx.AsyncClient(timeout=10) as http:
        claims = Claims(settings.audience, settings.client_claim, settings.scope_claim, settings.agency_claim)
        state.tokens = TokenVerifier(issuer=settings.issuer, jwks_url=settings.jwks_url, http=http, claims=claims)
        async with parts.opens(app) if parts.opens else _nothing():
            loops = [state.relay.run(), state.consumer.run(), _keep_small(database, settings)]
            loops += [loop(app) for loop in parts.loops]
            tasks = [asyncio.ensure_future(loop) for loop in loops]
            state.failed_loops = 0
            for task in tasks:
                task.add_done_callback(partial(_notice_failure, state))
            _log.info("service.started")
            try:
                yield
            finally:
                await _end(tasks)
                await database.close()


def _notice_failure(state: Any, task: "asyncio.Future[None]") -> None:  # noqa: ANN401 - an app's state takes anything
    """Say that a loop ended with an error nobody caught; the process is no longer ready, somebody has to restart it."""
    if not task.cancelled() and (problem := task.exception()):
        state.failed_loops += 1
        _log.error("loop.failed", exc_info=problem)


async def _end(tasks: Sequence[asyncio.Future[None]]) -> None:
    """Cancel until all have ended: a library may take one cancellation for its own time-out."""
    for _ in range(CANCELS_MAX):
        running = [task for task in tasks if not task.done()]
        if not running:
            return
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=1)


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


async def _keep_small(database: Database, settings: ServiceSettings) -> None:
    while True:
        await asyncio.sleep(HOUSEKEEPING_S)
        try:
            await delete_old(database, settings, clock.now())
        except Exception as problem:
            _log.warning("housekeeping.failed", reason=type(problem).__name__)


async def delete_old(database: Database, settings: ServiceSettings, now: datetime) -> None:
    """Delete what is past its retention at a moment, in bounded batches."""
    inbox = "DELETE FROM inbox WHERE event_id IN (SELECT event_id FROM inbox WHERE event_id < :before LIMIT :most)"
    keys = (
        "DELETE FROM idempotency_key WHERE (client, key) IN "
        "(SELECT client, key FROM idempotency_key WHERE created_at < :before LIMIT :most)"
    )
    await _delete_batches(database, inbox, first_id_at(now - timedelta(days=settings.inbox_retention_days)))
    await _delete_batches(database, keys, now - timedelta(days=IDEMPOTENCY_RETENTION_DAYS))


async def _delete_batches(database: Database, statement: str, before: object) -> None:
    while True:
        async with database.session() as session:
            result = await session.execute(text(statement), {"before": before, "most": DELETE_BATCH})
            await session.commit()
        if getattr(result, "rowcount", 0) < DELETE_BATCH:
            return


_duration = cache(telemetry.HTTP_DURATION.labels)


class Observed:
    """Middleware: every request is a span and a measurement."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on inside its span."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = clock.monotonic()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        parents, states = [], []
        for name, value in scope["headers"]:
            if name == b"traceparent":
                parents.append(value.decode("latin-1"))
            elif name == b"tracestate":
                states.append(value.decode("latin-1"))
        try:
            with (
                telemetry.carried(parents, states) as parent,
                telemetry.span(f"{scope['method']} {self.service}", SpanKind.SERVER, parent),
            ):
                await self.app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "-")
            _duration(scope["method"], route, str(status)).observe(clock.monotonic() - started)


_health = APIRouter(tags=["health"])


@_health.get("/health/live", summary="Is the process alive?")
async def live() -> dict[str, str]:
    """Answer as long as the event loop runs."""
    return {"status": "live"}


class Readiness(BaseModel):
    """`ready`; `degraded` without the broker (requests go on, the outbox grows); `not_ready` without the database.

    Also `not_ready`: one of the process's own loops ended with an error, which only a restart mends.
    """

    status: str
    database: bool
    relay: bool
    consumers: bool


@_health.get("/health/ready", response_model=Readiness, responses={503: {"model": Readiness}})
async def ready(request: Request) -> Response:
    """Tell what works at this moment."""
    state = request.app.state
    try:
        async with asyncio.timeout(READY_TIMEOUT_S), state.database.session() as session:
            await session.execute(text("SELECT 1"))
        database = True
    except Exception:
        database = False
    relay, consumers = state.relay.connected or state.relay.standby, state.consumer.healthy
    serving = database and not state.failed_loops
    status = "not_ready" if not serving else "ready" if relay and consumers else "degraded"
    found = Readiness(status=status, database=database, relay=relay, consumers=consumers)
    return JSONResponse(found.model_dump(), status_code=200 if serving else 503)


@_health.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(session: SessionDep) -> Response:
    """Answer with this process's metrics; without the database the bus's figures are those of before."""
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            await bus.state(session)
    except Exception as problem:
        if not is_outage(problem):
            raise
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


class Reason(Body):
    """Why somebody interferes; kept."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=3, max_length=500)


class DiscardRequest(Reason):
    """Which event to drop and why."""

    event_id: UUID


Subject = Annotated[str, Path(min_length=1, max_length=200, description="The dossier, or what else the event is of")]
InterventionId = Annotated[int, Path(ge=1, le=WHOLE_MAX, description="As it was answered when the drop was asked for")]

_ops = router("ops")


@_ops.get("/bus", dependencies=[needs("ops:read")])
async def bus_state(session: SessionDep) -> bus.BusState:
    """Count what is on its way."""
    return await bus.state(session)


@_ops.get("/waiting", dependencies=[needs("ops:read")])
async def waiting(
    session: SessionDep,
    subject: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=bus.LIST_MAX)] = 50,
) -> list[bus.WaitingEvent]:
    """List events that wait for another attempt or for a person."""
    return await bus.list_waiting(session, subject=subject, limit=limit)


@_ops.post("/waiting/{subject}/replay", dependencies=[needs("ops:act")])
async def replay(work: WorkDep, subject: Subject, body: Reason) -> dict[str, int]:
    """Try a dossier's waiting events again, in order."""
    return {"events": await bus.replay(work, subject=subject, reason=body.reason)}


@_ops.post("/waiting/{subject}/discard", dependencies=[needs("ops:act")], status_code=202)
async def discard(work: WorkDep, subject: Subject, body: DiscardRequest) -> dict[str, int]:
    """Ask to drop a waiting event; a second person has to consent."""
    found = await bus.request_discard(work, subject=subject, event_id=body.event_id, reason=body.reason)
    return {"intervention": found}


@_ops.post("/interventions/{intervention_id}/consent", dependencies=[needs("ops:act")])
async def consent(work: WorkDep, intervention_id: InterventionId) -> dict[str, str]:
    """Consent to what another person asked to drop."""
    await bus.consent_to_discard(work, intervention_id=intervention_id)
    return {"status": "discarded"}


@_ops.get("/interventions", dependencies=[needs("ops:read")])
async def interventions(session: SessionDep) -> list[dict[str, Any]]:
    """List what people did about waiting events."""
    return await bus.list_interventions(session)
