"""Events in: what workflow does about the facts that others tell."""

from collections.abc import Sequence

from services.workflow import queries
from services.workflow.operations import cases, processes, results
from shared.events.envelope import Event, RawEvent
from shared.events.intake import DossierAccepted, ProcedurePublished, SupplementProvided, WithdrawalRequested
from shared.events.payment import FeeCancelled, FeePaid, FeeWaived
from shared.events.results import ResultIssued, ResultReturned
from shared.events.values import CollectedAt
from shared.inbox import Handlers
from shared.work import Work

STARTING = frozenset({DossierAccepted.event_type, ResultIssued.event_type, ResultReturned.event_type})
"""Facts that need to know of results told of before their case."""


async def preload(work: Work, events: Sequence[RawEvent]) -> None:
    """Lock the cases of a batch in order of code and read their tasks: two statements, whatever the batch's size.

    A third one finds what was told of the results of cases that are about to start.
    """
    codes = {event.subject for event in events if event.type != ProcedurePublished.event_type}
    await queries.lock_cases(work.session, codes)
    starting = {event.subject for event in events if event.type in STARTING}
    if starting:
        await queries.load_early_results(work.session, starting)


async def on_procedure_published(work: Work, event: Event[ProcedurePublished]) -> None:
    """Keep the version's process."""
    data = event.data
    await processes.keep_process(
        work,
        procedure_code=data.procedure_code,
        version=data.version,
        process=data.process,
        procedure_name=data.name,
    )


async def on_dossier_accepted(work: Work, event: Event[DossierAccepted]) -> None:
    """Start the case."""
    data = event.data
    await cases.start_case(
        work,
        dossier_code=event.subject,
        procedure_code=data.procedure_code,
        procedure_version=data.procedure_version,
        agency_code=data.agency_code,
        competent_agency_code=data.competent_agency_code,
        applicant_name=data.applicant.name,
        accepted_at=data.accepted_at,
        late_entry=data.late_entry,
        due_at=data.due_at,
        term=data.duration,
        same_day=data.same_day,
        calendar_code=data.calendar_code,
        calendar_version=data.calendar_version,
        fee_outstanding_vnd=sum(fee.amount_vnd for fee in data.fees if fee.collected == CollectedAt.ON_ACCEPTANCE),
        facts=_facts(data),
    )


def _facts(data: DossierAccepted) -> dict[str, str | bool | int]:
    """Return what decisions of a process can ask about an accepted dossier (branching.CASE_FACTS)."""
    return {
        "channel": data.channel,
        "applicant_kind": data.applicant.kind,
        "owner_kind": data.owner.kind,
        "fee_vnd": sum(fee.amount_vnd for fee in data.fees),
        "agency_code": data.agency_code,
        "procedure_code": data.procedure_code,
        "late_entry": data.late_entry,
    }


async def on_supplement_provided(work: Work, event: Event[SupplementProvided]) -> None:
    """Take the answer."""
    data = event.data
    await cases.take_supplement(
        work, dossier_code=event.subject, supplement_id=data.supplement_id, answered_at=data.answered_at
    )


async def on_withdrawal_requested(work: Work, event: Event[WithdrawalRequested]) -> None:
    """Decide whether the dossier can still be withdrawn."""
    await cases.decide_withdrawal(work, dossier_code=event.subject, reason=event.data.reason)


async def on_fee_paid(work: Work, event: Event[FeePaid]) -> None:
    """Go on when the case waited for the money; what is collected on return does not concern it."""
    if event.data.collected == CollectedAt.ON_ACCEPTANCE:
        await cases.settle_fee(work, dossier_code=event.subject, settled_at=event.data.paid_at)


async def on_fee_waived(work: Work, event: Event[FeeWaived]) -> None:
    """Go on when the case waited for the money that is no longer asked."""
    if event.data.collected == CollectedAt.ON_ACCEPTANCE:
        await cases.settle_fee(work, dossier_code=event.subject, settled_at=event.data.waived_at)


async def on_fee_cancelled(work: Work, event: Event[FeeCancelled]) -> None:
    """Go on when the case waited for the money that fell away."""
    if event.data.collected == CollectedAt.ON_ACCEPTANCE:
        await cases.settle_fee(work, dossier_code=event.subject, settled_at=event.data.cancelled_at)


async def on_result_issued(work: Work, event: Event[ResultIssued]) -> None:
    """Keep that a result exists: a case whose steps are still open is finished in fact."""
    await results.note_result(work, dossier_code=event.subject, issued_at=event.data.issued_at)


async def on_result_returned(work: Work, event: Event[ResultReturned]) -> None:
    """Keep that the owner has the result."""
    await results.note_result(work, dossier_code=event.subject, returned_at=event.data.returned_at)


HANDLERS: Handlers = {
    ProcedurePublished: on_procedure_published,
    DossierAccepted: on_dossier_accepted,
    SupplementProvided: on_supplement_provided,
    WithdrawalRequested: on_withdrawal_requested,
    FeePaid: on_fee_paid,
    FeeWaived: on_fee_waived,
    FeeCancelled: on_fee_cancelled,
    ResultIssued: on_result_issued,
    ResultReturned: on_result_returned,
}
