"""HTTP bodies of the gateway."""

from gateway.schemas.dossiers import DossierState, DossierTimeline, TimelineOut
from gateway.schemas.feed import ChangeOut, ChangesPage, SnapshotItem, SnapshotPage
from gateway.schemas.ops import (
    DossierTrace,
    FeedEnd,
    Figure,
    InterventionOut,
    Overview,
    PendingDiscard,
    QueueOut,
    ServiceOut,
    TracedDossier,
    TraceEntry,
    WaitingOut,
)
from gateway.schemas.portal import PortalDebtOut, PortalState
from gateway.schemas.root import Answer
from gateway.schemas.transactions import CallOut, TransactionDayOut, TransactionFigures

__all__ = [
    "Answer",
    "CallOut",
    "ChangeOut",
    "ChangesPage",
    "DossierState",
    "DossierTimeline",
    "DossierTrace",
    "FeedEnd",
    "Figure",
    "InterventionOut",
    "Overview",
    "PendingDiscard",
    "PortalDebtOut",
    "PortalState",
    "QueueOut",
    "ServiceOut",
    "SnapshotItem",
    "SnapshotPage",
    "TimelineOut",
    "TraceEntry",
    "TracedDossier",
    "TransactionDayOut",
    "TransactionFigures",
    "WaitingOut",
]
