"""Uploads in pieces on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.intake.schemas.answers import Answer
from services.intake.schemas.requests import NAME_MAX, Body, Sha256
from services.intake.storage import DOCUMENT_BYTES_MAX
from shared.bodies import Trimmed

PIECE_BYTES_MAX = 4 * 1024 * 1024


class UploadBody(Body):
    """A file that is about to be sent."""

    name: Annotated[str, Trimmed(NAME_MAX)]
    size_bytes: Annotated[int, Field(ge=1, le=DOCUMENT_BYTES_MAX)]
    sha256: Sha256
    """What the whole file hashes to."""


class UploadView(Answer):
    """How far an upload has come."""

    id: UUID
    name: str
    size_bytes: int
    sha256: str
    received_bytes: int
    """Where the next piece begins."""
    piece_bytes_max: int = PIECE_BYTES_MAX
    media_type: str | None
    """As the file's own bytes show, once it is whole."""
    expires_at: datetime
    document_id: UUID | None
    """To name in a dossier; null until the file is whole."""
