"""Asks every service's ops door, and the broker, at once; what does not answer in time is shown as away."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import quote, unquote, urlsplit

import aiohttp
from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.errors import UpstreamAway, UpstreamTimeout
from gateway.schemas import InterventionOut, PendingDiscard, QueueOut, ServiceOut, WaitingOut
from gateway.upstream import Upstream
from shared import bus, log
from shared.app import Readiness

SERVICES = ("intake", "workflow", "payment", "results")
OWN = "gateway"
PATIENCE_S = 3
OK = 200

Sights = dict[str, "Sight"]
Read = TypeVar("Read")
_READINESS = TypeAdapter(Readiness)
_STATE = TypeAdapter(bus.BusState)
_WAITING = TypeAdapter(list[bus.WaitingEvent])
_INTERVENTIONS = TypeAdapter(list[dict[str, Any]])
_QUEUES = TypeAdapter(list[QueueOut])


class OpsDoorClosed(Exception):
    """The service answered its ops door with a refusal, or with something else than figures."""

    code = "ops_door_closed"


AWAY = (UpstreamAway, UpstreamTimeout, OpsDoorClosed)


@dataclass(frozen=True, slots=True)
class Sight:
    """What one service shows of itself."""

    service: ServiceOut
    waiting: list[WaitingOut] = field(default_factory=list)
    interventions: list[InterventionOut] = field(default_factory=list)


async def look_everywhere(request: Request, session: AsyncSession) -> Sights:
    """Return what every service shows, the gateway's own included."""
    found = await asyncio.gather(*(_look(request, service) for service in SERVICES))
    return {**dict(zip(SERVICES, found, strict=True)), OWN: await _look_at_oneself(request, session)}


async def list_waiting_of(request: Request, session: AsyncSession, subject: str) -> list[WaitingOut]:
    """Return what waits of one dossier in every service that answers."""
    path = f"/ops/waiting?subject={quote(subject, safe='')}&limit={bus.LIST_MAX}"

    async def ask(service: str) -> list[WaitingOut]:
        try:
            return _waiting(service, await _ask(request, service, path, _WAITING), [])
        except AWAY:
            return []

    own = _waiting(OWN, await bus.list_waiting(session, subject=subject, limit=bus.LIST_MAX), [])
    return [one for found in await asyncio.gather(*map(ask, SERVICES)) for one in found] + own


async def _look(request: Request, service: str) -> Sight:
    try:
        ready, state, waiting, told = await asyncio.gather(
            _ask(request, service, "/health/ready", _READINESS, even_if_not_ready=True),
            _ask(request, service, "/ops/bus", _STATE),
            _ask(request, service, f"/ops/waiting?limit={bus.LIST_MAX}", _WAITING),
            _ask(request, service, "/ops/interventions", _INTERVENTIONS),
        )
    except AWAY as problem:
        return Sight(await _health_alone(request, service, problem.code))
    interventions = _interventions(service, told)
    return Sight(_service(ready, state), _waiting(service, waiting, interventions), interventions)


async def _health_alone(request: Request, service: str, error: str) -> ServiceOut:
    """Return a service without figures; it may still say that it lives and is not ready."""
    try:
        ready = await _ask(request, service, "/health/ready", _READINESS, even_if_not_ready=True)
    except AWAY:
        ready = Readiness(status="away", database=False, relay=False, consumers=False)
    return _service(ready, None, error)


async def _ask(
    request: Request, service: str, path: str, reads: TypeAdapter[Read], *, even_if_not_ready: bool = False
) -> Read:
    upstream: Upstream = request.app.state.upstream
    headers = [("authorization", request.headers["authorization"])]
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer = await upstream.call(service, "GET", path, headers=headers)
    except TimeoutError as problem:
        raise UpstreamTimeout(f"{service} did not answer within {PATIENCE_S} s.") from problem
    if answer.status != OK and not even_if_not_ready:
        raise OpsDoorClosed(f"{service} answered {answer.status}.")
    try:
        return reads.validate_json(answer.body)
    except ValidationError as problem:
        raise OpsDoorClosed(f"{service} answered something else.") from problem


async def _look_at_oneself(request: Request, session: AsyncSession) -> Sight:
    state = request.app.state
    relay, consumers = state.relay.connected or state.relay.standby, state.consumer.healthy
    status = "ready" if relay and consumers else "degraded"
    told = _interventions(OWN, await bus.list_interventions(session))
    return Sight(
        _service(
            Readiness(status=status, database=True, relay=relay, consumers=consumers),
            await bus.state(session),
        ),
        _waiting(OWN, await bus.list_waiting(session, limit=bus.LIST_MAX), told),
        told,
    )


def _service(ready: Readiness, state: bus.BusState | None, error: str | None = None) -> ServiceOut:
    figures = state.model_dump() if state else {}
    health = ready.model_dump(include={"status", "relay", "consumers"})
    return ServiceOut.model_validate({**health, **figures, "error": error})


def _waiting(
    service: str, events: Sequence[bus.WaitingEvent], interventions: Sequence[InterventionOut]
) -> list[WaitingOut]:
    wishes = {
        told.event_id: PendingDiscard(intervention=told.id, reason=told.reason, actor=told.actor, at=told.at)
        for told in interventions
        if told.action == "discard" and told.consented_by is None
    }
    return [
        WaitingOut.model_validate(
            {
                **event.model_dump(),
                "service": service,
                "reason": shown_reason(event.reason),
                "discard": wishes.get(event.event_id),
            }
        )
        for event in events
    ]


def _interventions(service: str, rows: Sequence[dict[str, Any]]) -> list[InterventionOut]:
    return [
        InterventionOut.model_validate(
            {
                **row,
                "service": service,
                "event_id": str(row["event_id"]) if row["event_id"] else None,
                "reason": log.masked(row["reason"]),
            }
        )
        for row in rows
    ]


def shown_reason(reason: str) -> str:
    """Return the part of an error's text that holds no values of the event: its first line, numbers masked."""
    return log.masked(reason.partition("\n")[0])


Broker = Literal["ready", "away", "not_configured"]


async def list_queues(request: Request) -> tuple[Broker, list[QueueOut]]:
    """Return whether the broker's management API answers, and its figures of our virtual host's queues."""
    settings = request.app.state.settings
    url = settings.rabbitmq_api_url.get_secret_value().rstrip("/")
    if not url:
        return "not_configured", []
    vhost = unquote(urlsplit(settings.amqp_url.get_secret_value()).path.removeprefix("/")) or "/"
    try:
        async with request.app.state.http.get(
            f"{url}/api/queues/{quote(vhost, safe='')}",
            params={"columns": "name,messages,messages_ready,messages_unacknowledged,consumers,state"},
            timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
            raise_for_status=True,
        ) as answer:
            queues = _QUEUES.validate_json(await answer.read())
    except (aiohttp.ClientError, TimeoutError, OSError, ValidationError):
        return "away", []
    return "ready", sorted(queues, key=lambda queue: queue.name)
