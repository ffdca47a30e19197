"""What payment reads and locks. Lists go by id, which is by time; `after` is the last id already seen."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, contains_eager, selectinload

from services.payment.errors import FeeNotFound, PaymentNotFound, ReceiptNotFound, RefundNotFound
from services.payment.models import Fee, Payment, Receipt, Refund
from services.payment.states import Provider
from shared.caller import Caller

LIST_MAX = 200
_LOCKED = "fees locked by dossier"

Listed = TypeVar("Listed", Fee, Payment, Receipt, Refund)


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list is wanted; one more than `limit` is read, which tells whether there is more."""

    limit: int
    after: UUID | None = None


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


async def lock_attempt(session: AsyncSession, reference: str) -> tuple[Fee, Payment]:
    """Lock the fee that a reference is to pay on the national platform; return both. Raises PaymentNotFound."""
    on_platform = Payment.provider == Provider.NATIONAL_PLATFORM
    owner = select(Payment.fee_id).where(Payment.reference == reference, on_platform).scalar_subquery()
    fee = await session.scalar(_locked_fees(Fee.id == owner))
    if fee is None:
        raise PaymentNotFound(reference=reference)
    return fee, next(payment for payment in fee.payments if payment.reference == reference)


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
    """Lock payments that the platform is to be asked about, with their fees; skip what another process has."""
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


async def get_payment(session: AsyncSession, payment_id: UUID, caller: Caller) -> Payment:
    """Return a payment; raises PaymentNotFound when there is none or it is not the caller's to see."""
    payment = await session.get(Payment, payment_id)
    if payment is None or not caller.may_see(payment.agency_code):
        raise PaymentNotFound(payment_id=payment_id)
    return payment


async def get_receipt(session: AsyncSession, receipt_id: UUID, caller: Caller) -> Receipt:
    """Return a receipt; raises ReceiptNotFound when there is none or it is not the caller's to see."""
    receipt = await session.get(Receipt, receipt_id)
    if receipt is None or not caller.may_see(receipt.issuer_code):
        raise ReceiptNotFound(receipt_id=receipt_id)
    return receipt


async def list_fees(session: AsyncSession, caller: Caller, window: Window, *, dossier_code: str) -> Sequence[Fee]:
    """Return a dossier's fees that the caller may see."""
    return await _list(session, Fee, [_visible(Fee.agency_code, caller), Fee.dossier_code == dossier_code], window)


async def list_payments(
    session: AsyncSession, caller: Caller, window: Window, *, dossier_code: str
) -> Sequence[Payment]:
    """Return a dossier's payments that the caller may see."""
    of_dossier = [_visible(Payment.agency_code, caller), Payment.dossier_code == dossier_code]
    return await _list(session, Payment, of_dossier, window)


async def list_receipts(
    session: AsyncSession,
    caller: Caller,
    window: Window,
    *,
    dossier_code: str | None,
    issuer_code: str | None,
    series: str | None,
) -> Sequence[Receipt]:
    """Return the receipts that the caller may see, of one dossier, issuer or series when given."""
    wanted = {Receipt.dossier_code: dossier_code, Receipt.issuer_code: issuer_code, Receipt.series: series}
    return await _list(session, Receipt, [_visible(Receipt.issuer_code, caller), *_given(wanted)], window)


async def list_refunds(
    session: AsyncSession, caller: Caller, window: Window, *, dossier_code: str | None, status: str | None
) -> Sequence[Refund]:
    """Return the refunds that the caller may see, of one dossier or in one status when given."""
    wanted = {Refund.dossier_code: dossier_code, Refund.status: status}
    return await _list(session, Refund, [_visible(Refund.agency_code, caller), *_given(wanted)], window)


def _locked_fees(which: ColumnElement[bool]) -> Any:  # noqa: ANN401 - a statement of Fee
    # In order of id, so that two batches never wait for each other; the payments are read after the lock is had.
    return select(Fee).where(which).order_by(Fee.id).with_for_update().options(selectinload(Fee.payments))


def _visible(agency: InstrumentedAttribute[str], caller: Caller) -> ColumnElement[bool]:
    if caller.agency is None:
        return false()
    return or_(agency == caller.agency, agency.startswith(f"{caller.agency}.", autoescape=True))


def _given(wanted: dict[InstrumentedAttribute[str], str | None]) -> Iterable[ColumnElement[bool]]:
    return [column == value for column, value in wanted.items() if value is not None]


async def _list(
    session: AsyncSession, model: type[Listed], conditions: Iterable[ColumnElement[bool]], window: Window
) -> Sequence[Listed]:
    query = select(model).where(*conditions).order_by(model.id).limit(min(window.limit, LIST_MAX) + 1)
    if window.after is not None:
        query = query.where(model.id > window.after)
    return (await session.scalars(query)).all()
