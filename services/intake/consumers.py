"""What intake listens to: what workflow did with dossiers that were accepted."""

from collections.abc import Sequence

from services.intake import operations, queries
from shared.events.envelope import Event, RawEvent
from shared.events.workflow import CaseCompleted, CaseSupplementRequested, CaseWithdrawn, WithdrawalRefused
from shared.inbox import Handlers
from shared.work import Work


async def preload(work: Work, events: Sequence[RawEvent]) -> None:
    """Load and lock all dossiers of a batch in one statement."""
    # The identity map holds rows weakly: they stay loaded because the session's info holds them.
    work.session.info["preloaded"] = await queries.lock_dossiers(work.session, {event.subject for event in events})


async def on_supplement_requested(work: Work, event: Event[CaseSupplementRequested]) -> None:
    """Remember what the applicant has to answer."""
    await operations.record_request(
        work,
        code=event.subject,
        supplement_id=event.data.supplement_id,
        content=event.data.content,
        requested_by=event.data.requested_by,
        requested_at=event.data.paused_at,
        respond_by=event.data.respond_by,
        cause=event.id,
    )


async def on_case_withdrawn(work: Work, event: Event[CaseWithdrawn]) -> None:
    """Give the dossier back."""
    await operations.end_by_withdrawal(
        work, code=event.subject, reason=event.data.reason, withdrawn_at=event.data.withdrawn_at
    )


async def on_withdrawal_refused(work: Work, event: Event[WithdrawalRefused]) -> None:
    """Tell why the dossier stays."""
    await operations.record_refusal(
        work, code=event.subject, reason=event.data.reason, refused_at=event.data.refused_at
    )


async def on_case_completed(work: Work, event: Event[CaseCompleted]) -> None:
    """Let the dossier be withdrawn no more."""
    await operations.record_case_end(work, code=event.subject, completed_at=event.data.completed_at)


HANDLERS: Handlers = {
    CaseSupplementRequested: on_supplement_requested,
    CaseWithdrawn: on_case_withdrawn,
    WithdrawalRefused: on_withdrawal_refused,
    CaseCompleted: on_case_completed,
}
