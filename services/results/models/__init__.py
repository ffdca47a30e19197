"""Tables of results."""

from services.results.models.archive import CaseSlice, DocumentAccess, Result, ResultsBase
from services.results.models.backlog import (
    BacklogChunk,
    BacklogReject,
    BacklogRun,
    DigitisedAccess,
    DigitisedDay,
    DigitisedResult,
)
from services.results.models.plans import DigitisationPlan
from services.results.models.policies import KindPolicy
from services.results.models.returns import HandOver
from services.results.models.reuse import Consent, DossierPapers, Reuse
from services.results.models.scrubbing import Finding, ScrubRound

__all__ = [
    "BacklogChunk",
    "BacklogReject",
    "BacklogRun",
    "CaseSlice",
    "Consent",
    "DigitisationPlan",
    "DigitisedAccess",
    "DigitisedDay",
    "DigitisedResult",
    "DocumentAccess",
    "DossierPapers",
    "Finding",
    "HandOver",
    "KindPolicy",
    "Result",
    "ResultsBase",
    "Reuse",
    "ScrubRound",
]
