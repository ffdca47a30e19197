"""Electronic documents between agencies, and the agencies that take part."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase


class EdocAgency(GatewayBase):
    """An agency that electronic documents can be sent to."""

    __tablename__ = "edoc_agency"

    code: Mapped[str] = mapped_column(primary_key=True)
    """In the present form (H32.14)."""
    name: Mapped[str]
    parent: Mapped[str | None]
    email: Mapped[str | None]
    fax: Mapped[str | None]
    mobile: Mapped[str | None]
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]


class Edoc(GatewayBase):
    """One document as its sender handed it in; its content lies sealed until it expires."""

    __tablename__ = "edoc"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sender: Mapped[str]
    document_id: Mapped[str]
    """What the sender calls it."""
    kind: Mapped[str]
    """`edoc`, or `receipt`: what became of a document, told to its sender."""
    about: Mapped[UUID | None]
    """The document that a receipt is about."""
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    sent_by: Mapped[str]
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("sender", "document_id"),
        Index("ix_edoc_expires_at", "expires_at", postgresql_where="content IS NOT NULL"),
    )


class EdocRecipient(GatewayBase):
    """One agency that a document is for, and how far it is with it."""

    __tablename__ = "edoc_recipient"

    nth: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """In the order committed: the cursor of an inbox."""
    edoc_id: Mapped[UUID] = mapped_column(ForeignKey("edoc.id", ondelete="CASCADE"))
    agency: Mapped[str]
    progress: Mapped[str]
    """INITIAL, PROCESSING, DONE or FAIL."""
    note: Mapped[str | None]
    changed_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("edoc_id", "agency"), Index(None, "agency", "nth"))
