"""HTTP in: results on their way to their owners, and which signatures each kind needs."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse

from services.results import operations, queries, schemas
from services.results.routes.archive import READ, WRITE, document_headers, results
from services.results.schemas import HandedOut, ResultOut
from services.results.storage import Archive
from shared.caller import service_caller
from shared.events.values import ReturnMethod
from shared.http import CallerDep, SessionDep, WorkDep, needs, problem_responses, router
from shared.work import open_work

kinds = router("results", prefix="/result-kinds")
granted = APIRouter(tags=["verify"])


@results.post("/{result_id}/return", dependencies=[needs(WRITE)])
async def return_result(request: Request, work: WorkDep, result_id: UUID, body: schemas.ReturnResult) -> HandedOut:
    """Hand an issued result to its owner: at the counter, online, or to the post, which then says that it arrived."""
    return _handed(await operations.return_result(work, result_id=result_id, how=_how(request, work.now, body)))


@results.post("/{result_id}/reissue", dependencies=[needs(WRITE)])
async def reissue_result(request: Request, work: WorkDep, result_id: UUID, body: schemas.ReissueResult) -> HandedOut:
    """Hand a returned result over once more."""
    how = _how(request, work.now, body, body.reason)
    return _handed(await operations.reissue_result(work, result_id=result_id, how=how))


@results.post("/{result_id}/delivered", dependencies=[needs(WRITE)])
async def conclude_delivery(work: WorkDep, result_id: UUID, body: schemas.Delivered) -> ResultOut:
    """Take the post's word that the owner has the result."""
    found = await operations.conclude_delivery(work, result_id=result_id, delivered_at=body.delivered_at)
    return ResultOut.model_validate(found)


@results.post("/{result_id}/delivery-failed", dependencies=[needs(WRITE)])
async def fail_delivery(work: WorkDep, result_id: UUID, body: schemas.DeliveryFailedIn) -> ResultOut:
    """Take an undelivered result back from the post."""
    found = await operations.fail_delivery(work, result_id=result_id, reason=body.reason, failed_at=body.failed_at)
    return ResultOut.model_validate(found)


@results.get("/{result_id}/hand-overs", dependencies=[needs(READ)])
async def list_hand_overs(session: SessionDep, caller: CallerDep, result_id: UUID) -> schemas.HandOvers:
    """List every way of a result to its owner, failed ones too."""
    await queries.get_result(session, caller, result_id=result_id)
    found = await queries.list_hand_overs(session, result_id=result_id)
    return schemas.HandOvers(items=[schemas.HandOverOut.model_validate(one) for one in found])


@granted.get("/granted", response_class=StreamingResponse, responses=problem_responses(404, 422, 429, 503))
async def download_granted(
    request: Request, grant: Annotated[str, Header(alias="X-Grant", min_length=20, max_length=100)]
) -> Response:
    """Download a result that was returned online, by the grant that its owner was told; open to whoever holds it."""
    async with open_work(request.app.state.database, service_caller("owner")) as work:
        result = await operations.use_grant(work, grant=grant)
        archive: Archive = request.app.state.archive
        chunks = await archive.read(result.sha256)
        operations.record_reading(work, result_id=result.id, purpose="Chủ hồ sơ nhận kết quả", via="grant")
    return StreamingResponse(chunks, media_type=result.media_type, headers=document_headers(result))


@kinds.get("/{kind_code}/signatures", dependencies=[needs(READ)])
async def get_kind_policy(
    request: Request, session: SessionDep, kind_code: schemas.Code
) -> schemas.KindPolicyOut | schemas.KindPolicyDefault:
    """Tell which signatures results of a kind need."""
    found = await queries.find_kind_policy(session, kind_code=kind_code)
    if found is not None:
        return schemas.KindPolicyOut.model_validate(found)
    policy = request.app.state.settings.signature_policy
    return schemas.KindPolicyDefault(kind_code=kind_code, digital=policy, paper=policy)


@kinds.put("/{kind_code}/signatures", dependencies=[needs(WRITE)])
async def set_kind_policy(work: WorkDep, kind_code: schemas.Code, body: schemas.KindPolicyIn) -> schemas.KindPolicyOut:
    """Say which signatures results of a kind need from now on, and why."""
    found = await operations.set_kind_policy(work, kind_code=kind_code, **body.model_dump())
    return schemas.KindPolicyOut.model_validate(found)


def _how(
    request: Request, now: datetime, body: schemas.ReturnResult, reason: str | None = None
) -> operations.HandingOver:
    receiver = operations.Receiver(**body.receiver.model_dump()) if body.receiver else None
    online = body.method is ReturnMethod.ONLINE
    return operations.HandingOver(
        method=body.method,
        by=body.returned_by,
        receiver=receiver if body.method is ReturnMethod.COUNTER else None,
        tracking_number=body.tracking_number if body.method is ReturnMethod.POSTAL else None,
        grant_until=now + timedelta(days=request.app.state.settings.grant_days) if online else None,
        reason=reason,
    )


def _handed(handed: operations.Handed) -> HandedOut:
    found = ResultOut.model_validate(handed.result)
    return HandedOut(**found.model_dump(), grant=handed.grant, grant_until=handed.hand_over.grant_until)
