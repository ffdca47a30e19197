"""What results listens to, and how a batch of it is prepared."""

from collections.abc import Sequence

from services.results import operations, queries
from shared.events.envelope import Event, RawEvent
from shared.events.intake import DossierAccepted
from shared.events.payment import FeeAssessed, FeeCancelled, FeePaid, FeeWaived
from shared.events.values import CollectedAt
from shared.events.workflow import CaseCompleted, CaseWithdrawn
from shared.inbox import Handlers
from shared.work import Work


async def preload(work: Work, events: Sequence[RawEvent]) -> None:
    """Load and lock the slices of all dossiers of a batch in one statement."""
    await queries.preload_cases(work.session, {event.subject for event in events})


async def on_dossier_accepted(work: Work, event: Event[DossierAccepted]) -> None:
    """Keep a slice of the dossier."""
    announced = any(fee.amount_vnd > 0 and fee.collected is CollectedAt.ON_RETURN for fee in event.data.fees)
    operations.open_case(
        work,
        dossier_code=event.subject,
        agency_code=event.data.agency_code,
        procedure_code=event.data.procedure_code,
        owner=event.data.owner,
        fee_announced=announced,
    )


async def on_case_completed(work: Work, event: Event[CaseCompleted]) -> None:
    """Let the results be returned."""
    operations.complete_case(work, dossier_code=event.subject, event_id=event.id)


async def on_case_withdrawn(work: Work, event: Event[CaseWithdrawn]) -> None:
    """Let nothing be issued any more."""
    operations.withdraw_case(work, dossier_code=event.subject)


async def on_fee_assessed(work: Work, event: Event[FeeAssessed]) -> None:
    """Hold the results back, if the fee is collected when they are returned."""
    if event.data.collected is CollectedAt.ON_RETURN:
        operations.owe_fee(work, dossier_code=event.subject, fee_id=event.data.fee_id, amount_vnd=event.data.amount_vnd)


async def on_fee_settled(work: Work, event: Event[FeePaid] | Event[FeeWaived] | Event[FeeCancelled]) -> None:
    """Hold the results back no longer, if the fee was collected when they are returned."""
    if event.data.collected is CollectedAt.ON_RETURN:
        operations.settle_fee(work, dossier_code=event.subject, fee_id=event.data.fee_id)


HANDLERS: Handlers = {
    DossierAccepted: on_dossier_accepted,
    CaseCompleted: on_case_completed,
    CaseWithdrawn: on_case_withdrawn,
    FeeAssessed: on_fee_assessed,
    FeePaid: on_fee_settled,
    FeeWaived: on_fee_settled,
    FeeCancelled: on_fee_settled,
}
