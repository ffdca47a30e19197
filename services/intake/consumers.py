"""What intake listens to: what became of accepted dossiers, and of earlier results that stand for papers."""

from collections.abc import Sequence

from services.intake import operations, queries
from shared.events.envelope import Event, RawEvent
from shared.events.results import ResultReturned, ReuseConfirmed, ReuseRefused
from shared.events.workflow import (
    CalendarPublished,
    CaseCompleted,
    CaseDueDateChanged,
    CaseResumed,
    CaseSupplementRequested,
    CaseWithdrawn,
    WithdrawalRefused,
)
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


async def on_due_date_changed(work: Work, event: Event[CaseDueDateChanged]) -> None:
    """Show the applicant the date that holds now; the promised one stays on his slip."""
    await operations.record_due_date(work, code=event.subject, due_at=event.data.due_at)


async def on_case_resumed(work: Work, event: Event[CaseResumed]) -> None:
    """Show the date that the pause moved."""
    if event.data.due_at is not None:
        await operations.record_due_date(work, code=event.subject, due_at=event.data.due_at)


async def on_result_returned(work: Work, event: Event[ResultReturned]) -> None:
    """Let the applicant see that his result was handed over."""
    await operations.record_return(work, code=event.subject, returned_at=event.data.returned_at)


async def on_reuse_confirmed(work: Work, event: Event[ReuseConfirmed]) -> None:
    """Let the earlier result stand for the paper."""
    await operations.record_reuse(
        work,
        code=event.subject,
        document_id=event.data.document_id,
        number=event.data.number,
        sha256=event.data.sha256,
        cause=event.id,
    )


async def on_reuse_refused(work: Work, event: Event[ReuseRefused]) -> None:
    """Let the paper be asked for after all."""
    await operations.record_reuse(
        work, code=event.subject, document_id=event.data.document_id, refusal=event.data.reason, cause=event.id
    )


async def on_calendar_published(work: Work, event: Event[CalendarPublished]) -> None:
    """Date acceptances by it from now on."""
    data = event.data
    await operations.keep_calendar(
        work,
        code=data.calendar_code,
        nth=data.nth,
        version=data.version,
        agencies=data.agencies,
        document=data.document,
    )


HANDLERS: Handlers = {
    CalendarPublished: on_calendar_published,
    CaseSupplementRequested: on_supplement_requested,
    CaseWithdrawn: on_case_withdrawn,
    WithdrawalRefused: on_withdrawal_refused,
    CaseCompleted: on_case_completed,
    CaseResumed: on_case_resumed,
    CaseDueDateChanged: on_due_date_changed,
    ResultReturned: on_result_returned,
    ReuseConfirmed: on_reuse_confirmed,
    ReuseRefused: on_reuse_refused,
}
