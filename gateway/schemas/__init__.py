"""HTTP bodies of the gateway."""

from gateway.schemas.dossiers import DossierState, DossierTimeline, TimelineOut
from gateway.schemas.evidence import AnchorState, EvidenceState
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
from gateway.schemas.transactions import CallOut, CauseOut, TransactionDayOut, TransactionFigures

__all__ = [
    "AnchorState",
    "Answer",
    "CallOut",
    "CauseOut",
    "ChangeOut",
    "ChangesPage",
    "DossierState",
    "DossierTimeline",
    "DossierTrace",
    "EvidenceState",
    "FeedEnd",
    "Figure",
    "InterventionOut",
    "Overview",
    "PendingDiscard",
    "PortalDebtOut",
    "PortalState",
    "QueueOut",
    "ServiceOut",
    "TimelineOut",
    "TraceEntry",
    "TracedDossier",
    "TransactionDayOut",
    "TransactionFigures",
    "WaitingOut",
]
