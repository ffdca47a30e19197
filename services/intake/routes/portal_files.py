"""Files of a dossier that another portal hands over, sent before it and named by it."""

import hashlib
import re
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request

from services.intake import operations
from services.intake.errors import DocumentNotFound, HashMismatch, UploadIncomplete
from services.intake.models import Document
from services.intake.routes.documents import UPLOADED, file_name
from services.intake.schemas.answers import PortalFileView
from services.intake.schemas.requests import NAME_MAX, Sha256
from services.intake.storage import Documents
from shared import clock
from shared.blobs import Blob
from shared.errors import FieldError, InvalidRequest
from shared.http import CallerDep, SessionDep, Upload, UploadRoute, WorkDep, authenticate, needs, problem_responses

PORTAL = "portal"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class PortalFileUpload(Upload):
    """A file on its way into the store; the row that names it is there before its first byte."""

    scope_needed = PORTAL
    incomplete = UploadIncomplete

    async def keep(self) -> str:
        """Announce the file and keep it; return its SHA-256."""
        caller = await authenticate(self)
        document_id, announced = self._named()
        async with self.app.state.database.session() as session:
            await operations.announce_file(
                session, document_id=document_id, sha256=announced, client=caller.client_id, now=clock.now()
            )
        store: Documents = self.app.state.documents
        self.state.file, self.state.media_type = await store.keep_recognised(self._checked(announced))
        return self.state.file.sha256

    def _named(self) -> tuple[UUID, str]:
        """Return which file it is to be. Raises InvalidRequest: the row comes before the route's own checks."""
        file_name(self.headers.get("x-document-name", ""))
        announced = self.query_params.get("sha256", "")
        if not _SHA256.fullmatch(announced):
            raise InvalidRequest(
                errors=[FieldError("query.sha256", "Send the file's SHA-256 in hex.", "Cần mã băm SHA-256 của tệp.")]
            )
        try:
            return UUID(self.path_params["document_id"]), announced
        except ValueError as problem:
            wrong = FieldError("path.document_id", "Send a UUID.", "Cần một UUID.")
            raise InvalidRequest(errors=[wrong]) from problem

    async def _checked(self, announced: str) -> AsyncIterator[bytes]:
        """Yield the file; at its end raise HashMismatch if it is another one, which is then not stored."""
        digest = hashlib.sha256()
        async for chunk in self.stream():
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != announced:
            raise HashMismatch("Send the file again.", announced=announced, arrived=digest.hexdigest())


class PortalFileRoute(UploadRoute):
    """A write whose body is a file of another portal."""

    upload = PortalFileUpload


portal_files = APIRouter(prefix="/portal-files", tags=["portal"], route_class=PortalFileRoute)


@portal_files.put(
    "/{document_id}",
    dependencies=[needs(PORTAL)],
    responses=problem_responses(400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra=UPLOADED,
)
async def send_portal_file(
    request: Request,
    work: WorkDep,
    document_id: UUID,
    sha256: Annotated[Sha256, Query(description="What the file must hash to")],
    x_document_name: Annotated[str, Header(min_length=1, max_length=3 * NAME_MAX)],
) -> PortalFileView:
    """Keep a PDF, JPEG or PNG of at most 20 MiB under an id of yours, for the dossier that will name it.

    It waits seven days for that dossier.
    """
    del sha256  # The file was checked against it as it arrived.
    file: Blob = request.state.file
    document = await operations.keep_portal_file(
        work,
        document_id=document_id,
        name=file_name(x_document_name),
        media_type=request.state.media_type,
        size_bytes=file.size_bytes,
    )
    return PortalFileView.model_validate(document)


@portal_files.get("/{document_id}", dependencies=[needs(PORTAL)], responses=problem_responses(401, 403, 404))
async def find_portal_file(session: SessionDep, caller: CallerDep, document_id: UUID) -> PortalFileView:
    """Tell whether a file that you sent is kept."""
    document = await session.get(Document, document_id)
    if document is None or not document.held or document.added_by != caller.client_id:
        raise DocumentNotFound(f"No file {document_id} is kept.")
    return PortalFileView.model_validate(document)
