"""Fees: assessed on acceptance; waived, or cancelled with their dossier."""

from collections.abc import Collection, Iterable
from uuid import UUID

from services.payment import queries
from services.payment.models import Dossier, Fee
from services.payment.operations import ledger
from services.payment.operations.attempts import expire_open_attempt
from services.payment.operations.refunds import give_back
from services.payment.states import FEE, FeeStatus, RefundReason
from shared.events.payment import FeeAssessed, FeeCancelled, FeeWaived
from shared.events.values import CollectedAt, FeeItem, Party
from shared.ids import new_id
from shared.work import Work


def assess_fees(
    work: Work,
    *,
    dossier_code: str,
    agency_code: str,
    procedure_code: str,
    payer: Party,
    items: Iterable[FeeItem],
) -> list[Fee]:
    """Keep the dossier, and create one fee for each occasion of collecting at which something is to be paid.

    Emits payment.fee.assessed.v1 for each.
    """
    groups = {occasion: tuple(item for item in items if item.collected == occasion) for occasion in CollectedAt}
    fees = [
        Fee(
            id=new_id(),
            dossier_code=dossier_code,
            agency_code=agency_code,
            procedure_code=procedure_code,
            collected=occasion.value,
            items=[item.model_dump(mode="json") for item in group],
            amount_vnd=sum(item.amount_vnd for item in group),
            payer_name=payer.name,
            payer_id_number=payer.id_number,
            payer_address=payer.address,
            assessed_at=work.now,
            exempted_vnd=0,
        )
        for occasion, group in groups.items()
        if any(item.amount_vnd for item in group)
    ]
    work.session.add(Dossier(code=dossier_code, agency_code=agency_code))
    for fee in fees:
        work.session.add(fee)
        work.move(fee, FEE, "assess", _assessed(fee))
        ledger.post_assessed(work, fee)
    return fees


async def waive_fee(work: Work, *, fee_id: UUID, legal_basis: str) -> Fee:
    """Lift a fee that is due; an open attempt to pay it expires.

    Emits payment.fee.waived.v1. Raises FeeNotFound, IllegalMove (not due).
    """
    fee = await queries.lock_fee(work.session, fee_id, work.caller)
    waive(work, fee, legal_basis)
    return fee


def waive(work: Work, fee: Fee, legal_basis: str) -> None:
    """Lift a fee that is due and whose lock is held. Emits payment.fee.waived.v1. Raises IllegalMove (not due)."""
    waived = FeeWaived(
        fee_id=fee.id,
        amount_vnd=fee.amount_vnd,
        collected=CollectedAt(fee.collected),
        legal_basis=legal_basis,
        waived_at=work.now,
    )
    work.move(fee, FEE, "waive", waived)
    ledger.post_waived(work, fee)
    _end(work, fee, legal_basis)


async def drop_fees(
    work: Work, *, dossier_code: str, because: RefundReason, refunded: Collection[CollectedAt]
) -> list[Fee]:
    """End the fees of a dossier that ended: what is due is cancelled, what was paid is refunded where it must be.

    `refunded` names the occasions of collecting whose paid fees go back. Emits payment.fee.cancelled.v1,
    payment.payment.expired.v1, payment.refund.requested.v1.
    """
    fees = await queries.lock_fees(work.session, dossier_code)
    for fee in fees:
        if fee.status == FeeStatus.DUE:
            _cancel(work, fee, because)
        elif fee.status == FeeStatus.PAID and fee.collected in refunded:
            await _give_back(work, fee, because)
    return fees


def _assessed(fee: Fee) -> FeeAssessed:
    return FeeAssessed(
        fee_id=fee.id,
        items=tuple(FeeItem.model_validate(item) for item in fee.items),
        amount_vnd=fee.amount_vnd,
        collected=CollectedAt(fee.collected),
        assessed_at=fee.assessed_at,
    )


def _cancel(work: Work, fee: Fee, because: RefundReason) -> None:
    cancelled = FeeCancelled(
        fee_id=fee.id,
        amount_vnd=fee.amount_vnd,
        collected=CollectedAt(fee.collected),
        reason=because.value,
        cancelled_at=work.now,
    )
    work.move(fee, FEE, "cancel", cancelled)
    ledger.post_cancelled(work, fee)
    _end(work, fee, because.value)


def _end(work: Work, fee: Fee, because: str) -> None:
    fee.ended_at, fee.ended_because = work.now, because
    expire_open_attempt(work, fee)


async def _give_back(work: Work, fee: Fee, because: RefundReason) -> None:
    settled = next(payment for payment in fee.payments if payment.settles_fee)
    give_back(work, fee, settled, await queries.lock_deposit(work.session, settled), because)
