"""HTTP in: results for officials and systems."""

from typing import Annotated, Any
from urllib.parse import quote, unquote
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.results import operations, queries, schemas
from services.results.errors import HashMismatch, UploadIncomplete
from services.results.models import Result
from services.results.schemas import ResultOut
from services.results.states import Origin, SignaturePolicy
from services.results.storage import EXTENSIONS, SIGNATURES, Archive, Kept
from shared.bodies import EntityTag
from shared.http import CallerDep, SessionDep, Upload, UploadRoute, WorkDep, needs, problem_responses, router
from shared.work import open_work

READ, WRITE = "results:read", "results:write"
_DOCUMENT: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_UPLOAD = {"requestBody": {"required": True, "content": dict.fromkeys(SIGNATURES, _DOCUMENT)}}
_DOWNLOAD: dict[int | str, dict[str, Any]] = {
    200: {"description": "The document", "content": dict.fromkeys(SIGNATURES, _DOCUMENT)},
    304: {"description": "The document is the one that If-None-Match names"},
}


class ResultUpload(Upload):
    """A result's document, on its way into the archive."""

    scope_needed = WRITE
    incomplete = UploadIncomplete

    async def keep(self) -> str:
        """Keep the document; return its SHA-256."""
        archive: Archive = self.app.state.archive
        self.state.document = await archive.keep(self.stream(), self.media_type, await self._policy())
        self.state.media_type = self.media_type
        return self.state.document.blob.sha256

    async def _policy(self) -> SignaturePolicy:
        """Return what the kind that the query names needs; a query that is wrong is refused later, with its errors."""
        kind_code, origin = self.query_params.get("kind_code", ""), self.query_params.get("origin", Origin.DIGITAL)
        async with self.app.state.database.session() as session:
            found = await queries.find_kind_policy(session, kind_code=kind_code)
        if found is None:
            return self.app.state.settings.signature_policy
        return SignaturePolicy(found.paper if origin == Origin.PAPER else found.digital)


class ResultRoute(UploadRoute):
    """A write whose body is a result's document."""

    upload = ResultUpload


results = router("results", prefix="/results")
uploads = APIRouter(prefix="/results", tags=["results"], route_class=ResultRoute)


@uploads.post(
    "",
    status_code=201,
    dependencies=[needs(WRITE)],
    responses=problem_responses(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=_UPLOAD,
)
async def draft_result(request: Request, work: WorkDep, new: Annotated[schemas.NewResult, Query()]) -> ResultOut:
    """Put a result's document, the body of this request, into the archive as a draft."""
    document: Kept = request.state.document
    if new.sha256 and new.sha256 != document.blob.sha256:
        raise HashMismatch("Send the document again.", announced=new.sha256, arrived=document.blob.sha256)
    result = await operations.draft_result(
        work,
        dossier_code=new.dossier_code,
        kind_code=new.kind_code,
        kind_name=new.kind_name,
        media_type=request.state.media_type,
        sha256=document.blob.sha256,
        size_bytes=document.blob.size_bytes,
        origin=new.origin,
        signatures=document.signatures,
        supersedes=new.supersedes,
    )
    return ResultOut.model_validate(result)


@results.post("/{result_id}/issue", dependencies=[needs(WRITE)])
async def issue_result(work: WorkDep, result_id: UUID, body: schemas.IssueResult) -> ResultOut:
    """Make a draft valid under its number."""
    result = await operations.issue_result(
        work,
        result_id=result_id,
        number=body.number,
        issued_by=body.issued_by,
        issued_at=body.issued_at,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
    )
    return ResultOut.model_validate(result)


@results.post("/{result_id}/supersede", dependencies=[needs(WRITE)])
async def supersede_result(work: WorkDep, result_id: UUID, body: schemas.SupersedeResult) -> ResultOut:
    """Let another valid result take this one's place."""
    result = await operations.supersede_result(
        work, result_id=result_id, superseded_by=body.superseded_by, reason=body.reason
    )
    return ResultOut.model_validate(result)


@results.post("/{result_id}/revoke", dependencies=[needs(WRITE)])
async def revoke_result(work: WorkDep, result_id: UUID, body: schemas.RevokeResult) -> ResultOut:
    """End a result's validity."""
    return ResultOut.model_validate(await operations.revoke_result(work, result_id=result_id, reason=body.reason))


@results.get("", dependencies=[needs(READ)])
async def list_results(
    session: SessionDep, caller: CallerDep, query: Annotated[schemas.ListResults, Query()]
) -> schemas.ResultPage:
    """List results of the caller's agency and those below it, newest first."""
    found = await queries.list_results(
        session,
        caller,
        dossier_code=query.dossier_code,
        status=query.status,
        before=schemas.decode_cursor(query.cursor),
        limit=query.limit,
    )
    following = schemas.encode_cursor(found[-1].id) if len(found) == query.limit else None
    return schemas.ResultPage(items=[ResultOut.model_validate(one) for one in found], next_cursor=following)


@results.get("/{result_id}", dependencies=[needs(READ)])
async def get_result(session: SessionDep, caller: CallerDep, result_id: UUID) -> ResultOut:
    """Tell what is known of a result."""
    return ResultOut.model_validate(await queries.get_result(session, caller, result_id=result_id))


@results.get("/{result_id}/versions", dependencies=[needs(READ)])
async def list_versions(session: SessionDep, caller: CallerDep, result_id: UUID) -> schemas.Versions:
    """List every version of a result, oldest first."""
    result = await queries.get_result(session, caller, result_id=result_id)
    found = await queries.list_versions(session, result)
    return schemas.Versions(items=[ResultOut.model_validate(one) for one in found if caller.may_see(one.agency_code)])


@results.get("/{result_id}/document", dependencies=[needs(READ)], response_class=StreamingResponse, responses=_DOWNLOAD)
async def read_document(
    request: Request,
    caller: CallerDep,
    result_id: UUID,
    purpose: Annotated[str, Header(alias="X-Purpose", min_length=3, max_length=200)],
    if_none_match: Annotated[EntityTag | None, Header()] = None,
) -> Response:
    """Download the document; who reads it and why (X-Purpose, percent-encoded beyond ASCII) is kept."""
    async with open_work(request.app.state.database, caller) as work:
        result = await queries.get_result(work.session, caller, result_id=result_id)
        if if_none_match == _etag(result):
            return Response(status_code=304, headers={"ETag": _etag(result)})
        archive: Archive = request.app.state.archive
        chunks = await archive.read(result.sha256)
        operations.record_reading(work, result_id=result_id, purpose=unquote(purpose))
    return StreamingResponse(chunks, media_type=result.media_type, headers=document_headers(result))


def _etag(result: Result) -> str:
    return f'"{result.sha256}"'


def document_headers(result: Result) -> dict[str, str]:
    """Return the headers of a result's document on its way out."""
    return attachment_headers(
        result.id,
        number=result.number or "",
        sha256=result.sha256,
        size_bytes=result.size_bytes,
        media_type=result.media_type,
    )


def attachment_headers(
    result_id: UUID, *, number: str, sha256: str, size_bytes: int, media_type: str
) -> dict[str, str]:
    """Return the headers of a document on its way out, named by its number."""
    extension = EXTENSIONS[media_type]
    name = (number or str(result_id)).replace("/", "-").replace("\\", "-")
    plain = f"{result_id}.{extension}"
    return {
        "ETag": f'"{sha256}"',
        "Content-Length": str(size_bytes),
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(f'{name}.{extension}')}",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
