"""A dossier's state and timeline."""

from datetime import datetime
from typing import Any

from gateway.schemas.reconciliation import Sync
from gateway.schemas.root import Answer


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
    sync: Sync | None = None
    """What the national portal was told, and what was found otherwise there."""
