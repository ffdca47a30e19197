"""Tables of results."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.results.states import VALIDITY, ResultStatus, Validity
from shared.db import NAMES, Base, MetaData


class ResultsBase(Base):
    """Root of this service's tables."""

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMES)


class CaseSlice(ResultsBase):
    """What results needs to know of a dossier that others own; its lock orders the writers of the dossier's results."""

    __tablename__ = "case_slice"

    dossier_code: Mapped[str] = mapped_column(primary_key=True)
    agency_code: Mapped[str]
    procedure_code: Mapped[str]
    owner: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Party, as accepted: personal data."""
    channel: Mapped[str | None]
    """How the dossier came in; None for one accepted before this was kept."""
    state: Mapped[str]
    completed_event_id: Mapped[UUID | None]
    """The workflow.case.completed that a return must not be seen before."""
    fee_announced: Mapped[bool]
    """The dossier was accepted with a fee on return that payment has not assessed yet."""
    fees_due_vnd: Mapped[dict[str, int]] = mapped_column(JSONB)
    """Fees on return that are assessed and not settled: id to amount in whole đồng."""

    @property
    def fee_outstanding(self) -> bool:
        """Whether something must be paid before a result may be handed over."""
        return self.fee_announced or bool(self.fees_due_vnd)


class Result(ResultsBase):
    """One outcome of a dossier with its document."""

    __tablename__ = "result"
    __table_args__ = (
        UniqueConstraint("agency_code", "kind_code", "number"),
        CheckConstraint("status = 'draft' OR (number IS NOT NULL AND issued_at IS NOT NULL)", name="issued"),
        CheckConstraint("status <> 'returned' OR returned_at IS NOT NULL", name="returned"),
        CheckConstraint("status <> 'superseded' OR superseded_by IS NOT NULL", name="superseded"),
        Index(None, "dossier_code"),
        Index(None, "number"),
        Index(None, "sha256"),
        CheckConstraint("valid_until IS NULL OR valid_from IS NULL OR valid_until >= valid_from", name="validity"),
        Index(None, "agency_code", "id"),
        Index(None, "agency_code", "status", "id"),
        Index(None, "owner_id_number", "kind_code", postgresql_where=text("owner_id_number IS NOT NULL")),
        Index("uq_result_supersedes", "supersedes", unique=True, postgresql_where=text("status <> 'draft'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dossier_code: Mapped[str] = mapped_column(ForeignKey("case_slice.dossier_code"))
    agency_code: Mapped[str]
    kind_code: Mapped[str]
    kind_name: Mapped[str]
    status: Mapped[str]
    sha256: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str]
    origin: Mapped[str] = mapped_column(server_default="digital")
    """Whether the document was born digital or is a certified copy of a paper."""
    signatures: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    """Who signed it, as found on entry (storage.signatures.Signature)."""
    owner_name: Mapped[str | None]
    owner_id_number: Mapped[str | None]
    """By which its owner finds it again: personal data."""
    version: Mapped[int] = mapped_column(server_default=text("1"))
    supersedes: Mapped[UUID | None] = mapped_column(ForeignKey("result.id"))
    """The version before this one, whose place it takes when it is issued."""
    drafted_at: Mapped[datetime]
    number: Mapped[str | None]
    """Số, ký hiệu; unique for an agency and a kind, also after the result's end."""
    issued_by: Mapped[str | None]
    issued_at: Mapped[datetime | None]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    """The last day on which it is valid; None: without end."""
    return_method: Mapped[str | None]
    returned_by: Mapped[str | None]
    returned_at: Mapped[datetime | None]
    receiver_id_checked: Mapped[bool | None]
    tracking_number: Mapped[str | None]
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("result.id"))
    ended_at: Mapped[datetime | None]
    """When it was superseded or revoked."""
    end_reason: Mapped[str | None]

    def validity(self, today: date) -> Validity:
        """Return what the public check says of it on a day, as Vietnam counts days."""
        found = VALIDITY[ResultStatus(self.status)]
        if found is not Validity.VALID:
            return found
        if self.valid_until and today > self.valid_until:
            return Validity.EXPIRED
        return Validity.NOT_YET_VALID if self.valid_from and today < self.valid_from else found

    def subject(self) -> str:
        """Return the dossier's code."""
        return self.dossier_code

    def key(self) -> str:
        """Return the id."""
        return str(self.id)


class DocumentAccess(ResultsBase):
    """One reading of a document: who and why. Only ever added to."""

    __tablename__ = "document_access"
    __table_args__ = (Index(None, "result_id", "id"), Index(None, "client_id", "id"), Index(None, "read_at"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    result_id: Mapped[UUID] = mapped_column(ForeignKey("result.id"))
    client_id: Mapped[str]
    agency_code: Mapped[str | None]
    """The reader's agency."""
    purpose: Mapped[str]
    via: Mapped[str] = mapped_column(server_default="download")
    """download, consent (another agency's, or a system's), grant (the owner's own), reuse (in place of a paper)."""
    dossier_code: Mapped[str | None]
    """The dossier it was read for."""
    consent_id: Mapped[UUID | None]
    read_at: Mapped[datetime]
