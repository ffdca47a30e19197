"""Money that came: it settles its fee once, with one numbered receipt; whatever else comes is to be given back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from services.payment import queries
from services.payment.errors import TransactionReused
from services.payment.models import CallbackLog, Deposit, Fee, Payment
from services.payment.operations import ledger, receipts
from services.payment.operations.attempts import expire_open_attempt, new_payment, open_transfer, require_due
from services.payment.operations.refunds import give_back, request_refund
from services.payment.operations.routing import Routing
from services.payment.queries import AttemptKey
from services.payment.states import FEE, PAYMENT, FeeStatus, Outcome, PaymentStatus, Provider, RefundReason
from shared.events.payment import FeePaid, PaymentSucceeded
from shared.events.values import CollectedAt
from shared.work import Work

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
    is_reversed: bool = False
    """The payer's bank debited it, and the provider did not complete it: whoever told it before, it goes back."""


async def take_money(work: Work, *, attempt: AttemptKey, money: Money) -> Outcome:
    """Record money that a provider has for an attempt, once, and let it settle the fee or request its refund.

    The fee is settled by the right amount, for an attempt that is open, while it is due. Anything else is money that
    is not ours to keep. A success that is reversed later opens a refund too; its fee stays paid until a person has
    looked into it. Emits payment.payment.succeeded.v1 with payment.fee.paid.v1 and payment.receipt.issued.v1,
    or with payment.refund.requested.v1.

    Raises PaymentNotFound, TransactionReused (the transaction paid another attempt).
    """
    fee, payment = await queries.lock_attempt(work.session, attempt)
    return await _take(work, fee, payment, money)


async def pay_cash(work: Work, *, fee_id: UUID, routing: Routing, desk_shift_id: UUID | None = None) -> Payment:
    """Record that a fee was paid at the counter; an open attempt to pay it elsewhere expires.

    Emits payment.payment.initiated.v1 and the events of `take_money`. Raises FeeNotFound, FeeNotDue,
    ProviderNotOffered, DeskShiftNotFound, DeskShiftClosed.
    """
    fee = await queries.lock_fee(work.session, fee_id, work.caller)
    require_due(fee)
    routing.require(fee.agency_code, Provider.CASH)
    if desk_shift_id is not None:
        await queries.require_open_shift(work.session, desk_shift_id, work.caller)
    expire_open_attempt(work, fee)
    await work.session.flush()
    payment = new_payment(work, fee, Provider.CASH, expires_at=None)
    payment.desk_shift_id = desk_shift_id
    await work.session.flush()
    await _take(work, fee, payment, Money(payment.reference, fee.amount_vnd, work.now))
    return payment


async def pay_by_transfer(work: Work, *, fee_id: UUID, money: Money) -> Payment:
    """Let a transfer that named no attempt pay a fee; another attempt that is open for it expires.

    Emits payment.payment.initiated.v1 and the events of `take_money`. Raises FeeNotFound.
    """
    fee = await queries.lock_fee(work.session, fee_id, work.caller)
    payment = open_transfer(fee)
    if payment is None:
        expire_open_attempt(work, fee)
        await work.session.flush()
        payment = new_payment(work, fee, Provider.VIETQR, expires_at=None)
        await work.session.flush()
    await _take(work, fee, payment, money)
    return payment


@dataclass(frozen=True, slots=True)
class Notice:
    """A provider's message as it is kept: nothing of it that anybody could have written is taken on trust."""

    provider: Provider
    reference: str
    transaction_number: str = ""
    code: str = ""
    key_used: str | None = None


def note_callback(work: Work, *, notice: Notice, outcome: Outcome) -> None:
    """Keep that a provider called back, and what came of it."""
    work.session.add(
        CallbackLog(
            received_at=work.now,
            provider=notice.provider.value,
            reference=notice.reference,
            transaction_number=notice.transaction_number,
            code=notice.code,
            key_used=notice.key_used,
            outcome=outcome.value,
        )
    )


async def _take(work: Work, fee: Fee, payment: Payment, money: Money) -> Outcome:
    misfit = _misfit(fee, payment, money)
    payment.ask_at = None
    deposit, is_new = await _record_deposit(work, payment, money, settles_fee=misfit is None)
    if not is_new:
        return await _take_again(work, fee, payment, deposit, money)
    _succeed(work, payment, money, settles_fee=misfit is None)
    if misfit is None:
        _settle(work, fee, payment, money)
        await receipts.issue(work, fee, payment)
        return Outcome.SETTLED
    ledger.post_unsettled(
        work,
        payment,
        transaction_number=money.transaction_number,
        amount_vnd=money.amount_vnd,
        paid_at=money.paid_at,
    )
    request_refund(work, payment, deposit, amount_vnd=money.amount_vnd, reason=misfit)
    return Outcome.WRONG_AMOUNT if misfit == RefundReason.WRONG_AMOUNT else Outcome.REFUND_REQUESTED


async def _take_again(work: Work, fee: Fee, payment: Payment, deposit: Deposit, money: Money) -> Outcome:
    """Take in what is said once more of a transaction that is known: only that it was reversed changes anything."""
    if not money.is_reversed or not give_back(work, fee, payment, deposit, RefundReason.REVERSED):
        return Outcome.DUPLICATE
    return Outcome.REFUND_REQUESTED


def _misfit(fee: Fee, payment: Payment, money: Money) -> RefundReason | None:
    """Return why money cannot settle its fee, None when it does."""
    if money.is_reversed:
        return RefundReason.REVERSED
    if payment.status == PaymentStatus.SUCCEEDED:
        return RefundReason.SECOND_TRANSACTION
    if fee.status != FeeStatus.DUE:
        return _AFTER_FEE_ENDED[FeeStatus(fee.status)]
    if payment.status != PaymentStatus.INITIATED:
        return _AFTER_ATTEMPT_ENDED[PaymentStatus(payment.status)]
    return RefundReason.WRONG_AMOUNT if money.amount_vnd != fee.amount_vnd else None


async def _record_deposit(work: Work, payment: Payment, money: Money, *, settles_fee: bool) -> tuple[Deposit, bool]:
    """Keep a transaction and tell whether it is new. Raises TransactionReused when it paid another attempt."""
    inserted = await work.session.scalar(
        insert(Deposit)
        .values(
            provider=payment.provider,
            transaction_number=money.transaction_number,
            payment_id=payment.id,
            amount_vnd=money.amount_vnd,
            refunded_vnd=0,
            settles_fee=settles_fee,
            paid_at=money.paid_at,
            recorded_at=work.now,
        )
        .on_conflict_do_nothing()
        .returning(Deposit)
    )
    if inserted is not None:
        return inserted, True
    known = await work.session.get_one(Deposit, (payment.provider, money.transaction_number))
    if known.payment_id != payment.id:
        raise TransactionReused(transaction_number=money.transaction_number)
    return known, False


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
        payment.ended_at, payment.pay_url, payment.qr_payload = work.now, None, None


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
    ledger.post_settled(work, fee, payment, transaction_number=money.transaction_number, paid_at=money.paid_at)
