"""HTTP bodies of the gateway."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


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


class DossierTimeline(Answer):
    """What happened to a dossier, and where it stands."""

    code: str
    agency_code: str
    procedure_code: str
    portal_status: int
    portal_label_vi: str
    due_at: datetime | None
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


class DossierTrace(Answer):
    """A dossier across HTTP, bus and sync."""

    dossier: DossierTimeline
    calls: list[CallOut]
    portal: list[PortalDebtOut]
