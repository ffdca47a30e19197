"""Documents over HTTP: uploaded as they are, kept by their hash, downloaded by those who may see their dossier."""

from typing import Annotated, Any
from urllib.parse import quote, unquote
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.intake import operations, queries
from services.intake.errors import DocumentNotHeld, HashMismatch, UploadIncomplete
from services.intake.models import Document
from services.intake.schemas.answers import DocumentView
from services.intake.schemas.requests import NAME_MAX, Sha256
from services.intake.storage import SIGNATURES, Documents
from shared.blobs import Blob
from shared.bodies import EntityTag
from shared.errors import FieldError, InvalidRequest
from shared.http import CallerDep, Upload, UploadRoute, WorkDep, needs, problem_responses, router

READ, SUBMIT = "dossiers:read", "dossiers:submit"
_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
UPLOADED = {"requestBody": {"required": True, "content": dict.fromkeys(SIGNATURES, _FILE)}}
_DOWNLOAD: dict[int | str, dict[str, Any]] = {200: {"content": dict.fromkeys(SIGNATURES, _FILE)}}


class DocumentUpload(Upload):
    """A file of a dossier, on its way into the store."""

    scope_needed = SUBMIT
    incomplete = UploadIncomplete

    async def keep(self) -> str:
        """Keep the file; return its SHA-256."""
        store: Documents = self.app.state.documents
        self.state.file = await store.keep(self.stream(), self.media_type)
        self.state.media_type = self.media_type
        return self.state.file.sha256


class DocumentRoute(UploadRoute):
    """A write whose body is a file of a dossier."""

    upload = DocumentUpload


documents = router("documents", prefix="/documents")
uploads = APIRouter(prefix="/documents", tags=["documents"], route_class=DocumentRoute)


@uploads.post(
    "",
    status_code=201,
    dependencies=[needs(SUBMIT)],
    responses=problem_responses(400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra=UPLOADED,
)
async def upload_document(
    request: Request,
    work: WorkDep,
    x_document_name: Annotated[str, Header(min_length=1, max_length=3 * NAME_MAX)],
    sha256: Annotated[Sha256 | None, Query(description="What the file must hash to")] = None,
) -> DocumentView:
    """Upload a PDF, JPEG or PNG of at most 20 MiB as the request's body; a dossier names it by the id in the answer.

    X-Document-Name is percent-encoded beyond ASCII: a file's name may be personal, and does not belong in a URL.
    """
    file: Blob = request.state.file
    if sha256 and sha256 != file.sha256:
        raise HashMismatch("Send the file again.", announced=sha256, arrived=file.sha256)
    document = await operations.keep_document(
        work,
        name=file_name(x_document_name),
        media_type=request.state.media_type,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
    )
    return DocumentView.model_validate(document)


@documents.get("/{document_id}", dependencies=[needs(READ)], response_class=StreamingResponse, responses=_DOWNLOAD)
async def read_document(
    request: Request, caller: CallerDep, document_id: UUID, if_none_match: Annotated[EntityTag | None, Header()] = None
) -> Response:
    """Download a file of a dossier you may see, or one that you uploaded."""
    # The session ends before the download begins: a slow reader holds no connection.
    async with request.app.state.database.session() as session:
        document = await queries.get_document(session, document_id, caller=caller)
    if not document.held or document.sha256 is None:
        raise DocumentNotHeld(sha256=document.sha256)
    headers = _file_headers(document)
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers={"ETag": headers["ETag"]})
    store: Documents = request.app.state.documents
    return StreamingResponse(await store.read(document.sha256), media_type=document.media_type, headers=headers)


def file_name(header: str) -> str:
    """Return a file's name as it came, percent-encoded. Raises InvalidRequest."""
    name = unquote(header).strip()
    if not name.isprintable() or not 1 <= len(name) <= NAME_MAX:
        message = f"Give the file's name, percent-encoded UTF-8, {NAME_MAX} characters at most."
        raise InvalidRequest(errors=[FieldError("header.x-document-name", message, "Tên tệp chưa hợp lệ.")])
    return name


def _file_headers(document: Document) -> dict[str, str]:
    return {
        "ETag": f'"{document.sha256}"',
        "Content-Length": str(document.size_bytes),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(document.name, safe='')}",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
