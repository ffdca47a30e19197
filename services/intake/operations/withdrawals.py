"""What becomes of a dossier after its acceptance, as others tell it; withdrawals, done at once before it."""

from collections.abc import Collection
from datetime import datetime

from services.intake import queries
from services.intake.errors import CaseEnded, WithdrawalPending
from services.intake.models import Dossier
from services.intake.states import DOSSIER, DossierStatus
from shared.errors import CauseMissing
from shared.events.intake import DossierWithdrawn, WithdrawalRequested
from shared.work import Work


async def withdraw_dossier(work: Work, *, code: str, reason: str, revisions: Collection[int] | None = None) -> Dossier:
    """Give a dossier back at the applicant's wish, or ask workflow to when it is accepted.

    Emits intake.dossier.withdrawn.v1, or intake.withdrawal.requested.v1 for an accepted dossier.
    Raises DossierNotFound, ChangedMeanwhile, IllegalMove, WithdrawalPending, CaseEnded.
    """
    dossier = await queries.lock_dossier(work.session, code, caller=work.caller, revisions=revisions)
    if dossier.status == DossierStatus.ACCEPTED:
        return _ask(work, dossier, reason)
    withdrawn = DossierWithdrawn(reason=reason, withdrawn_at=work.now, after_acceptance=False)
    work.move(dossier, DOSSIER, "withdraw", withdrawn)
    dossier.withdrawal_reason, dossier.withdrawn_at = reason, work.now
    dossier.revision += 1
    return dossier


def _ask(work: Work, dossier: Dossier, reason: str) -> Dossier:
    if dossier.case_completed_at is not None:
        raise CaseEnded
    if dossier.withdrawal_requested_at is not None and dossier.withdrawal_refused_at is None:
        raise WithdrawalPending
    dossier.withdrawal_reason, dossier.withdrawal_requested_at = reason, work.now
    dossier.withdrawal_refused_at = dossier.withdrawal_refusal = None
    dossier.revision += 1
    return work.move(dossier, DOSSIER, "withdraw", WithdrawalRequested(reason=reason, requested_at=work.now))


async def end_by_withdrawal(work: Work, *, code: str, reason: str, withdrawn_at: datetime) -> Dossier:
    """Follow workflow, which ended the case of an accepted dossier at the applicant's wish.

    Emits intake.dossier.withdrawn.v1. Raises CauseMissing, IllegalMove.
    """
    dossier = await _known(work, code)
    withdrawn = DossierWithdrawn(reason=reason, withdrawn_at=withdrawn_at, after_acceptance=True)
    work.move(dossier, DOSSIER, "end_by_withdrawal", withdrawn)
    dossier.withdrawn_at = withdrawn_at
    dossier.revision += 1
    return dossier


async def record_refusal(work: Work, *, code: str, reason: str, refused_at: datetime) -> Dossier:
    """Remember that workflow could not withdraw the dossier any more, and why. Raises CauseMissing."""
    dossier = await _known(work, code)
    dossier.withdrawal_refusal, dossier.withdrawal_refused_at = reason, refused_at
    dossier.revision += 1
    return dossier


async def record_case_end(work: Work, *, code: str, completed_at: datetime) -> Dossier:
    """Remember that the case is completed: the dossier can no longer be withdrawn. Raises CauseMissing."""
    dossier = await _known(work, code)
    dossier.case_completed_at = completed_at
    dossier.revision += 1
    return dossier


async def record_due_date(work: Work, *, code: str, due_at: datetime) -> Dossier:
    """Remember the due date as workflow moved it; the promised one stays. Raises CauseMissing."""
    dossier = await _known(work, code)
    dossier.current_due_at = due_at
    dossier.revision += 1
    return dossier


async def record_return(work: Work, *, code: str, returned_at: datetime) -> Dossier:
    """Remember that the result was handed over. Raises CauseMissing."""
    dossier = await _known(work, code)
    dossier.returned_at = returned_at
    dossier.revision += 1
    return dossier


async def _known(work: Work, code: str) -> Dossier:
    dossier = await work.session.get(Dossier, code)
    if dossier is None:
        raise CauseMissing("the dossier is not here yet")
    return dossier
