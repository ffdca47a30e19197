"""Refunds: a case for every sum that is not ours to keep, until the bank transfer back has arrived."""

from uuid import UUID

from services.payment import queries
from services.payment.models import Payment, Refund
from services.payment.states import REFUND, RefundReason
from shared.events.payment import RefundDone, RefundFailed, RefundRequested, RefundSent
from shared.ids import new_id
from shared.work import Work


def request_refund(
    work: Work, payment: Payment, *, transaction_number: str, amount_vnd: int, reason: RefundReason
) -> Refund:
    """Open the case of giving a recorded transaction back. Emits payment.refund.requested.v1."""
    refund = Refund(
        id=new_id(),
        payment_id=payment.id,
        fee_id=payment.fee_id,
        dossier_code=payment.dossier_code,
        agency_code=payment.agency_code,
        provider=payment.provider,
        transaction_number=transaction_number,
        amount_vnd=amount_vnd,
        reason=reason.value,
        requested_at=work.now,
    )
    work.session.add(refund)
    requested = RefundRequested(
        refund_id=refund.id,
        payment_id=refund.payment_id,
        fee_id=refund.fee_id,
        amount_vnd=refund.amount_vnd,
        reason=refund.reason,
        requested_at=refund.requested_at,
    )
    return work.move(refund, REFUND, "request", requested)


async def send_refund(work: Work, *, refund_id: UUID, transfer_reference: str) -> Refund:
    """Record that the transfer back was ordered at the bank. Emits payment.refund.sent.v1.

    Raises RefundNotFound, IllegalMove (on its way or done).
    """
    refund = await queries.lock_refund(work.session, refund_id, work.caller)
    sent = RefundSent(
        refund_id=refund.id,
        payment_id=refund.payment_id,
        amount_vnd=refund.amount_vnd,
        transfer_reference=transfer_reference,
        sent_at=work.now,
    )
    work.move(refund, REFUND, "send", sent)
    refund.transfer_reference, refund.sent_at = transfer_reference, work.now
    refund.failure = refund.ended_at = None
    return refund


async def finish_refund(work: Work, *, refund_id: UUID) -> Refund:
    """Record that the money arrived. Emits payment.refund.done.v1. Raises RefundNotFound, IllegalMove (not sent)."""
    refund = await queries.lock_refund(work.session, refund_id, work.caller)
    done = RefundDone(refund_id=refund.id, payment_id=refund.payment_id, amount_vnd=refund.amount_vnd, done_at=work.now)
    work.move(refund, REFUND, "finish", done)
    refund.ended_at = work.now
    return refund


async def fail_refund(work: Work, *, refund_id: UUID, reason: str) -> Refund:
    """Record that the transfer came back; it can be sent again. Emits payment.refund.failed.v1.

    Raises RefundNotFound, IllegalMove (not sent).
    """
    refund = await queries.lock_refund(work.session, refund_id, work.caller)
    failed = RefundFailed(
        refund_id=refund.id,
        payment_id=refund.payment_id,
        amount_vnd=refund.amount_vnd,
        reason=reason,
        failed_at=work.now,
    )
    work.move(refund, REFUND, "fail", failed)
    refund.failure, refund.ended_at = reason, work.now
    return refund
