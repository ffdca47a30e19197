"""Tables of results."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
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
        Index(None, "agency_code", "id"),
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
    drafted_at: Mapped[datetime]
    number: Mapped[str | None]
    """Số, ký hiệu; unique for an agency and a kind, also after the result's end."""
    issued_by: Mapped[str | None]
    issued_at: Mapped[datetime | None]
    return_method: Mapped[str | None]
    returned_by: Mapped[str | None]
    returned_at: Mapped[datetime | None]
    receiver_id_checked: Mapped[bool | None]
    tracking_number: Mapped[str | None]
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("result.id"))
    ended_at: Mapped[datetime | None]
    """When it was superseded or revoked."""
    end_reason: Mapped[str | None]

    @property
    def validity(self) -> Validity:
        """What the public check says of it."""
        return VALIDITY[ResultStatus(self.status)]

    def subject(self) -> str:
        """Return the dossier's code."""
        return self.dossier_code

    def key(self) -> str:
        """Return the id."""
        return str(self.id)


class DocumentAccess(ResultsBase):
    """One reading of a document: who and why. Only ever added to."""

    __tablename__ = "document_access"
    __table_args__ = (Index(None, "result_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    result_id: Mapped[UUID] = mapped_column(ForeignKey("result.id"))
    client_id: Mapped[str]
    agency_code: Mapped[str | None]
    """The reader's agency."""
    purpose: Mapped[str]
    read_at: Mapped[datetime]
