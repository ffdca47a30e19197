"""Attempts to pay a fee: opened one at a time, asked about until it is clear how they ended."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.payment import queries
from services.payment.errors import AttemptOpen, FeeNotDue
from services.payment.models import Fee, Payment
from services.payment.operations.routing import Routing
from services.payment.queries import AttemptKey
from services.payment.states import PAYMENT, FeeStatus, Outcome, PaymentStatus, Provider
from shared.clock import VN
from shared.events.payment import PaymentExpired, PaymentFailed, PaymentInitiated
from shared.ids import new_id
from shared.work import Work

ASK_LAST = timedelta(minutes=15)
"""An open attempt is asked about at least this often."""
RETRY_FIRST, RETRY_LAST = timedelta(seconds=0.5), timedelta(minutes=1)
"""How long a question without a clear answer waits, doubling."""
SWEEP_EVERY, SWEEP_FOR = timedelta(days=1), timedelta(days=7)
"""An attempt that ended without money is asked about once a day until so long after its end."""
SUFFIX_LENGTH = 12
TRANSFER_PREFIX, TRANSFER_LENGTH = "MC", 10
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXY"
"""No letter that is taken for another; as many as a prime, so that `check_letter` misses no single mistake."""


@dataclass(frozen=True, slots=True)
class Link:
    """How an attempt can be paid: at an address, or by what a QR code says."""

    pay_url: str | None = None
    qr_payload: str | None = None


async def open_attempt(
    work: Work, *, fee_id: UUID, provider: Provider, return_url: str | None, life: timedelta, routing: Routing
) -> tuple[Payment, bool]:
    """Open an attempt to pay a fee elsewhere than at the counter, or return the one that is open; tell which.

    The attempt is committed before the provider hears of it; its link comes later (`learn_link`). Emits
    payment.payment.initiated.v1. Raises FeeNotFound, FeeNotDue, ProviderNotOffered, AttemptOpen (with another
    provider).
    """
    fee = await queries.lock_fee(work.session, fee_id, work.caller)
    require_due(fee)
    routing.require(fee.agency_code, provider)
    found = _open_attempt_of(fee)
    if found is not None and found.provider == provider:
        return found, False
    if found is not None:
        raise AttemptOpen(
            f"An attempt by {found.provider} is open: let it be paid, or cancel it (POST /payments/{found.id}/cancel).",
            payment_id=found.id,
            provider=found.provider,
        )
    payment = new_payment(work, fee, provider, expires_at=work.now + life)
    payment.return_url, payment.ask_at = return_url, work.now
    return payment, True


async def cancel_attempt(work: Work, *, payment_id: UUID) -> Payment:
    """End an open attempt because the payer wants to pay otherwise; money that still comes for it goes back.

    Emits payment.payment.expired.v1. Raises PaymentNotFound, IllegalMove (has ended).
    """
    _, payment = await queries.lock_payment(work.session, payment_id, work.caller)
    _expire(work, payment)
    return payment


def require_due(fee: Fee) -> None:
    """Raise FeeNotDue unless a fee is due."""
    if fee.status != FeeStatus.DUE:
        raise FeeNotDue(f"This fee is {fee.status}.", fee_id=fee.id, fee_status=fee.status)


def new_payment(
    work: Work, fee: Fee, provider: Provider, *, expires_at: datetime | None, reference: str | None = None
) -> Payment:
    """Create an attempt to pay a fee whose lock is held, under a reference that is known already or a new one.

    Emits payment.payment.initiated.v1.
    """
    payment_id = new_id()
    payment = Payment(
        id=payment_id,
        fee=fee,
        fee_id=fee.id,
        dossier_code=fee.dossier_code,
        agency_code=fee.agency_code,
        provider=provider.value,
        reference=reference
        or (
            transfer_reference() if provider == Provider.VIETQR else _reference(fee.dossier_code, payment_id, work.now)
        ),
        amount_vnd=fee.amount_vnd,
        settles_fee=False,
        opened_at=work.now,
        expires_at=expires_at,
        asks=0,
    )
    work.session.add(payment)
    opened = PaymentInitiated(
        payment_id=payment.id,
        fee_id=fee.id,
        provider=payment.provider,
        reference=payment.reference,
        amount_vnd=payment.amount_vnd,
        expires_at=expires_at,
    )
    return work.move(payment, PAYMENT, "open", opened)


async def lease_questions(work: Work, *, most: int, lease: timedelta) -> list[Payment]:
    """Take payments that a provider is to be asked about now; nobody else gets them before the lease ends."""
    due = await queries.lock_due_questions(work.session, work.now, most)
    for payment in due:
        payment.ask_at = work.now + lease
        payment.asks += 1
    return list(due)


async def learn_link(work: Work, *, attempt: AttemptKey, link: Link, ask_after: timedelta) -> None:
    """Keep how an attempt can be paid. Raises PaymentNotFound."""
    _, payment = await queries.lock_attempt(work.session, attempt)
    if _is_open(payment):
        payment.pay_url, payment.qr_payload = link.pay_url, link.qr_payload
    _plan_question(payment, work.now, ask_after)


async def keep_waiting(work: Work, *, attempt: AttemptKey, ask_after: timedelta) -> None:
    """Take in that the provider has no money for an attempt; one that is out of time expires.

    Emits payment.payment.expired.v1. Raises PaymentNotFound.
    """
    _, payment = await queries.lock_attempt(work.session, attempt)
    if _is_open(payment) and payment.expires_at is not None and payment.expires_at <= work.now:
        _expire(work, payment)
    else:
        _plan_question(payment, work.now, ask_after)


async def ask_again(work: Work, *, attempt: AttemptKey) -> None:
    """Put a question that had no clear answer again, later each time. Raises PaymentNotFound."""
    _, payment = await queries.lock_attempt(work.session, attempt)
    if payment.status != PaymentStatus.SUCCEEDED:
        payment.ask_at = work.now + min(RETRY_FIRST * 2 ** min(payment.asks - 1, 10), RETRY_LAST)


async def fail_attempt(work: Work, *, attempt: AttemptKey, reason: str) -> Outcome:
    """Take in that an attempt failed; one that ended before stays as it is, above all one that succeeded.

    Emits payment.payment.failed.v1. Raises PaymentNotFound.
    """
    _, payment = await queries.lock_attempt(work.session, attempt)
    if not _is_open(payment):
        _plan_question(payment, work.now)
        return Outcome.TOO_LATE
    failed = PaymentFailed(
        payment_id=payment.id,
        fee_id=payment.fee_id,
        reference=payment.reference,
        reason=reason,
        failed_at=work.now,
    )
    work.move(payment, PAYMENT, "fail", failed)
    payment.failure = reason
    _end(payment, work.now)
    return Outcome.FAILED


def expire_open_attempt(work: Work, fee: Fee) -> None:
    """End the open attempt of a fee whose lock is held, if there is one. Emits payment.payment.expired.v1."""
    payment = _open_attempt_of(fee)
    if payment is not None:
        _expire(work, payment)


def open_transfer(fee: Fee) -> Payment | None:
    """Return the open attempt to pay a fee by transfer, if there is one."""
    found = _open_attempt_of(fee)
    return found if found is not None and found.provider == Provider.VIETQR else None


def _expire(work: Work, payment: Payment) -> None:
    expired = PaymentExpired(
        payment_id=payment.id, fee_id=payment.fee_id, reference=payment.reference, expired_at=work.now
    )
    work.move(payment, PAYMENT, "expire", expired)
    _end(payment, work.now)


def _end(payment: Payment, now: datetime) -> None:
    payment.ended_at, payment.pay_url, payment.qr_payload = now, None, None
    _plan_question(payment, now)


def _plan_question(payment: Payment, now: datetime, ask_after: timedelta = timedelta()) -> None:
    payment.asks, payment.ask_at = 0, _next_question(payment, now, ask_after)


def _next_question(payment: Payment, now: datetime, ask_after: timedelta) -> datetime | None:
    """Return when the provider is to be asked next after a clear answer, None for never.

    The older an open attempt, the longer the wait, up to its end. One that has ended without money is asked about once
    more when its time is over, then once a day: its link may have been paid, and nobody may have told us.
    """
    end = payment.expires_at or now
    if _is_open(payment):
        wait = max(ask_after, min(now - payment.opened_at, ASK_LAST))
        return min(now + wait, max(end, now))
    if payment.status == PaymentStatus.SUCCEEDED or now >= end + SWEEP_FOR:
        return None
    return end if end > now else now + SWEEP_EVERY


def _is_open(payment: Payment) -> bool:
    return payment.status == PaymentStatus.INITIATED


def _open_attempt_of(fee: Fee) -> Payment | None:
    return next(filter(_is_open, fee.payments), None)


def _reference(dossier_code: str, payment_id: UUID, now: datetime) -> str:
    """Return a reference that no other attempt has: readable to people, unique by the end of the payment's id."""
    letters = re.sub(r"[^0-9A-Za-z]", "", dossier_code)
    return f"dvc{letters}{now.astimezone(VN):%y%m%d%H%M%S}{payment_id.hex[-SUFFIX_LENGTH:]}"


def transfer_reference() -> str:
    """Return the words of a transfer: short, without marks, 49 random bits and a letter that checks them."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(TRANSFER_LENGTH))
    return f"{TRANSFER_PREFIX}{body}{check_letter(body)}"


def check_letter(body: str) -> str:
    """Return the letter after a reference's body; one letter mistaken or two neighbours swapped change it."""
    weighted = sum(weight * ALPHABET.index(letter) for weight, letter in zip(range(1, 64, 2), body, strict=False))
    return ALPHABET[weighted % len(ALPHABET)]
