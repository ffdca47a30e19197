"""Uploads in pieces over HTTP: whoever loses the line asks how far it came and goes on from there."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from starlette.requests import ClientDisconnect

from services.intake import operations, queries
from services.intake.errors import PieceTooLarge, UploadIncomplete
from services.intake.models import Upload
from services.intake.schemas.uploads import PIECE_BYTES_MAX, UploadBody, UploadView
from services.intake.storage import SIGNATURE_BYTES_MAX, Documents, media_type_of
from shared import clock
from shared.errors import FieldError, InvalidRequest
from shared.http import CallerDep, SessionDep, WorkDep, WriteRoute, authenticate, needs, problem_responses, router

SUBMIT = "dossiers:submit"
_PIECE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Piece(Request):
    """A request whose body is a part of a file, of bounded size."""

    async def body(self) -> bytes:
        """Return the piece. Raises PieceTooLarge, UploadIncomplete, and what the caller lacks before any byte."""
        if not hasattr(self, "_body"):
            (await authenticate(self)).require(SUBMIT)
            self._body = await self._bounded()
        return self._body

    async def _bounded(self) -> bytes:
        found = bytearray()
        try:
            async for chunk in self.stream():
                found += chunk
                if len(found) > PIECE_BYTES_MAX:
                    raise PieceTooLarge(f"Send at most {PIECE_BYTES_MAX} bytes in one piece.")
        except ClientDisconnect as problem:
            raise UploadIncomplete from problem
        return bytes(found)


class PieceRoute(WriteRoute):
    """A write whose body is a piece of a file."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Let the write see a Piece."""
        write = super().get_route_handler()

        async def run(request: Request) -> Response:
            return await write(Piece(request.scope, request.receive))

        return run


resumable = router("uploads", prefix="/uploads")
pieces = APIRouter(prefix="/uploads", tags=["uploads"], route_class=PieceRoute)


@resumable.post("", status_code=201, dependencies=[needs(SUBMIT)])
async def begin_upload(work: WorkDep, body: UploadBody, response: Response) -> UploadView:
    """Announce a PDF, JPEG or PNG with its size and hash; then send it in pieces."""
    upload = await operations.begin_upload(work, name=body.name, size_bytes=body.size_bytes, sha256=body.sha256)
    response.headers["Location"] = f"/uploads/{upload.id}"
    return UploadView.model_validate(upload)


@resumable.get("/{upload_id}", dependencies=[needs(SUBMIT)])
async def get_upload(session: SessionDep, caller: CallerDep, upload_id: UUID) -> UploadView:
    """Ask how far an upload has come: the next piece begins at `received_bytes`."""
    return UploadView.model_validate(await queries.get_upload(session, upload_id, caller=caller, now=clock.now()))


@pieces.put(
    "/{upload_id}/pieces/{start_byte}",
    dependencies=[needs(SUBMIT)],
    responses=problem_responses(400, 401, 403, 404, 409, 413, 415, 422, 503),
    openapi_extra=_PIECE,
)
async def send_piece(
    request: Request, work: WorkDep, upload_id: UUID, start_byte: Annotated[int, Path(ge=0, lt=2**53)]
) -> UploadView:
    """Send the next piece, of at most `piece_bytes_max`; with the last one the answer has a `document_id`."""
    piece = await request.body()
    if not piece:
        raise InvalidRequest(
            "Send the piece as the body.", errors=[FieldError("body", "The piece is missing.", "Thiếu dữ liệu.")]
        )
    if start_byte == 0 and len(piece) >= SIGNATURE_BYTES_MAX:
        media_type_of(piece)
    found = await operations.add_piece(work, upload_id=upload_id, start_byte=start_byte, piece=piece)
    if isinstance(found, Upload):
        return UploadView.model_validate(found)
    return UploadView.model_validate(await _finished(request, work, found))


async def _finished(request: Request, work: WorkDep, found: operations.Finished) -> Upload:
    store: Documents = request.app.state.documents
    blob, media_type = await store.keep_recognised(found.chunks)
    upload = found.upload
    document = await operations.keep_document(
        work, name=upload.name, media_type=media_type, size_bytes=blob.size_bytes, sha256=blob.sha256
    )
    await operations.finish_upload(work, upload=upload, document_id=document.id, media_type=media_type)
    return upload
