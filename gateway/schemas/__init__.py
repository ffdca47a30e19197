"""HTTP bodies of the gateway."""

from gateway.schemas.catalogue import AppliedDiff, DiffOut, DiffPage, DismissBody, PullBody, PullOut
from gateway.schemas.dossiers import DossierState, DossierTimeline, TimelineOut
from gateway.schemas.feed import ChangeOut, ChangesPage
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
    "AppliedDiff",
    "CallOut",
    "ChangeOut",
    "ChangesPage",
    "DiffOut",
    "DiffPage",
    "DismissBody",
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
    "PullBody",
    "PullOut",
    "QueueOut",
    "ServiceOut",
    "TimelineOut",
    "TraceEntry",
    "TracedDossier",
    "TransactionDayOut",
    "TransactionFigures",
    "WaitingOut",
]
