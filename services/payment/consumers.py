"""Events in: what intake tells about a dossier's beginning and end."""

from collections.abc import Sequence

from services.payment import queries
from services.payment.operations import fees
from services.payment.states import RefundReason
from shared.events.envelope import Event, RawEvent
from shared.events.intake import DossierAccepted, DossierRejected, DossierRetracted, DossierWithdrawn
from shared.events.values import CollectedAt
from shared.inbox import Handlers
from shared.work import Work

NOTHING_DONE = frozenset(CollectedAt)
"""Ended before acceptance, nothing was done for the money: all of it goes back."""
RESULT_NOT_GIVEN = frozenset({CollectedAt.ON_RETURN})
"""Withdrawn after acceptance, the work was begun and its price is kept; what was paid for the result goes back."""
ENDINGS = frozenset({DossierRejected.event_type, DossierWithdrawn.event_type, DossierRetracted.event_type})


async def preload(work: Work, events: Sequence[RawEvent]) -> None:
    """Lock the fees of all dossiers that end in this batch, in two statements."""
    ended = {event.subject for event in events if event.type in ENDINGS}
    if ended:
        await queries.lock_fees_of_dossiers(work.session, ended)


async def on_dossier_accepted(work: Work, event: Event[DossierAccepted]) -> None:
    """Assess what the dossier costs."""
    fees.assess_fees(
        work,
        dossier_code=event.subject,
        agency_code=event.data.agency_code,
        procedure_code=event.data.procedure_code,
        payer=event.data.applicant,
        items=event.data.fees,
    )


async def on_dossier_rejected(work: Work, event: Event[DossierRejected]) -> None:
    """Drop what a refused dossier owes, give back what it paid."""
    await fees.drop_fees(work, dossier_code=event.subject, because=RefundReason.DOSSIER_REJECTED, refunded=NOTHING_DONE)


async def on_dossier_withdrawn(work: Work, event: Event[DossierWithdrawn]) -> None:
    """Drop what a withdrawn dossier owes, give back what was not earned."""
    refunded = RESULT_NOT_GIVEN if event.data.after_acceptance else NOTHING_DONE
    await fees.drop_fees(work, dossier_code=event.subject, because=RefundReason.DOSSIER_WITHDRAWN, refunded=refunded)


async def on_dossier_retracted(work: Work, event: Event[DossierRetracted]) -> None:
    """Drop what a dossier entered by mistake owes, give back what it paid."""
    await fees.drop_fees(
        work, dossier_code=event.subject, because=RefundReason.DOSSIER_RETRACTED, refunded=NOTHING_DONE
    )


HANDLERS: Handlers = {
    DossierAccepted: on_dossier_accepted,
    DossierRejected: on_dossier_rejected,
    DossierWithdrawn: on_dossier_withdrawn,
    DossierRetracted: on_dossier_retracted,
}
