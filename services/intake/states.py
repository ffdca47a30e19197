"""The life of a dossier up to its acceptance, and of what is asked about it afterwards."""

from enum import StrEnum

from shared.events.intake import (
    DossierAccepted,
    DossierRejected,
    DossierRetracted,
    DossierSubmitted,
    DossierSupplemented,
    DossierSupplementRequested,
    DossierWithdrawn,
    SupplementProvided,
    WithdrawalRequested,
)
from shared.states import Edge, Lifecycle


class DossierStatus(StrEnum):
    """Where a dossier stands."""

    SUBMITTED = "submitted"
    SUPPLEMENT_REQUESTED = "supplement_requested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    RETRACTED = "retracted"
    """Entered by mistake: it never was a dossier."""


S = DossierStatus

DOSSIER = Lifecycle(
    "dossier",
    DossierStatus,
    [
        Edge("submit", None, S.SUBMITTED, DossierSubmitted),
        Edge("accept", S.SUBMITTED, S.ACCEPTED, DossierAccepted),
        Edge("reject", S.SUBMITTED, S.REJECTED, DossierRejected),
        Edge("request_supplement", S.SUBMITTED, S.SUPPLEMENT_REQUESTED, DossierSupplementRequested),
        Edge("supplement", S.SUPPLEMENT_REQUESTED, S.SUBMITTED, DossierSupplemented),
        Edge("close", S.SUPPLEMENT_REQUESTED, S.REJECTED, DossierRejected),
        Edge("withdraw", S.SUBMITTED, S.WITHDRAWN, DossierWithdrawn),
        Edge("withdraw", S.SUPPLEMENT_REQUESTED, S.WITHDRAWN, DossierWithdrawn),
        Edge("retract", S.SUBMITTED, S.RETRACTED, DossierRetracted),
        Edge("retract", S.SUPPLEMENT_REQUESTED, S.RETRACTED, DossierRetracted),
        # An accepted dossier is workflow's to pause and to end: intake passes on the answer and the wish.
        Edge("supplement", S.ACCEPTED, S.ACCEPTED, SupplementProvided),
        Edge("withdraw", S.ACCEPTED, S.ACCEPTED, WithdrawalRequested),
        Edge("end_by_withdrawal", S.ACCEPTED, S.WITHDRAWN, DossierWithdrawn),
    ],
)

BY_PEOPLE = ("accept", "reject", "request_supplement", "supplement", "close", "withdraw", "retract")
"""The actions that an HTTP call can take; the others follow from events."""


def actions(
    status: DossierStatus,
    *,
    supplement_open: bool,
    withdrawal_open: bool,
    case_ended: bool,
    supplement_overdue: bool = False,
) -> list[str]:
    """Return the actions that people can take now."""
    possible = [action for action in DOSSIER.actions(status) if action in BY_PEOPLE]
    if status is S.SUPPLEMENT_REQUESTED and not supplement_overdue:
        possible.remove("close")
    if status is S.ACCEPTED and not supplement_open:
        possible.remove("supplement")
    if status is S.ACCEPTED and (withdrawal_open or case_ended):
        possible.remove("withdraw")
    return possible
