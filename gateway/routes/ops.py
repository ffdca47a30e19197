"""For the people who run it: every service's bus, the broker's queues, the portal's lag, one dossier's whole trace."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.errors import UpstreamAway
from gateway.models import PortalDebt
from gateway.routes.sync import read_timeline
from gateway.schemas import CallOut, DossierTrace, PortalDebtOut, PortalState
from gateway.upstream import Upstream
from shared import bus, clock
from shared.errors import NotFound
from shared.http import CallerDep, SessionDep, needs
from shared.http import router as make_router
from shared.problems import MEDIA_TYPE

SERVICES = ("intake", "workflow", "payment", "results")
LAG_WINDOW = timedelta(hours=1)
BROKER_TIMEOUT_S = 3
router = make_router("ops", prefix="/api/v1/ops")
forwarded = APIRouter(tags=["ops"], prefix="/api/v1/ops")


@router.get("/overview", dependencies=[needs("ops:read")])
async def overview(request: Request, session: SessionDep) -> dict[str, Any]:
    """Show everything at once: each service's bus, the broker's queues, the portal."""
    answers = await asyncio.gather(*(_service_bus(request, service) for service in SERVICES))
    services: dict[str, Any] = dict(zip(SERVICES, answers, strict=True))
    state = request.app.state
    services["gateway"] = (await bus.state(session)).model_dump() | {
        "relay": state.relay.connected or state.relay.standby,
        "consumers": state.consumer.healthy,
    }
    portal = await _portal_state(request, session)
    return {
        "at": clock.now(),
        "services": services,
        "queues": await _queues(request),
        "portal": portal.model_dump(),
        "changes": {"last_cursor": queries.to_cursor(await queries.last_position(session))},
    }


@router.get("/portal", dependencies=[needs("ops:read")])
async def portal_state(request: Request, session: SessionDep) -> PortalState:
    """Show how far the national portal is in step and what is stuck, with the reason."""
    return await _portal_state(request, session)


@router.get("/dossiers/{code}", dependencies=[needs("ops:read")])
async def trace(session: SessionDep, caller: CallerDep, code: str) -> DossierTrace:
    """Show one dossier across HTTP, bus and sync; nothing personal is in it."""
    view = await queries.get_view(session, caller, code)
    return DossierTrace(
        dossier=await read_timeline(session, view),
        calls=[CallOut.model_validate(call) for call in await queries.list_transactions(session, code)],
        portal=[PortalDebtOut.model_validate(debt) for debt in await queries.list_debts(session, code)],
    )


async def _portal_state(request: Request, session: AsyncSession) -> PortalState:
    now = clock.now()
    lag = await queries.portal_lag(session, now - LAG_WINDOW)
    stuck: list[PortalDebt] = await queries.list_stuck(session)
    return PortalState(
        open=lag["open"],
        open_dossiers=lag["open_dossiers"],
        failing=lag["failing"],
        oldest_age_s=(now - lag["oldest"]).total_seconds() if lag["oldest"] else 0.0,
        lag_p50_s=lag["p50_s"],
        lag_p99_s=lag["p99_s"],
        dossiers=lag["dossiers"],
        dossiers_on_portal=lag["dossiers_on_portal"],
        breaker=request.app.state.payer.breaker,
        stuck=[PortalDebtOut.model_validate(debt) for debt in stuck],
    )


async def _service_bus(request: Request, service: str) -> dict[str, Any]:
    upstream: Upstream = request.app.state.upstream
    headers = [("authorization", request.headers["authorization"])]
    try:
        ready, state = await asyncio.gather(
            upstream.call(service, "GET", "/health/ready"), upstream.call(service, "GET", "/ops/bus", headers=headers)
        )
    except UpstreamAway as problem:
        return {"error": problem.code}
    found = ready.json() if ready.body else {}
    return {**state.json(), "relay": found.get("relay"), "consumers": found.get("consumers")}


async def _queues(request: Request) -> list[dict[str, Any]]:
    """Return the broker's own figures; empty when its management API is not configured or away."""
    url = request.app.state.settings.rabbitmq_api_url.get_secret_value()
    if not url:
        return []
    try:
        answer = await request.app.state.http.get(
            f"{url.rstrip('/')}/api/queues",
            params={"columns": "name,messages,messages_ready,messages_unacknowledged,consumers,state"},
            timeout=BROKER_TIMEOUT_S,
        )
        answer.raise_for_status()
        return sorted(answer.json(), key=lambda queue: str(queue["name"]))
    except (httpx.HTTPError, ValueError):
        return []


@forwarded.get("/{service}/{rest:path}", dependencies=[needs("ops:read")])
async def look_into_service(request: Request, service: str, rest: str) -> Response:
    """Pass a question on to one service's own ops door (waiting, interventions); rights are checked there too."""
    return await _pass_on(request, service, rest)


@forwarded.post("/{service}/{rest:path}", dependencies=[needs("ops:act")])
async def act_on_service(request: Request, service: str, rest: str) -> Response:
    """Pass an act on to one service's own ops door (replay, discard, consent); rights are checked there too."""
    return await _pass_on(request, service, rest)


async def _pass_on(request: Request, service: str, rest: str) -> Response:
    if service not in SERVICES:
        raise NotFound(f"No service {service}.")
    kept = ("authorization", "idempotency-key", "content-type")
    upstream: Upstream = request.app.state.upstream
    answer = await upstream.call(
        service,
        request.method,
        f"/ops/{rest}" + (f"?{request.url.query}" if request.url.query else ""),
        headers=[(name, request.headers[name]) for name in kept if name in request.headers],
        body=await request.body() or None,
    )
    media_type = next((value.decode() for name, value in answer.headers if name == b"content-type"), MEDIA_TYPE)
    return Response(answer.body, status_code=answer.status, media_type=media_type)
