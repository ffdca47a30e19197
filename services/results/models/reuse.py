"""Results that stand for papers: consents, claims and what became of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.results.models.archive import ResultsBase


class Consent(ResultsBase):
    """An owner's consent to let somebody look for and read their results; only ever added to."""

    __tablename__ = "consent"
    __table_args__ = (Index(None, "owner_id_number", "id"), Index(None, "client_id", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id_number: Mapped[str]
    """Personal data."""
    consent_by: Mapped[str]
    consent_at: Mapped[datetime]
    consent_text: Mapped[str]
    purpose: Mapped[str]
    dossier_code: Mapped[str | None]
    """The dossier for which they are read."""
    client_id: Mapped[str]
    agency_code: Mapped[str | None]
    kind_codes: Mapped[list[str]] = mapped_column(JSONB)
    result_ids: Mapped[list[str]] = mapped_column(JSONB)
    """What was found, and may be read until valid_until."""
    searched_at: Mapped[datetime]
    valid_until: Mapped[datetime]


class Reuse(ResultsBase):
    """One claim that a result stands for a paper, as it was judged."""

    __tablename__ = "reuse"
    __table_args__ = (Index(None, "result_id"),)

    dossier_code: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    component_code: Mapped[str]
    result_id: Mapped[UUID]
    verdict: Mapped[str]
    """confirmed, or why not."""
    consent_by: Mapped[str]
    consent_at: Mapped[datetime]
    consent_text: Mapped[str]
    purpose: Mapped[str]
    judged_at: Mapped[datetime]


class DossierPapers(ResultsBase):
    """How the papers of a submitted dossier came: what the re-use rate is computed from."""

    __tablename__ = "dossier_papers"
    __table_args__ = (Index(None, "submitted_at"),)

    dossier_code: Mapped[str] = mapped_column(primary_key=True)
    agency_code: Mapped[str]
    procedure_code: Mapped[str]
    submitted_at: Mapped[datetime]
    papers: Mapped[int]
    """Papers of the submission."""
    digitised: Mapped[int]
    """Of these, those with a file."""
    reused: Mapped[int]
    """Papers that an earlier result stands for, confirmed, of submission and supplements."""
