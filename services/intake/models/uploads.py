"""Uploads in pieces, and the pieces of those that are not finished."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.tables import IntakeBase


class Upload(IntakeBase):
    """A file on its way in; its name may be personal data."""

    __tablename__ = "upload"
    __table_args__ = (Index(None, "expires_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client: Mapped[str]
    name: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    """What the whole file must hash to."""
    received_bytes: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str | None]
    """As its first bytes show; None before they came."""
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    document_id: Mapped[UUID | None]
    """The document it became; its pieces are gone then."""


class UploadPiece(IntakeBase):
    """A part of a file, kept only until the whole is there."""

    __tablename__ = "upload_piece"

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True)
    start_byte: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    bytes: Mapped[bytes] = mapped_column(LargeBinary)
