"""Tables of intake."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, MetaData, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import NAMES, Base

Json = dict[str, Any]


class IntakeBase(Base):
    """Root of intake's tables."""

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMES)


class Procedure(IntakeBase):
    """One version of a procedure."""

    __tablename__ = "procedure"
    __table_args__ = (
        Index(
            "ix_procedure_haystack",
            "haystack",
            postgresql_using="gin",
            postgresql_ops={"haystack": "gin_trgm_ops"},
            # Entries that wait for a merge would be read one by one by every search.
            postgresql_with={"fastupdate": "off"},
        ),
        Index(None, "field_code", "code"),
        Index("ix_procedure_receivers", "receivers", postgresql_using="gin"),
        Index(None, "revision"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry: Mapped[Json] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the entry as JSON: tells whether an import changes anything."""
    imported_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(BigInteger)
    """The catalogue's when this row was last written: a process that has an older catalogue reads only such rows."""
    haystack: Mapped[str]
    """What a search looks into: code, name and field, without accents; begins with a space, as each of its words."""
    field_code: Mapped[str]
    levels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    receivers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The agencies that are named as receivers, and all above them; empty where the levels say who receives."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Agency(IntakeBase):
    """An agency that receives dossiers."""

    __tablename__ = "agency"

    code: Mapped[str] = mapped_column(primary_key=True)
    entry: Mapped[Json] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of the entry as it was last brought in: what people changed since stays until the source changes."""
    revision: Mapped[int] = mapped_column(BigInteger)


class Field(IntakeBase):
    """A field of procedures."""

    __tablename__ = "field"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class CatalogueRevision(IntakeBase):
    """One row that grows with every change of the catalogue, so that each process sees when to read it again."""

    __tablename__ = "catalogue_revision"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger)


class AgencyDay(IntakeBase):
    """How many codes an agency has given out on a day (UTC+7)."""

    __tablename__ = "agency_day"

    agency_code: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]


class Dossier(IntakeBase):
    """A dossier; applicant and owner are personal data."""

    __tablename__ = "dossier"
    __table_args__ = (
        Index(
            "uq_dossier_origin_origin_reference",
            "origin",
            "origin_reference",
            unique=True,
            postgresql_where="origin_reference IS NOT NULL",
        ),
        Index(None, "submitted_at", "code"),
        Index(None, "agency_code", "status", "submitted_at", "code"),
        Index(None, "agency_code", "submitted_at", "code"),
        Index(None, "agency_code", "procedure_code", "submitted_at", "code"),
        Index(
            "ix_dossier_competent_agency_code_submitted_at_code",
            "competent_agency_code",
            "submitted_at",
            "code",
            postgresql_where="competent_agency_code IS NOT NULL",
        ),
        Index("uq_dossier_tracking_code", "tracking_code", unique=True),
        Index(
            "ix_dossier_procedure_code_owner_key",
            "procedure_code",
            "owner_key",
            postgresql_where="owner_key IS NOT NULL",
        ),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    tracking_code: Mapped[str]
    """Random, told to the applicant alone: opens status and dates, nothing personal."""
    status: Mapped[str]
    revision: Mapped[int]
    """Grows with every change that a reader can see; the ETag."""

    procedure_code: Mapped[str]
    procedure_version: Mapped[int]
    procedure_name: Mapped[str]
    agency_code: Mapped[str]
    """Who received it."""
    agency_name: Mapped[str]
    competent_agency_code: Mapped[str | None]
    """Who decides on it, when somebody else does."""
    channel: Mapped[str]
    return_method: Mapped[str]
    applicant: Mapped[Json] = mapped_column(JSONB)
    owner: Mapped[Json] = mapped_column(JSONB)
    owner_key: Mapped[str | None]
    """Hash of the owner's identity number, None without one: finds his other dossiers."""
    summary: Mapped[str]
    case_code: Mapped[str | None]
    """The procedure's case (trường hợp) it falls under."""
    form_code: Mapped[str | None]
    form_version: Mapped[int | None]
    form_data: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """What was filled into that version of the e-form; personal data."""
    fees: Mapped[list[Json]] = mapped_column(JSONB)
    duration: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    same_day: Mapped[bool]
    handled_as: Mapped[str]
    """`full_online` (toàn trình) or `partial` (một phần): how this dossier itself is handled."""
    handled_because: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Why it is not handled wholly online; empty when it is."""
    claims_reuse: Mapped[bool]
    """Earlier results are to stand for some of its papers."""
    submitted_at: Mapped[datetime]
    entered_at: Mapped[datetime]
    """When it came into the system; later than submitted_at for late entries."""
    late_reason: Mapped[str | None]
    """Why it was entered late."""
    submitted_by: Mapped[str]
    origin: Mapped[str]
    origin_reference: Mapped[str | None]

    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None]
    acceptance_note: Mapped[str | None]
    late_entry: Mapped[bool | None]
    acceptance_entered_at: Mapped[datetime | None]
    acceptance_late_reason: Mapped[str | None]
    due_at: Mapped[datetime | None]
    """As promised at the acceptance, printed on form 01."""
    current_due_at: Mapped[datetime | None]
    """As workflow moved it since; None while it did not."""
    calendar_code: Mapped[str | None]
    calendar_version: Mapped[str | None]
    """The calendar that due_at was reckoned by."""

    rejected_at: Mapped[datetime | None]
    rejected_by: Mapped[str | None]
    rejection_reason: Mapped[str | None]
    rejection_legal_basis: Mapped[str | None]

    withdrawal_reason: Mapped[str | None]
    withdrawal_requested_at: Mapped[datetime | None]
    withdrawal_refused_at: Mapped[datetime | None]
    withdrawal_refusal: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    retracted_at: Mapped[datetime | None]
    retracted_by: Mapped[str | None]
    retraction_reason: Mapped[str | None]

    case_completed_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]

    def subject(self) -> str:
        """Return the dossier's code."""
        return self.code

    def key(self) -> str:
        """Return the dossier's code."""
        return self.code


class Document(IntakeBase):
    """A file or a paper that was handed in."""

    __tablename__ = "document"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    # Deferred: a dossier and the documents it names are written in one flush, in whichever order.
    dossier_code: Mapped[str | None] = mapped_column(
        ForeignKey("dossier.code", deferrable=True, initially="DEFERRED"), index=True
    )
    """None until a dossier names an uploaded document."""
    component_code: Mapped[str | None]
    name: Mapped[str]
    media_type: Mapped[str | None]
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None]
    held: Mapped[bool]
    """The file was uploaded and lies in our store; otherwise only its hash, or a paper, is known."""
    reused_result: Mapped[str | None]
    """Number of the earlier result that stands for the paper; of a claim, once results confirmed it."""
    reuse: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """The claim that an earlier result stands for the paper, with consent and purpose (personal data)."""
    reuse_answer: Mapped[str | None]
    """What results said to the claim: `confirmed` or `refused`; None until it answers."""
    reuse_refusal: Mapped[str | None]
    reuse_event: Mapped[UUID | None]
    """The event of the answer."""
    added_by: Mapped[str]
    """The client that uploaded or named it."""
    added_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    """A file of a dossier that another portal is handing over: it goes then, unless the dossier has come."""

    __table_args__ = (Index("ix_document_expires_at", "expires_at", postgresql_where="expires_at IS NOT NULL"),)


class SupplementRequest(IntakeBase):
    """Something the agency asked the applicant for, before acceptance or while the case runs."""

    __tablename__ = "supplement_request"
    __table_args__ = (Index("ix_supplement_request_respond_by", "respond_by", postgresql_where="answered_at IS NULL"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dossier_code: Mapped[str] = mapped_column(ForeignKey("dossier.code"), index=True)
    cause: Mapped[UUID | None]
    """The event by which workflow asked; None for a request made before acceptance."""
    content: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    respond_by: Mapped[datetime]
    answered_at: Mapped[datetime | None]
