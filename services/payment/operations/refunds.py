"""Refunds: a case for every sum that is not ours to keep, until it has arrived where it came from.

Whoever asks for a refund holds the lock on its fee's row, and a check of the deposit's row says the same once more: all
refunds of a deposit together are never more than the deposit.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.payment import queries
from services.payment.errors import RefundAboveDeposit, RefundImpossible
from services.payment.models import Deposit, Fee, Payment, Refund
from services.payment.operations import ledger
from services.payment.states import REFUND, Provider, RefundMethod, RefundReason, RefundStatus
from shared.events.payment import RefundDone, RefundFailed, RefundRequested, RefundSent
from shared.ids import new_id
from shared.work import Work

CARRIERS = frozenset({Provider.VNPAY})
"""Providers that carry money back by a message of their own."""
ASK_FIRST, ASK_LAST = timedelta(seconds=1), timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Destination:
    """How money goes back, and where to."""

    method: RefundMethod
    transfer_reference: str = ""
    """The bank's number of the transfer, or the number of the payment slip at the counter."""
    account_number: str | None = None
    account_bank: str | None = None
    account_name: str | None = None
    desk_shift_id: UUID | None = None
    """The shift whose drawer cash is taken from."""


def request_refund(
    work: Work,
    payment: Payment,
    deposit: Deposit,
    *,
    amount_vnd: int,
    reason: RefundReason,
    legal_basis: str | None = None,
) -> Refund:
    """Open the case of giving a recorded transaction, or a part of it, back. Emits payment.refund.requested.v1.

    Raises RefundAboveDeposit.
    """
    left_vnd = deposit.amount_vnd - deposit.refunded_vnd
    if amount_vnd > left_vnd:
        raise RefundAboveDeposit(f"At most {left_vnd} đồng of it can still go back.", left_vnd=left_vnd)
    deposit.refunded_vnd += amount_vnd
    refund = Refund(
        id=new_id(),
        payment_id=payment.id,
        fee_id=payment.fee_id,
        dossier_code=payment.dossier_code,
        agency_code=payment.agency_code,
        provider=deposit.provider,
        transaction_number=deposit.transaction_number,
        amount_vnd=amount_vnd,
        reason=reason.value,
        legal_basis=legal_basis,
        requested_at=work.now,
        asks=0,
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


def give_back(work: Work, fee: Fee, payment: Payment, deposit: Deposit, reason: RefundReason) -> Refund | None:
    """Ask for the refund of all that is left of a transaction; None when nothing is.

    Emits payment.refund.requested.v1.
    """
    left_vnd = deposit.amount_vnd - deposit.refunded_vnd
    if left_vnd <= 0:
        return None
    return refund_settled(work, fee, payment, deposit, amount_vnd=left_vnd, reason=reason)


async def refund_payment(
    work: Work, *, payment_id: UUID, amount_vnd: int | None, reason: RefundReason, legal_basis: str
) -> Refund:
    """Ask, as a person, for the refund of a payment that settled its fee, whole (all that is left) or in part.

    Emits payment.refund.requested.v1. Raises PaymentNotFound, RefundImpossible (it settled nothing),
    RefundAboveDeposit.
    """
    fee, payment = await queries.lock_payment(work.session, payment_id, work.caller)
    if not payment.settles_fee:
        raise RefundImpossible("This payment settled nothing: what it brought goes back by itself, see /refunds.")
    deposit = await queries.lock_deposit(work.session, payment)
    wanted_vnd = deposit.amount_vnd - deposit.refunded_vnd if amount_vnd is None else amount_vnd
    if wanted_vnd <= 0:
        raise RefundAboveDeposit("All of it went back, or is on its way.", left_vnd=0)
    return refund_settled(work, fee, payment, deposit, amount_vnd=wanted_vnd, reason=reason, legal_basis=legal_basis)


async def send_refund(work: Work, *, refund_id: UUID, to: Destination) -> Refund:
    """Record that money was sent back, or let the provider that took it carry it. Emits payment.refund.sent.v1.

    Raises RefundNotFound, RefundImpossible (this provider carries nothing back), IllegalMove (on its way or done),
    DeskShiftNotFound, DeskShiftClosed.
    """
    refund = await queries.lock_refund(work.session, refund_id, work.caller)
    by_provider = to.method == RefundMethod.PROVIDER
    if by_provider and refund.provider not in CARRIERS:
        raise RefundImpossible(f"{refund.provider} carries no money back: send it by bank transfer.")
    if to.desk_shift_id is not None:
        await queries.require_open_shift(work.session, to.desk_shift_id, work.caller)
    reference = new_id().hex if by_provider else to.transfer_reference
    sent = RefundSent(
        refund_id=refund.id,
        payment_id=refund.payment_id,
        amount_vnd=refund.amount_vnd,
        transfer_reference=reference,
        sent_at=work.now,
    )
    work.move(refund, REFUND, "send", sent)
    refund.method, refund.transfer_reference, refund.sent_at = to.method.value, reference, work.now
    refund.account_number, refund.account_bank, refund.account_name = (
        to.account_number,
        to.account_bank,
        to.account_name,
    )
    refund.desk_shift_id = to.desk_shift_id
    refund.failure = refund.ended_at = None
    refund.ask_at, refund.asks = (work.now if by_provider else None), 0
    ledger.post_refund_sent(work, refund)
    return refund


async def finish_refund(work: Work, *, refund_id: UUID) -> Refund:
    """Record that the money arrived. Emits payment.refund.done.v1. Raises RefundNotFound, IllegalMove (not sent)."""
    refund = await queries.lock_refund(work.session, refund_id, work.caller)
    done = RefundDone(refund_id=refund.id, payment_id=refund.payment_id, amount_vnd=refund.amount_vnd, done_at=work.now)
    work.move(refund, REFUND, "finish", done)
    refund.ended_at, refund.ask_at = work.now, None
    await ledger.post_refund_done(work, refund)
    return refund


async def fail_refund(work: Work, *, refund_id: UUID, reason: str) -> Refund:
    """Record that the money came back, on its way or after it had arrived; it can be sent again, elsewhere too.

    Emits payment.refund.failed.v1. Raises RefundNotFound, IllegalMove (not sent).
    """
    refund = await queries.lock_refund(work.session, refund_id, work.caller)
    after_done = refund.status == RefundStatus.DONE
    failed = RefundFailed(
        refund_id=refund.id,
        payment_id=refund.payment_id,
        amount_vnd=refund.amount_vnd,
        reason=reason,
        failed_at=work.now,
    )
    work.move(refund, REFUND, "fail", failed)
    refund.failure, refund.ended_at, refund.ask_at = reason, work.now, None
    await ledger.post_refund_failed(work, refund, after_done=after_done)
    return refund


async def lease_refunds(work: Work, *, most: int, lease: timedelta) -> list[tuple[Refund, Payment]]:
    """Take refunds that their provider is to carry out now; nobody else gets them before the lease ends."""
    due = await queries.lock_due_refunds(work.session, work.now, most)
    for refund, _ in due:
        refund.ask_at = work.now + lease
        refund.asks += 1
    return due


async def keep_asking(work: Work, *, refund_id: UUID) -> None:
    """Ask the provider again how a refund stands, later each time. Raises RefundNotFound."""
    refund = await queries.lock_refund(work.session, refund_id, work.caller)
    if refund.status == RefundStatus.SENT:
        refund.ask_at = work.now + min(ASK_FIRST * 2 ** min(refund.asks, 12), ASK_LAST)


def refund_settled(
    work: Work,
    fee: Fee,
    payment: Payment,
    deposit: Deposit,
    *,
    amount_vnd: int,
    reason: RefundReason,
    legal_basis: str | None = None,
) -> Refund:
    """Ask for a part of the transaction that settled a fee, whose lock is held. Emits payment.refund.requested.v1.

    Raises RefundAboveDeposit.
    """
    before_vnd = deposit.refunded_vnd
    refund = request_refund(work, payment, deposit, amount_vnd=amount_vnd, reason=reason, legal_basis=legal_basis)
    ledger.post_refund_owed(work, fee, refund, owed_before_vnd=before_vnd)
    return refund
