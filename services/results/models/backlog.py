"""Tables of the backlog: results on paper that were scanned, and the journal of the runs that brought them in."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.results.models.archive import ResultsBase


class BacklogRun(ResultsBase):
    """One index that is being, or was, imported; the same index is always the same run."""

    __tablename__ = "backlog_run"
    __table_args__ = (UniqueConstraint("index_sha256"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    index_sha256: Mapped[str]
    index_name: Mapped[str]
    rows_total: Mapped[int]
    next_row: Mapped[int]
    """First row that no chunk has dealt with; rows count from 1, the heading does not count."""
    imported_by: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class BacklogChunk(ResultsBase):
    """Rows of a run that were dealt with in one transaction: the run's journal."""

    __tablename__ = "backlog_chunk"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("backlog_run.id"), primary_key=True)
    first_row: Mapped[int] = mapped_column(primary_key=True)
    last_row: Mapped[int]
    kept: Mapped[int]
    duplicates: Mapped[int]
    rejected: Mapped[int]
    kept_bytes: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class BacklogReject(ResultsBase):
    """A row that could not be taken, as it was written: personal data."""

    __tablename__ = "backlog_reject"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("backlog_run.id"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True)
    cells: Mapped[list[str]] = mapped_column(JSONB)
    """What stood in the index's columns, in their order."""
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """Objects of field, code, message, message_vi."""


class DigitisedResult(ResultsBase):
    """A result on paper, scanned: it was issued outside this system, so it has no dossier here and tells no events."""

    __tablename__ = "digitised_result"
    __table_args__ = (
        UniqueConstraint("agency_code", "kind_code", "number"),
        UniqueConstraint("sha256"),
        UniqueConstraint("run_id", "row_no"),
        CheckConstraint("signature IN ('none', 'valid')", name="signature"),
        CheckConstraint("(identity_kind IS NULL) = (identity_number IS NULL)", name="identity"),
        Index(None, "number"),
        Index(None, "identity_number", "kind_code"),
        Index(None, "agency_code", "id"),
        Index(None, "agency_code", "kind_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("backlog_run.id"))
    row_no: Mapped[int]
    agency_code: Mapped[str]
    """Who issued it."""
    kind_code: Mapped[str]
    kind_name: Mapped[str]
    number: Mapped[str]
    owner_kind: Mapped[str]
    owner_name: Mapped[str]
    identity_kind: Mapped[str | None]
    """cccd, cmnd or mst; old papers may name none, and such a result is found by its number only."""
    identity_number: Mapped[str | None]
    issued_on: Mapped[date]
    issued_by: Mapped[str | None]
    valid_until: Mapped[date | None]
    """Last day on which it is valid; None is without end."""
    procedure_code: Mapped[str | None]
    dossier_code: Mapped[str | None]
    """What the old dossier was called, in any form."""
    sha256: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str]
    pages: Mapped[int | None]
    """Pages of a PDF; None for a picture."""
    signature: Mapped[str]
    """`none`: digitised unsigned, a picture of the paper without legal force of its own; `valid`: checked on entry."""
    digitised_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it was set aside."""
    end_reason: Mapped[str | None]

    def valid_on(self, day: date) -> bool:
        """Tell whether it was not set aside and has not run out on a day."""
        return self.ended_at is None and (self.valid_until is None or self.valid_until >= day)


class DigitisedDay(ResultsBase):
    """How many results of an agency were digitised on a day (UTC+7); counted in the transaction that keeps them."""

    __tablename__ = "digitised_day"

    agency_code: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    results: Mapped[int]


class DigitisedAccess(ResultsBase):
    """One reading of a scan: who and why. Only ever added to."""

    __tablename__ = "digitised_access"
    __table_args__ = (Index(None, "digitised_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    digitised_id: Mapped[UUID] = mapped_column(ForeignKey("digitised_result.id"))
    client_id: Mapped[str]
    agency_code: Mapped[str | None]
    """The reader's agency."""
    purpose: Mapped[str]
    read_at: Mapped[datetime]
