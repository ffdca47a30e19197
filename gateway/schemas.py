"""HTTP bodies of the gateway."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field


class Answer(BaseModel):
    """Root of what the gateway answers."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class ChangeOut(Answer):
    """One change of a dossier."""

    cursor: str
    """Where to go on after this change."""
    dossier_code: str
    agency_code: str
    procedure_code: str
    event_type: str
    happened_at: datetime
    portal_status: int | None
    """TrangThaiHoSo 1–10 if this change reached one."""
    version: int
    """How many portal statuses the dossier had reached."""
    detail: dict[str, Any]


class ChangesPage(Answer):
    """A page of the feed, in commit order."""

    items: list[ChangeOut]
    next_cursor: str
    """Pass it to go on; it stays good for ever. The feed's end answers with an empty page and the same cursor."""


class TimelineOut(Answer):
    """One event of a dossier."""

    nth: int
    event_id: str
    type: str
    source: str
    happened_at: datetime
    folded_at: datetime
    portal_status: int | None
    portal_label_vi: str | None
    trace_id: str | None
    detail: dict[str, Any]


class DossierState(Answer):
    """Where a dossier stands."""

    code: str
    agency_code: str
    procedure_code: str
    portal_status: int
    portal_label_vi: str
    due_at: datetime | None


class DossierTimeline(DossierState):
    """What happened to a dossier, and where it stands."""

    items: list[TimelineOut]


class PortalDebtOut(Answer):
    """One status on its way to the portal."""

    dossier_code: str
    version: int
    status: int
    happened_at: datetime
    owed_since: datetime
    dossier_acknowledged_at: datetime | None
    acknowledged_at: datetime | None
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None


class PortalState(Answer):
    """How far the portal is in step."""

    open: int
    open_dossiers: int
    failing: int
    oldest_age_s: float
    lag_p50_s: float | None
    lag_p99_s: float | None
    dossiers: int
    dossiers_on_portal: int
    breaker: str
    stuck: list[PortalDebtOut]

    @computed_field
    @property
    def dossiers_in_step(self) -> int:
        """Dossiers of which the portal knows every status reached."""
        return self.dossiers - self.open_dossiers


class CallOut(Answer):
    """One call through the door."""

    at: datetime
    client_id: str
    service: str
    method: str
    path: str
    status: int
    duration_us: int
    trace_id: str


class PendingDiscard(Answer):
    """A wish to drop an event that waits for a second person."""

    intervention: int
    reason: str
    actor: str
    at: datetime


class WaitingOut(Answer):
    """One event that waits for another attempt or for a person, in one service."""

    service: str
    event_id: str
    subject: str
    type: str
    source: str
    sequence: int
    reason: str
    """Its first line; libraries put the values they met on the lines below."""
    attempts: int
    waiting_since: datetime
    next_attempt_at: datetime | None
    parked_at: datetime | None
    discard: PendingDiscard | None


class InterventionOut(Answer):
    """What a person did about waiting events of a dossier."""

    service: str
    id: int
    subject: str
    event_id: str | None
    action: str
    reason: str
    actor: str
    at: datetime
    consented_by: str | None
    consented_at: datetime | None


Figure = Annotated[int | None, Field(exclude_if=lambda figure: figure is None)]


class ServiceOut(Answer):
    """One service's health and what is on its way; figures it could not tell are left out."""

    status: Literal["ready", "degraded", "not_ready", "away"]
    relay: bool
    consumers: bool
    outbox_rows: Figure = None
    outbox_oldest_age_s: Annotated[float | None, Field(exclude_if=lambda age: age is None)] = None
    waiting_subjects: Figure = None
    waiting_events: Figure = None
    parked_subjects: Figure = None
    error: str | None
    """Why figures are missing: the code of a problem."""


class QueueOut(Answer):
    """One queue, as the broker counts it (refreshed by the broker every few seconds)."""

    name: str
    messages: int = 0
    messages_ready: int = 0
    messages_unacknowledged: int = 0
    consumers: int = 0
    state: str = "unknown"


class FeedEnd(Answer):
    """Where the change feed ends."""

    last_cursor: str


class Overview(Answer):
    """Everything that ops watch, at one moment."""

    at: datetime
    services: dict[str, ServiceOut]
    broker: Literal["ready", "away", "not_configured"]
    """Whether the broker's management API gave its figures."""
    queues: list[QueueOut]
    waiting: list[WaitingOut]
    """At most 200 of each service, the oldest; `services` has the counts."""
    interventions: list[InterventionOut]
    """The newest 50 of each service, newest first."""
    portal: PortalState
    changes: FeedEnd


class TraceEntry(TimelineOut):
    """One event of a dossier as ops may see it: facts of the process, nothing anybody wrote or who they are."""

    raised_at: datetime
    """When it was told; `happened_at` lies before it when the fact was entered late."""
    masked: list[str]
    """Details that exist and are not shown."""


class TracedDossier(DossierState):
    """What happened to a dossier as ops may see it, and where it stands."""

    items: list[TraceEntry]


class DossierTrace(Answer):
    """A dossier across HTTP, bus and sync; personal data is masked."""

    dossier: TracedDossier
    calls: list[CallOut]
    portal: list[PortalDebtOut]
    waiting: list[WaitingOut]


class TransactionDayOut(Answer):
    """How often a client called a service on a day."""

    day: date
    """Of the province's time, by when the calls were stored."""
    service: str
    client_id: str
    calls: int
    refused: int
    """Answered 4xx: the caller's to mend."""
    failed: int
    """Answered 5xx, or not at all."""
    request_bytes: int
    response_bytes: int
    duration_mean_ms: float


class TransactionFigures(Answer):
    """Volume and success of the calls through the door, with what the ratio was made of."""

    definition: str
    as_of: datetime
    since: date
    until: date
    """Both days are counted."""
    calls: int
    """The ratio's denominator."""
    succeeded: int
    """The ratio's numerator: calls that did not fail; a refusal is an answer."""
    success_rate: float | None
    """succeeded / calls, four digits; null without calls."""
    days: list[TransactionDayOut]
    """Newest first."""
