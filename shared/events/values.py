"""Value shapes that several events carry."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A part of an event's data."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Channel(StrEnum):
    """How a dossier came in (kênh)."""

    DIRECT = "direct"
    ONLINE = "online"
    POSTAL = "postal"


class ServiceLevel(StrEnum):
    """How far a procedure goes online (mức độ)."""

    FULL_ONLINE = "full_online"
    PARTIAL = "partial"
    INFORMATION = "information"


class PartyKind(StrEnum):
    """Who somebody is, as the portal's LoaiDoiTuong tells them apart."""

    CITIZEN = "citizen"
    ORGANISATION = "organisation"
    STATE_AGENCY = "state_agency"
    OTHER = "other"


class IdKind(StrEnum):
    """Kind of identity number: CCCD of 12 digits, CMND of 9, tax code (MST)."""

    CCCD = "cccd"
    CMND = "cmnd"
    MST = "mst"


class DurationUnit(StrEnum):
    """Unit of a procedure's term."""

    HOUR = "hour"
    WORKING_HOUR = "working_hour"
    DAY = "day"
    WORKING_DAY = "working_day"
    MONTH = "month"


class DueDateReason(StrEnum):
    """Why a due date moved without a pause."""

    EXTENSION = "extension"
    CALENDAR = "calendar"
    CORRECTION = "correction"


class Comparison(StrEnum):
    """How a condition compares a fact with its value."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="


class FeeKind(StrEnum):
    """Phí (a price of a service) or lệ phí (a charge)."""

    PHI = "phi"
    LE_PHI = "le_phi"


class CollectedAt(StrEnum):
    """When a fee falls due."""

    ON_ACCEPTANCE = "on_acceptance"
    ON_RETURN = "on_return"


class ReturnMethod(StrEnum):
    """How the result reaches its owner."""

    COUNTER = "counter"
    ONLINE = "online"
    POSTAL = "postal"


class Party(Value):
    """A person or body; personal data: never in logs, metrics, traces, queue names or URLs."""

    kind: PartyKind
    name: str
    id_kind: IdKind | None = None
    id_number: str | None = None
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    portal_account: str | None = None
    """TechID of the national portal's account, if one submitted."""
    eid_verified: bool = False
    """The account was verified with VNeID."""


class Document(Value):
    """A file handed in for a component, or a paper shown at the counter (no file, no hash)."""

    id: UUID
    component_code: str
    name: str
    media_type: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    digitised: bool = False
    """A file exists for the paper."""
    reused_result: str | None = None
    """Number of an earlier result used in place of a new paper."""
    stored: bool = False
    """The file lies in our store and can be fetched; otherwise only its hash, or a paper, is known."""
    from_national_store: bool = False
    """It was taken from the applicant's own store at the national portal (kho dữ liệu điện tử)."""
    replaces: UUID | None = None
    """The earlier document of the dossier in whose place it comes: that one no longer counts."""


class ReuseClaim(Value):
    """A result of an earlier dossier offered instead of a paper; results checks it and answers with a fact."""

    document_id: UUID
    """The Document of the same event that stands for the paper."""
    component_code: str
    result_id: UUID
    owner: Party
    """Whose result it must be: personal data."""
    consent_by: str
    """Who consented to the reading: personal data."""
    consent_at: datetime
    consent_text: str
    """What was consented to, in the words shown."""
    purpose: str


class FeeItem(Value):
    """One phí or lệ phí in whole đồng for the dossier's channel."""

    code: str
    name: str
    kind: FeeKind
    amount_vnd: int
    collected: CollectedAt = CollectedAt.ON_ACCEPTANCE


class Duration(Value):
    """A term as the law states it."""

    amount: float
    unit: DurationUnit


class ProcessStep(Value):
    """A step of a process: it opens when all that `after` names is settled and at least one way leads to it."""

    key: str
    name: str
    unit: str
    role: str
    minutes: int
    """Working minutes the step may take."""
    after: tuple[str, ...] = ()
    """Keys of steps, or `decision:branch`."""
    awaits_payment: bool = False
    """The step opens only when no fee collected on acceptance is outstanding."""
    output: str | None = None
    """`result` where the step makes the result."""


class Condition(Value):
    """When a branch is taken: a fact of the case, or `outcome`, what the official chose, compared with a value."""

    fact: str
    op: Comparison = Comparison.EQUAL
    value: str | bool | int | float


class Branch(Value):
    """One way out of a decision."""

    key: str
    name: str
    when: Condition | None = None
    """None: taken when no other is."""


class Decision(Value):
    """A fork of a process of which one branch is taken, the first whose condition holds."""

    key: str
    name: str
    after: tuple[str, ...] = ()
    """Keys of steps, or `decision:branch`; none: decided when the case starts."""
    branches: tuple[Branch, ...]


class Process(Value):
    """The definition of how cases of a procedure run; its version is the procedure's."""

    code: str
    steps: tuple[ProcessStep, ...]
    decisions: tuple[Decision, ...] = ()


class Pause(Value):
    """One span in which the clock stood still."""

    reason: str
    paused_at: datetime
    resumed_at: datetime | None = None
