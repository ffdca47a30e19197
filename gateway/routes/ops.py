"""For the people who run it: every service's bus, the broker's queues, the portal's lag, one dossier's whole trace."""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.models import PortalDebt
from gateway.routes.gathering import SERVICES, Sight, list_queues, list_waiting_of, look_everywhere
from gateway.routes.sync import read_sync, read_timeline
from gateway.schemas import (
    CallOut,
    DossierTrace,
    FeedEnd,
    InterventionOut,
    Overview,
    PortalDebtOut,
    PortalState,
    ReconciliationState,
    RunOut,
    TimelineOut,
    TracedDossier,
    TraceEntry,
    WaitingOut,
)
from gateway.upstream import Upstream
from shared import clock
from shared.errors import NotFound
from shared.http import CallerDep, DossierPath, SessionDep, needs, problem_responses
from shared.http import router as make_router
from shared.problems import MEDIA_TYPE

LAG_WINDOW = timedelta(hours=1)
NOT_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
DOORS = {
    "GET": re.compile(r"bus|archive|waiting|interventions"),
    "POST": re.compile(r"waiting/[0-9A-Za-z][\w.-]*/(replay|discard)|interventions/\d+/consent"),
}
"""What a service's ops door has; nothing else is reached through us."""
_OF_SERVICE = {
    200: {"description": "What the service answered"},
    202: {"description": "Asked for"},
} | problem_responses(400, 401, 403, 404, 409, 422, 503, 504)
ServiceName = Annotated[str, Path(min_length=1, max_length=40, examples=["intake"])]
DoorPath = Annotated[str, Path(min_length=1, max_length=200, examples=["bus"])]
OPEN_DETAILS = frozenset(
    {
        "task_id",
        "fee_id",
        "payment_id",
        "result_id",
        "supplement_id",
        "step_key",
        "step_name",
        "unit",
        "role",
        "due_at",
        "previous_due_at",
        "respond_by",
        "on_time",
        "amount_vnd",
        "provider",
        "method",
        "series",
        "number",
        "after",
        "process_code",
        "process_version",
        "channel",
        "service_level",
        "procedure_code",
        "late_entry",
        "collected",
        "kind_name",
    }
)
"""Details of an event that ops see; what somebody wrote, and who somebody is, they see only masked."""


async def not_kept(response: Response) -> None:
    """Let no answer of ops be stored on its way."""
    response.headers.update(NOT_KEPT)


router = make_router("ops", prefix="/api/v1/ops")
forwarded = APIRouter(tags=["ops"], prefix="/api/v1/ops")
LOOK = [needs("ops:read"), Depends(not_kept)]


@router.get("/overview", dependencies=LOOK, response_model=Overview)
async def overview(request: Request, session: SessionDep) -> Response:
    """Show everything at once: each service's bus, the broker's queues, what waits, what people did, the portal.

    The ETag stands for everything but `at`: with If-None-Match the answer is 304 while nothing has changed.
    """
    sights = await look_everywhere(request, session)
    broker, queues = await list_queues(request)
    found = Overview(
        at=clock.now(),
        services={service: sight.service for service, sight in sights.items()},
        broker=broker,
        queues=queues,
        waiting=_all_waiting(sights.values()),
        interventions=_all_interventions(sights.values()),
        portal=await _portal_state(request, session),
        changes=FeedEnd(last_cursor=queries.to_cursor(await queries.last_position(session))),
    )
    return _tagged(request, found)


@router.get("/waiting", dependencies=LOOK)
async def waiting(request: Request, session: SessionDep) -> list[WaitingOut]:
    """List the events that wait for another attempt or for a person, of every service, the oldest first."""
    return _all_waiting((await look_everywhere(request, session)).values())


@router.get("/interventions", dependencies=LOOK)
async def interventions(request: Request, session: SessionDep) -> list[InterventionOut]:
    """List what people did about waiting events of every service, the newest first."""
    return _all_interventions((await look_everywhere(request, session)).values())


@router.get("/portal", dependencies=LOOK)
async def portal_state(request: Request, session: SessionDep) -> PortalState:
    """Show how far the national portal is in step and what is stuck, with the reason."""
    return await _portal_state(request, session)


@router.get("/dossiers/{code}", dependencies=LOOK)
async def trace(request: Request, session: SessionDep, caller: CallerDep, code: DossierPath) -> DossierTrace:
    """Show one dossier across HTTP, bus and sync; nothing personal is in it."""
    timeline = await read_timeline(session, await queries.get_view(session, caller, code))
    return DossierTrace(
        dossier=TracedDossier(
            **timeline.model_dump(exclude={"items", "sync"}), items=[_masked(entry) for entry in timeline.items]
        ),
        calls=[CallOut.model_validate(call) for call in await queries.list_transactions(session, code)],
        portal=[PortalDebtOut.model_validate(debt) for debt in await queries.list_debts(session, code)],
        sync=await read_sync(session, caller, code),
        waiting=await list_waiting_of(request, session, code),
    )


def _tagged(request: Request, found: Overview) -> Response:
    # Weak (RFC 9110 §8.8.1): the same figures at another moment count as the same.
    digest = hashlib.sha256(found.model_dump_json(exclude={"at"}).encode()).hexdigest()[:32]
    headers = {**NOT_KEPT, "ETag": f'W/"{digest}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(found.model_dump_json(), media_type="application/json", headers=headers)


def _all_waiting(sights: Iterable[Sight]) -> list[WaitingOut]:
    return sorted((event for sight in sights for event in sight.waiting), key=attrgetter("waiting_since"))


def _all_interventions(sights: Iterable[Sight]) -> list[InterventionOut]:
    return sorted((told for sight in sights for told in sight.interventions), key=attrgetter("at"), reverse=True)


def _masked(entry: TimelineOut) -> TraceEntry:
    detail = {name: value for name, value in entry.detail.items() if name in OPEN_DETAILS}
    return TraceEntry(
        **entry.model_dump(exclude={"detail"}),
        detail=detail,
        raised_at=moment_of(UUID(entry.event_id)),
        masked=sorted(set(entry.detail) - OPEN_DETAILS),
    )


def moment_of(event_id: UUID) -> datetime:
    """Return when an id was made: its first 48 bits are Unix milliseconds (UUIDv7, RFC 9562 §5.7)."""
    return datetime.fromtimestamp((event_id.int >> 80) / 1000, UTC)


async def _portal_state(request: Request, session: AsyncSession) -> PortalState:
    now = clock.now()
    owed, tally = await queries.count_owed(session), await queries.get_tally(session)
    p50_s, p99_s = await queries.portal_lag(session, now - LAG_WINDOW)
    stuck: list[PortalDebt] = await queries.list_stuck(session)
    return PortalState(
        open=owed.statuses,
        open_dossiers=owed.dossiers,
        failing=owed.failing,
        oldest_age_s=(now - owed.oldest).total_seconds() if owed.oldest else 0.0,
        lag_p50_s=p50_s,
        lag_p99_s=p99_s,
        dossiers=tally.dossiers,
        dossiers_on_portal=tally.dossiers_told,
        breaker=request.app.state.payer.breaker,
        stuck=[PortalDebtOut.model_validate(debt) for debt in stuck],
        reconciliation=await _reconciliation_state(session, now),
    )


async def _reconciliation_state(session: AsyncSession, now: datetime) -> ReconciliationState:
    standing, since = await queries.count_standing(session)
    last = await queries.find_last_run(session)
    return ReconciliationState(
        last=RunOut.model_validate(last) if last else None,
        differences=standing,
        oldest_difference_age_s=(now - since).total_seconds() if since else 0.0,
        in_step_share=round(last.in_step / last.compared, 4) if last and last.compared else None,
    )


@forwarded.get("/{service}/{rest:path}", dependencies=[needs("ops:read")], responses=_OF_SERVICE)
async def look_into_service(request: Request, service: ServiceName, rest: DoorPath) -> Response:
    """Pass a question on to one service's own ops door (bus, waiting, interventions); it checks the rights too."""
    return await _pass_on(request, service, rest)


@forwarded.post("/{service}/{rest:path}", dependencies=[needs("ops:act")], responses=_OF_SERVICE)
async def act_on_service(request: Request, service: ServiceName, rest: DoorPath) -> Response:
    """Pass an act on to one service's own ops door (replay, discard, consent); it checks the rights too."""
    return await _pass_on(request, service, rest)


async def _pass_on(request: Request, service: str, rest: str) -> Response:
    if service not in SERVICES or not DOORS[request.method].fullmatch(rest):
        raise NotFound("No such address.")
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
    return Response(answer.body, status_code=answer.status, media_type=media_type, headers=NOT_KEPT)
