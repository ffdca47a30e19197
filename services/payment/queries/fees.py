"""What payment reads and locks. Lists go by id, which is by time; `after` is the last id already seen."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, contains_eager, selectinload

from services.payment.errors import FeeNotFound, PaymentNotFound, RefundNotFound
from services.payment.models import Deposit, Dossier, Fee, Payment, Refund
from services.payment.states import FeeStatus, Provider
from shared.caller import Caller

LIST_MAX = 200
_LOCKED = "fees locked by dossier"

Listed = TypeVar("Listed", Fee, Payment, Refund)


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list is wanted; one more than `limit` is read, which tells whether there is more."""

    limit: int
    after: UUID | None = None


@dataclass(frozen=True, slots=True)
class AttemptKey:
    """How a provider names an attempt; one provider can say nothing about another's."""

    provider: Provider
    reference: str


async def get_fee(session: AsyncSession, fee_id: UUID, caller: Caller) -> Fee:
    """Return a fee; raises FeeNotFound when there is none or it is not the caller's to see."""
    fee = await session.get(Fee, fee_id)
    if fee is None or not caller.may_see(fee.agency_code):
        raise FeeNotFound(fee_id=fee_id)
    return fee


async def lock_fee(session: AsyncSession, fee_id: UUID, caller: Caller) -> Fee:
    """Lock a fee and load its payments; raises FeeNotFound when there is none or it is not the caller's to see."""
    fee = await session.scalar(_locked_fees(Fee.id == fee_id))
    if fee is None or not caller.may_see(fee.agency_code):
        raise FeeNotFound(fee_id=fee_id)
    return fee


async def lock_attempt(session: AsyncSession, attempt: AttemptKey) -> tuple[Fee, Payment]:
    """Lock the fee that an attempt is to pay; return both. Raises PaymentNotFound."""
    wanted = (Payment.reference == attempt.reference) & (Payment.provider == attempt.provider)
    owner = select(Payment.fee_id).where(wanted).scalar_subquery()
    fee = await session.scalar(_locked_fees(Fee.id == owner))
    if fee is None:
        raise PaymentNotFound(reference=attempt.reference)
    return fee, next(payment for payment in fee.payments if payment.reference == attempt.reference)


async def lock_payment(session: AsyncSession, payment_id: UUID, caller: Caller) -> tuple[Fee, Payment]:
    """Lock the fee of a payment; return both. Raises PaymentNotFound, also when it is not the caller's to see."""
    owner = select(Payment.fee_id).where(Payment.id == payment_id).scalar_subquery()
    fee = await session.scalar(_locked_fees(Fee.id == owner))
    if fee is None or not caller.may_see(fee.agency_code):
        raise PaymentNotFound(payment_id=payment_id)
    return fee, next(payment for payment in fee.payments if payment.id == payment_id)


async def lock_fees_of_dossiers(session: AsyncSession, dossier_codes: Collection[str]) -> None:
    """Lock every fee of some dossiers and load their payments, so that `lock_fees` needs no query for them."""
    locked: dict[str, list[Fee]] = {code: [] for code in dossier_codes}
    for fee in await session.scalars(_locked_fees(Fee.dossier_code.in_(locked))):
        locked[fee.dossier_code].append(fee)
    session.info.setdefault(_LOCKED, {}).update(locked)


async def lock_fees(session: AsyncSession, dossier_code: str) -> list[Fee]:
    """Lock a dossier's fees and load their payments; fees assessed in this transaction are among them."""
    if dossier_code not in session.info.get(_LOCKED, ()):
        await lock_fees_of_dossiers(session, [dossier_code])
    assessed = [new for new in session.new if isinstance(new, Fee) and new.dossier_code == dossier_code]
    return [*session.info[_LOCKED][dossier_code], *assessed]


async def lock_refund(session: AsyncSession, refund_id: UUID, caller: Caller) -> Refund:
    """Lock a refund; raises RefundNotFound when there is none or it is not the caller's to see."""
    refund = await session.get(Refund, refund_id, with_for_update=True)
    if refund is None or not caller.may_see(refund.agency_code):
        raise RefundNotFound(refund_id=refund_id)
    return refund


async def lock_due_questions(session: AsyncSession, now: datetime, most: int) -> Sequence[Payment]:
    """Lock payments that a provider is to be asked about, with their fees; skip what another process has."""
    due = (
        select(Payment)
        .join(Payment.fee)
        .where(Payment.ask_at <= now)
        .order_by(Payment.ask_at)
        .limit(most)
        .with_for_update(of=Payment, skip_locked=True)
        .options(contains_eager(Payment.fee))
    )
    return (await session.scalars(due)).all()


async def lock_due_refunds(session: AsyncSession, now: datetime, most: int) -> list[tuple[Refund, Payment]]:
    """Lock refunds that a provider is to carry out, with their payments; skip what another process has."""
    due = (
        select(Refund, Payment)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.ask_at <= now)
        .order_by(Refund.ask_at)
        .limit(most)
        .with_for_update(of=Refund, skip_locked=True)
    )
    return [(refund, payment) for refund, payment in await session.execute(due)]


async def lock_deposit(session: AsyncSession, payment: Payment) -> Deposit:
    """Lock the transaction that settled a fee, whose own lock is held."""
    key = (payment.provider, str(payment.transaction_number))
    return await session.get_one(Deposit, key, with_for_update=True)


async def get_payment(session: AsyncSession, payment_id: UUID, caller: Caller) -> Payment:
    """Return a payment; raises PaymentNotFound when there is none or it is not the caller's to see."""
    payment = await session.get(Payment, payment_id)
    if payment is None or not caller.may_see(payment.agency_code):
        raise PaymentNotFound(payment_id=payment_id)
    return payment


async def list_fees(session: AsyncSession, caller: Caller, window: Window, *, dossier_code: str) -> Sequence[Fee]:
    """Return a dossier's fees that the caller may see."""
    return await _list(session, Fee, [visible(Fee.agency_code, caller), Fee.dossier_code == dossier_code], window)


async def find_dossier(session: AsyncSession, code: str) -> Dossier | None:
    """Return a dossier that was accepted."""
    return await session.get(Dossier, code)


async def list_due_fees(session: AsyncSession, dossier_code: str) -> Sequence[Fee]:
    """Return what a dossier has to pay, with the payments that were tried."""
    due = (Fee.dossier_code == dossier_code) & (Fee.status == FeeStatus.DUE)
    return (await session.scalars(select(Fee).where(due).order_by(Fee.id).options(selectinload(Fee.payments)))).all()


async def list_payments(
    session: AsyncSession, caller: Caller, window: Window, *, dossier_code: str
) -> Sequence[Payment]:
    """Return a dossier's payments that the caller may see."""
    of_dossier = [visible(Payment.agency_code, caller), Payment.dossier_code == dossier_code]
    return await _list(session, Payment, of_dossier, window)


async def list_refunds(
    session: AsyncSession, caller: Caller, window: Window, *, dossier_code: str | None, status: str | None
) -> Sequence[Refund]:
    """Return the refunds that the caller may see, of one dossier or in one status when given."""
    wanted = {Refund.dossier_code: dossier_code, Refund.status: status}
    return await _list(session, Refund, [visible(Refund.agency_code, caller), *_given(wanted)], window)


def _locked_fees(which: ColumnElement[bool]) -> Any:  # noqa: ANN401 - a statement of Fee
    # In order of id, so that two batches never wait for each other; the payments are read after the lock is had.
    return select(Fee).where(which).order_by(Fee.id).with_for_update().options(selectinload(Fee.payments))


def visible(agency: InstrumentedAttribute[Any], caller: Caller) -> ColumnElement[bool]:
    """Return the condition that a row is of one of the caller's agencies or of one below it."""
    each = (or_(agency == own, agency.startswith(f"{own}.", autoescape=True)) for own in caller.agencies)
    return or_(false(), *each)


def _given(wanted: dict[InstrumentedAttribute[str], str | None]) -> Iterable[ColumnElement[bool]]:
    return [column == value for column, value in wanted.items() if value is not None]


async def _list(
    session: AsyncSession, model: type[Listed], conditions: Iterable[ColumnElement[bool]], window: Window
) -> Sequence[Listed]:
    query = select(model).where(*conditions).order_by(model.id).limit(min(window.limit, LIST_MAX) + 1)
    if window.after is not None:
        query = query.where(model.id > window.after)
    return (await session.scalars(query)).all()
