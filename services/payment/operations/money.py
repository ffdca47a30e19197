"""Money that came: it settles its fee once, with one numbered receipt; whatever else comes is to be given back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from services.payment import queries
from services.payment.errors import TransactionReused
from services.payment.models import CallbackLog, Deposit, Fee, Payment, Receipt, ReceiptSeries
from services.payment.operations.attempts import expire_open_attempt, new_payment, require_due
from services.payment.operations.refunds import request_refund
from services.payment.states import FEE, PAYMENT, FeeStatus, Outcome, PaymentStatus, Provider, RefundReason
from shared.clock import VN
from shared.events.payment import FeePaid, PaymentSucceeded, ReceiptIssued
from shared.events.values import CollectedAt
from shared.ids import new_id
from shared.work import Work

SERIES = "BI-{year:%y}T"
"""Ký hiệu biên lai: one series a year for each issuing agency."""

_AFTER_FEE_ENDED = {
    FeeStatus.PAID: RefundReason.FEE_PAID,
    FeeStatus.WAIVED: RefundReason.FEE_WAIVED,
    FeeStatus.CANCELLED: RefundReason.FEE_CANCELLED,
}
_AFTER_ATTEMPT_ENDED = {
    PaymentStatus.SUCCEEDED: RefundReason.SECOND_TRANSACTION,
    PaymentStatus.FAILED: RefundReason.ATTEMPT_FAILED,
    PaymentStatus.EXPIRED: RefundReason.ATTEMPT_EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Money:
    """What a provider says it received: one transaction of whole đồng."""

    transaction_number: str
    amount_vnd: int
    paid_at: datetime


async def take_money(work: Work, *, reference: str, money: Money) -> Outcome:
    """Record money that a provider has for an attempt, once, and let it settle the fee or request its refund.

    The fee is settled by the right amount, for an attempt that is open, while it is due. Anything else is money that
    is not ours to keep. Emits payment.payment.succeeded.v1 with payment.fee.paid.v1 and payment.receipt.issued.v1,
    or with payment.refund.requested.v1.

    Raises PaymentNotFound, TransactionReused (the transaction paid another attempt).
    """
    fee, payment = await queries.lock_attempt(work.session, reference)
    return await _take(work, fee, payment, money)


async def pay_cash(work: Work, *, fee_id: UUID) -> Payment:
    """Record that a fee was paid at the counter; an open attempt to pay it elsewhere expires.

    Emits payment.payment.initiated.v1 and the events of `take_money`. Raises FeeNotFound, FeeNotDue.
    """
    fee = await queries.lock_fee(work.session, fee_id, work.caller)
    require_due(fee)
    expire_open_attempt(work, fee)
    await work.session.flush()
    payment = new_payment(work, fee, Provider.CASH, expires_at=None)
    await work.session.flush()
    await _take(work, fee, payment, Money(payment.reference, fee.amount_vnd, work.now))
    return payment


def note_callback(work: Work, *, reference: str, transaction_number: str, code: str, outcome: Outcome) -> None:
    """Keep that a provider called back, and what came of it."""
    work.session.add(
        CallbackLog(
            received_at=work.now,
            reference=reference,
            transaction_number=transaction_number,
            code=code,
            outcome=outcome.value,
        )
    )


async def _take(work: Work, fee: Fee, payment: Payment, money: Money) -> Outcome:
    misfit = _misfit(fee, payment, money)
    payment.ask_at = None
    if not await _record_deposit(work, payment, money, settles_fee=misfit is None):
        return Outcome.DUPLICATE
    _succeed(work, payment, money, settles_fee=misfit is None)
    if misfit is not None:
        request_refund(
            work,
            payment,
            transaction_number=money.transaction_number,
            amount_vnd=money.amount_vnd,
            reason=misfit,
        )
        return Outcome.REFUND_REQUESTED
    _settle(work, fee, payment, money)
    await _issue_receipt(work, fee, payment)
    return Outcome.SETTLED


def _misfit(fee: Fee, payment: Payment, money: Money) -> RefundReason | None:
    """Return why money cannot settle its fee, None when it does."""
    if payment.status == PaymentStatus.SUCCEEDED:
        return RefundReason.SECOND_TRANSACTION
    if fee.status != FeeStatus.DUE:
        return _AFTER_FEE_ENDED[FeeStatus(fee.status)]
    if payment.status != PaymentStatus.INITIATED:
        return _AFTER_ATTEMPT_ENDED[PaymentStatus(payment.status)]
    return RefundReason.WRONG_AMOUNT if money.amount_vnd != fee.amount_vnd else None


async def _record_deposit(work: Work, payment: Payment, money: Money, *, settles_fee: bool) -> bool:
    """Keep a transaction; return False when it is known. Raises TransactionReused when it paid another attempt."""
    inserted = await work.session.scalar(
        insert(Deposit)
        .values(
            provider=payment.provider,
            transaction_number=money.transaction_number,
            payment_id=payment.id,
            amount_vnd=money.amount_vnd,
            settles_fee=settles_fee,
            paid_at=money.paid_at,
            recorded_at=work.now,
        )
        .on_conflict_do_nothing()
        .returning(Deposit.payment_id)
    )
    if inserted is not None:
        return True
    known = await work.session.get_one(Deposit, (payment.provider, money.transaction_number))
    if known.payment_id != payment.id:
        raise TransactionReused(transaction_number=money.transaction_number)
    return False


def _succeed(work: Work, payment: Payment, money: Money, *, settles_fee: bool) -> None:
    succeeded = PaymentSucceeded(
        payment_id=payment.id,
        fee_id=payment.fee_id,
        provider=payment.provider,
        reference=payment.reference,
        transaction_number=money.transaction_number,
        amount_vnd=money.amount_vnd,
        settles_fee=settles_fee,
        succeeded_at=money.paid_at,
    )
    work.move(payment, PAYMENT, "receive", succeeded)
    if payment.transaction_number is None:
        payment.transaction_number, payment.settles_fee = money.transaction_number, settles_fee
        payment.ended_at, payment.pay_url = work.now, None


def _settle(work: Work, fee: Fee, payment: Payment, money: Money) -> None:
    paid = FeePaid(
        fee_id=fee.id,
        payment_id=payment.id,
        amount_vnd=money.amount_vnd,
        collected=CollectedAt(fee.collected),
        method=payment.provider,
        paid_at=money.paid_at,
    )
    work.move(fee, FEE, "settle", paid)
    fee.ended_at = work.now


async def _issue_receipt(work: Work, fee: Fee, payment: Payment) -> None:
    series = SERIES.format(year=work.now.astimezone(VN))
    receipt = Receipt(
        id=new_id(),
        issuer_code=fee.agency_code,
        series=series,
        number=await _next_number(work, fee.agency_code, series),
        fee_id=fee.id,
        payment_id=payment.id,
        dossier_code=fee.dossier_code,
        payer_name=fee.payer_name,
        items=fee.items,
        amount_vnd=fee.amount_vnd,
        issued_at=work.now,
    )
    work.session.add(receipt)
    issued = ReceiptIssued(
        receipt_id=receipt.id,
        fee_id=fee.id,
        payment_id=payment.id,
        issuer_code=receipt.issuer_code,
        series=receipt.series,
        number=receipt.number,
        amount_vnd=receipt.amount_vnd,
        issued_at=receipt.issued_at,
    )
    work.emit(issued, subject=fee.dossier_code)


async def _next_number(work: Work, issuer_code: str, series: str) -> int:
    """Take the next number of a series; its row stays locked until the commit, a rollback gives the number back."""
    first = insert(ReceiptSeries).values(issuer_code=issuer_code, series=series, last_number=1)
    following = first.on_conflict_do_update(
        index_elements=[ReceiptSeries.issuer_code, ReceiptSeries.series],
        set_={"last_number": ReceiptSeries.last_number + 1},
    )
    return (await work.session.execute(following.returning(ReceiptSeries.last_number))).scalar_one()
