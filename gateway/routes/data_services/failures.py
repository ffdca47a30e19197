"""What failed at data services, by cause; and sending it again."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.models import DataServiceCall, DataServiceRerun
from gateway.operations.data_services import rerunning
from gateway.operations.data_services.obstacles import Obstacle, obstacle_to
from gateway.schemas import FailureList, FailureOut, KeptCallOut, RerunCallOut, RerunIn, RerunOut
from shared import clock
from shared.bodies import Moment
from shared.http import CallerDep, SessionDep, WorkDep, needs
from shared.http import router as make_router

router = make_router("data services", prefix="/api/v1/data-services")
READ, WRITE = [needs("services:read")], [needs("services:write")]
Fingerprint = Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")]
Code = Annotated[str | None, Query(max_length=64)]


@router.get("/failures", dependencies=READ)
async def list_failures(
    request: Request, session: SessionDep, caller: CallerDep, service: Code = None, since: Moment | None = None
) -> FailureList:
    """List failed calls by cause, the latest first, at the services that your agency answers for."""
    found = await queries.list_failures(session, caller, service=service, since=since)
    names = set(FailureOut.model_fields) - {"kept", "sent_again"}
    return FailureList(
        keeping=bool(request.app.state.sealer),
        failures=[
            FailureOut(**{name: getattr(one, name) for name in names}, kept=kept, sent_again=sent_again)
            for one, kept, sent_again in found
        ],
    )


@router.get("/calls", dependencies=READ)
async def list_kept_calls(
    request: Request,
    session: SessionDep,
    caller: CallerDep,
    service: Annotated[str, Query(max_length=64)],
    fingerprint: Fingerprint = None,
) -> list[KeptCallOut]:
    """List the failed calls of a service that can be sent again; up to 1,000, the oldest first."""
    await queries.get_data_service(session, caller, service)
    found = await queries.list_kept_calls(session, service, fingerprint=fingerprint)
    return [_kept(one, obstacle) for one, obstacle in _judged(request, found)]


@router.post("/reruns", dependencies=WRITE, status_code=201, responses={200: {"description": "A dry run"}})
async def order_rerun(request: Request, work: WorkDep, response: Response, body: RerunIn) -> RerunOut:
    """Send kept calls again, in the order in which they failed, each under its own Idempotency-Key."""
    wanted = body.model_dump(include={"service", "fingerprint", "ids", "client_id", "since", "until"})
    calls = await rerunning.select_calls(work, **wanted)
    if body.dry_run:
        response.status_code = 200
        judged = _judged(request, calls)
        return RerunOut(
            id=None,
            service=body.service,
            asked_by=work.caller.client_id,
            asked_at=work.now,
            reason=body.reason,
            stage="dry_run",
            calls_per_second=body.calls_per_second,
            total=len(calls),
            outcomes={"open": len(calls)},
            calls=[_kept(one, obstacle) for one, obstacle in judged[: queries.PAGE_MAX]],
            obstacles=Counter(obstacle for _, obstacle in judged if obstacle),
        )
    rerun = await rerunning.order_rerun(
        work, service=body.service, calls=calls, calls_per_second=body.calls_per_second, reason=body.reason
    )
    return (await _shown(work.session, [rerun]))[0]


@router.get("/reruns", dependencies=READ)
async def list_reruns(session: SessionDep, caller: CallerDep) -> list[RerunOut]:
    """List re-runs, the newest first, and how far they are."""
    return await _shown(session, await queries.list_reruns(session, caller))


@router.get("/reruns/{rerun_id}", dependencies=READ)
async def read_rerun(session: SessionDep, caller: CallerDep, rerun_id: UUID) -> RerunOut:
    """Show how far a re-run is."""
    return (await _shown(session, [await queries.get_rerun(session, caller, rerun_id)]))[0]


@router.get("/reruns/{rerun_id}/calls", dependencies=READ)
async def list_rerun_calls(
    session: SessionDep, caller: CallerDep, rerun_id: UUID, after: Annotated[int, Query(ge=0, le=1_000_000)] = 0
) -> list[RerunCallOut]:
    """List what came of each call, in order; up to 1,000 after a number."""
    await queries.get_rerun(session, caller, rerun_id)
    found = await queries.list_rerun_calls(session, rerun_id, after=after)
    names = set(RerunCallOut.model_fields) - {"correlation_id"}
    return [
        RerunCallOut(**{name: getattr(one, name) for name in names}, correlation_id=correlation)
        for one, correlation in found
    ]


@router.post("/reruns/{rerun_id}/{move}", dependencies=WRITE)
async def steer_rerun(work: WorkDep, rerun_id: UUID, move: Literal["pause", "resume", "stop"]) -> RerunOut:
    """Pause, resume or stop a re-run; the call that is under way still ends."""
    rerun = await rerunning.steer_rerun(work, rerun_id=rerun_id, move=move)
    await work.session.flush()
    return (await _shown(work.session, [rerun]))[0]


def _judged(request: Request, calls: Sequence[DataServiceCall]) -> list[tuple[DataServiceCall, Obstacle | None]]:
    registry, now = request.app.state.data_services.registry, clock.now()
    return [(one, obstacle_to(registry, one, now)) for one in calls]


def _kept(call: DataServiceCall, obstacle: Obstacle | None) -> KeptCallOut:
    return KeptCallOut.model_validate(call).model_copy(update={"obstacle": obstacle})


async def _shown(session: AsyncSession, reruns: list[DataServiceRerun]) -> list[RerunOut]:
    outcomes = await queries.count_outcomes(session, [one.id for one in reruns])
    names = set(RerunOut.model_fields) - {"total", "outcomes", "calls", "obstacles"}
    return [
        RerunOut(
            **{name: getattr(one, name) for name in names},
            total=sum(outcomes[one.id].values()),
            outcomes=outcomes[one.id],
        )
        for one in reruns
    ]
