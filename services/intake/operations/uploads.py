"""Uploads in pieces: each piece continues where the one before ended, the whole is checked by its hash."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select

from services.intake import queries
from services.intake.errors import HashMismatch, PieceTooLarge, WrongOffset
from services.intake.models import Upload, UploadPiece
from shared.ids import new_id
from shared.work import Work

UPLOAD_LIFE = timedelta(hours=48)
"""How long an unfinished upload waits for its next piece."""


@dataclass(frozen=True, slots=True)
class Finished:
    """An upload whose last piece is there: its bytes, in order."""

    upload: Upload
    chunks: AsyncIterator[bytes]


async def begin_upload(work: Work, *, name: str, size_bytes: int, sha256: str) -> Upload:
    """Begin to take a file of an announced size and hash."""
    upload = Upload(
        id=new_id(),
        client=work.caller.client_id,
        name=name,
        size_bytes=size_bytes,
        sha256=sha256,
        received_bytes=0,
        started_at=work.now,
        expires_at=work.now + UPLOAD_LIFE,
    )
    work.session.add(upload)
    return upload


async def add_piece(work: Work, *, upload_id: UUID, start_byte: int, piece: bytes) -> Finished | Upload:
    """Take the next piece; return Finished with the last one. A piece that is there already is taken as it is.

    Raises UploadNotFound, WrongOffset, PieceTooLarge, HashMismatch (at the end of a whole: begin a new upload).
    """
    upload = await queries.lock_upload(work.session, upload_id, caller=work.caller, now=work.now)
    if upload.document_id is not None or start_byte + len(piece) <= upload.received_bytes:
        return upload
    if start_byte != upload.received_bytes:
        raise WrongOffset("Go on from received_bytes.", received_bytes=upload.received_bytes)
    if start_byte + len(piece) > upload.size_bytes:
        raise PieceTooLarge("The file is longer than announced.", size_bytes=upload.size_bytes)
    work.session.add(UploadPiece(upload_id=upload.id, start_byte=start_byte, bytes=piece))
    upload.received_bytes += len(piece)
    upload.expires_at = work.now + UPLOAD_LIFE
    await work.session.flush()
    return Finished(upload, _pieces(work, upload)) if upload.received_bytes == upload.size_bytes else upload


async def finish_upload(work: Work, *, upload: Upload, document_id: UUID, media_type: str) -> None:
    """Let the pieces go: their file is a document in the store."""
    upload.document_id, upload.media_type = document_id, media_type
    await work.session.execute(delete(UploadPiece).where(UploadPiece.upload_id == upload.id))


async def _pieces(work: Work, upload: Upload) -> AsyncIterator[bytes]:
    """Yield a file's bytes piece by piece. Raises HashMismatch at its end."""
    digest = hashlib.sha256()
    starts = select(UploadPiece.start_byte).where(UploadPiece.upload_id == upload.id).order_by(UploadPiece.start_byte)
    for start in (await work.session.scalars(starts)).all():
        wanted = select(UploadPiece.bytes).where(UploadPiece.upload_id == upload.id, UploadPiece.start_byte == start)
        piece = await work.session.scalar(wanted) or b""
        digest.update(piece)
        yield piece
    if digest.hexdigest() != upload.sha256:
        raise HashMismatch("Begin a new upload.", announced=upload.sha256, arrived=digest.hexdigest())
