"""What ops watch: services, queues, waiting events, one dossier's trace."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from gateway.schemas.dossiers import DossierState, TimelineOut
from gateway.schemas.portal import PortalDebtOut, PortalState
from gateway.schemas.reconciliation import Sync
from gateway.schemas.root import Answer
from gateway.schemas.transactions import CallOut


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
    sync: Sync
    waiting: list[WaitingOut]
