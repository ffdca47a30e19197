"""What results listens to, and how a batch of it is prepared."""

from collections.abc import Sequence
from uuid import UUID

import orjson

from services.results import operations, queries
from shared.events.envelope import Event, RawEvent
from shared.events.intake import (
    DossierAccepted,
    DossierRetracted,
    DossierSubmitted,
    DossierSupplemented,
    SupplementProvided,
)
from shared.events.payment import FeeAssessed, FeeCancelled, FeePaid, FeeWaived
from shared.events.values import CollectedAt
from shared.events.workflow import CaseCompleted, CaseWithdrawn
from shared.inbox import Handlers
from shared.work import Work


async def preload(work: Work, events: Sequence[RawEvent]) -> None:
    """Load and lock the slices of all dossiers of a batch in one statement."""
    await queries.preload_cases(work.session, {event.subject for event in events})
    claimed = _claimed(events)
    if claimed:
        await queries.load_claimed(work.session, claimed)


def _claimed(events: Sequence[RawEvent]) -> set[UUID]:
    """Return the results that claims in a batch name; few events carry any."""
    bodies = [orjson.loads(event.body) for event in events if event.type in _CLAIMING and b'"reuse":[{' in event.body]
    return {UUID(claim["result_id"]) for body in bodies for claim in body["reuse"]}


async def on_dossier_submitted(work: Work, event: Event[DossierSubmitted]) -> None:
    """Keep how its papers came, and judge the results that stand for some."""
    operations.keep_papers(
        work,
        dossier_code=event.subject,
        agency_code=event.data.agency_code,
        procedure_code=event.data.procedure_code,
        submitted_at=event.data.submitted_at,
        documents=event.data.documents,
    )
    await operations.judge_claims(work, dossier_code=event.subject, claims=event.data.reuse)


async def on_supplement(work: Work, event: Event[DossierSupplemented] | Event[SupplementProvided]) -> None:
    """Judge the results that stand for supplemented papers."""
    await operations.judge_claims(work, dossier_code=event.subject, claims=event.data.reuse)


async def on_dossier_retracted(work: Work, event: Event[DossierRetracted]) -> None:
    """Forget how the papers of a dossier came that was entered by mistake: no figure counts them."""
    await operations.forget_papers(work, dossier_code=event.subject)


async def on_dossier_accepted(work: Work, event: Event[DossierAccepted]) -> None:
    """Keep a slice of the dossier."""
    announced = any(fee.amount_vnd > 0 and fee.collected is CollectedAt.ON_RETURN for fee in event.data.fees)
    operations.open_case(
        work,
        dossier_code=event.subject,
        agency_code=event.data.agency_code,
        procedure_code=event.data.procedure_code,
        channel=event.data.channel,
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
    DossierSubmitted: on_dossier_submitted,
    DossierRetracted: on_dossier_retracted,
    DossierSupplemented: on_supplement,
    SupplementProvided: on_supplement,
    DossierAccepted: on_dossier_accepted,
    CaseCompleted: on_case_completed,
    CaseWithdrawn: on_case_withdrawn,
    FeeAssessed: on_fee_assessed,
    FeePaid: on_fee_settled,
    FeeWaived: on_fee_settled,
    FeeCancelled: on_fee_settled,
}

_CLAIMING = frozenset(event.event_type for event in (DossierSubmitted, DossierSupplemented, SupplementProvided))
