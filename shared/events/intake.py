"""Facts that intake tells: the catalogue, and a dossier up to its acceptance."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.events.envelope import EventData
from shared.events.values import (
    Channel,
    Document,
    Duration,
    FeeItem,
    Party,
    Process,
    ReturnMethod,
    ReuseClaim,
    ServiceLevel,
)


class ProcedurePublished(EventData):
    """A version of a procedure is in force; subject is the procedure's code."""

    event_type: ClassVar[str] = "intake.procedure.published.v1"

    procedure_code: str
    version: int
    name: str
    field_code: str
    field_name: str
    service_level: ServiceLevel
    process: Process


class DossierSubmitted(EventData):
    """An applicant handed in a dossier; it has its code."""

    event_type: ClassVar[str] = "intake.dossier.submitted.v1"

    procedure_code: str
    procedure_version: int
    procedure_name: str
    field_code: str
    field_name: str
    agency_code: str
    """Who receives it."""
    agency_name: str
    competent_agency_code: str | None = None
    """Who decides on it, when another agency than the receiving one (NĐ 118/2025: received province-wide)."""
    channel: Channel
    service_level: ServiceLevel
    applicant: Party
    owner: Party
    summary: str
    submitted_at: datetime
    """When it was handed in; before the event's own time when it was entered late."""
    late_entry: bool = False
    """Entered into the system after the fact; the event's own time is when."""
    late_reason: str | None = None
    origin: str = "province"
    """`province`, or `national_portal` when the citizen submitted there."""
    origin_reference: str | None = None
    return_method: ReturnMethod
    documents: tuple[Document, ...] = ()
    fees: tuple[FeeItem, ...] = ()
    """What the procedure costs through this channel; assessed on acceptance."""
    reuse: tuple[ReuseClaim, ...] = ()
    """Papers that earlier results stand for; results answers each."""


class DossierAccepted(EventData):
    """The agency accepted the dossier as valid; the clock starts at accepted_at (NĐ 118/2025)."""

    event_type: ClassVar[str] = "intake.dossier.accepted.v1"

    procedure_code: str
    procedure_version: int
    agency_code: str
    competent_agency_code: str | None = None
    """Who decides on it, when another agency than the receiving one; its units take the steps."""
    channel: Channel
    accepted_at: datetime
    accepted_by: str
    due_at: datetime | None
    """Ngày hẹn trả; None when the procedure has no term."""
    duration: Duration | None
    calendar_version: str
    calendar_code: str = "vn"
    same_day: bool = False
    """Due by the end of the working day that the acceptance counts for (received after 15:00: the next one)."""
    late_entry: bool = False
    """Entered into the system after the fact."""
    late_reason: str | None = None
    applicant: Party
    owner: Party
    fees: tuple[FeeItem, ...] = ()


class DossierRejected(EventData):
    """The agency refused the dossier in writing, with the reason (form 03)."""

    event_type: ClassVar[str] = "intake.dossier.rejected.v1"

    reason: str
    legal_basis: str
    rejected_at: datetime
    rejected_by: str


class DossierSupplementRequested(EventData):
    """Before acceptance the agency asked for more or better papers (form 02)."""

    event_type: ClassVar[str] = "intake.dossier.supplement_requested.v1"

    supplement_id: UUID
    content: str
    requested_at: datetime
    requested_by: str
    respond_by: datetime


class DossierSupplemented(EventData):
    """The applicant answered a request made before acceptance."""

    event_type: ClassVar[str] = "intake.dossier.supplemented.v1"

    supplement_id: UUID
    answered_at: datetime
    received_by: str | None = None
    """Who took the papers, when somebody did."""
    documents: tuple[Document, ...] = ()
    reuse: tuple[ReuseClaim, ...] = ()
    """Papers that earlier results stand for; results answers each."""


class SupplementProvided(EventData):
    """The applicant answered a request made while the case was running; workflow resumes the case."""

    event_type: ClassVar[str] = "intake.supplement.provided.v1"

    supplement_id: UUID
    answered_at: datetime
    received_by: str | None = None
    """Who took the papers, when somebody did."""
    documents: tuple[Document, ...] = ()
    reuse: tuple[ReuseClaim, ...] = ()
    """Papers that earlier results stand for; results answers each."""


class WithdrawalRequested(EventData):
    """The applicant wants an accepted dossier back; workflow decides whether that is still possible."""

    event_type: ClassVar[str] = "intake.withdrawal.requested.v1"

    reason: str
    requested_at: datetime


class DossierWithdrawn(EventData):
    """The dossier was given back at the applicant's wish."""

    event_type: ClassVar[str] = "intake.dossier.withdrawn.v1"

    reason: str
    withdrawn_at: datetime
    after_acceptance: bool


class DossierRetracted(EventData):
    """The dossier was entered by mistake (twice, or for the wrong procedure) and struck off before its acceptance."""

    event_type: ClassVar[str] = "intake.dossier.retracted.v1"

    reason: str
    retracted_at: datetime
    retracted_by: str
