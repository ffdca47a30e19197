"""Receipts, and who issues them for whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.payment.errors import IssuingNotYours, ReceiptNotFound
from services.payment.models import Fee, Issuer, Payment, Receipt, ReceiptDocument
from services.payment.queries.fees import LIST_MAX, Window
from services.payment.states import Covers
from shared.caller import Caller

FORM_NUMBER, LETTERS = "01BLP0-001", "BI"
"""Ký hiệu mẫu and ký hiệu of agencies that have said nothing else (NĐ 123/2020/NĐ-CP, biên lai điện tử)."""

_ISSUING = text(
    """
    SELECT issuing.code, issuer.forms
    FROM (SELECT coalesce((SELECT issuer_code FROM issuing_delegation
                           WHERE agency_code = :agency AND valid_from <= :day
                           ORDER BY valid_from DESC LIMIT 1), :agency) AS code) AS issuing
    LEFT JOIN LATERAL (SELECT forms FROM issuer WHERE issuer.code = issuing.code AND valid_from <= :day
                       ORDER BY valid_from DESC LIMIT 1) AS issuer ON true
    """
)


@dataclass(frozen=True, slots=True)
class Form:
    """A form of receipt and the letters of its series."""

    covers: Covers
    form_number: str
    letters: str


@dataclass(frozen=True, slots=True)
class Issuing:
    """Who issues receipts for an agency, in which forms."""

    issuer_code: str
    forms: Sequence[Form]


async def get_issuing(session: AsyncSession, agency_code: str, day: date) -> Issuing:
    """Return who issues receipts for an agency on a day: itself, unless it is delegated."""
    row = (await session.execute(_ISSUING, {"agency": agency_code, "day": day})).one()
    forms = row.forms or [{"covers": Covers.BOTH, "form_number": FORM_NUMBER, "letters": LETTERS}]
    return Issuing(
        row.code, tuple(Form(Covers(form["covers"]), form["form_number"], form["letters"]) for form in forms)
    )


async def get_issuing_of(session: AsyncSession, agency_code: str, day: date, caller: Caller) -> Issuing:
    """Return who issues receipts for an agency on a day; raises IssuingNotYours when it is not the caller's to see."""
    if not caller.may_see(agency_code):
        raise IssuingNotYours(agency_code=agency_code)
    return await get_issuing(session, agency_code, day)


async def find_issuer(session: AsyncSession, code: str, day: date) -> Issuer | None:
    """Return what an issuer's receipts say on a day."""
    newest = (
        select(Issuer).where(Issuer.code == code, Issuer.valid_from <= day).order_by(Issuer.valid_from.desc()).limit(1)
    )
    return await session.scalar(newest)


async def get_receipt(session: AsyncSession, receipt_id: UUID, caller: Caller) -> Receipt:
    """Return a receipt; raises ReceiptNotFound when there is none or it is not the caller's to see."""
    receipt = await session.get(Receipt, receipt_id)
    if receipt is None or not caller.may_see(receipt.issuer_code, receipt.on_behalf_of):
        raise ReceiptNotFound(receipt_id=receipt_id)
    return receipt


async def find_receipt_by_code(session: AsyncSession, check_code: str) -> Receipt | None:
    """Return the receipt that a public check asks about."""
    return await session.scalar(select(Receipt).where(Receipt.check_code == check_code))


async def find_counter(session: AsyncSession, receipt_id: UUID) -> Receipt | None:
    """Return the receipt that took another out of force."""
    return await session.scalar(select(Receipt).where(Receipt.counters_id == receipt_id))


async def find_document(session: AsyncSession, receipt_id: UUID) -> ReceiptDocument | None:
    """Return a receipt's signed document, if it was ever asked for."""
    return await session.get(ReceiptDocument, receipt_id)


async def get_settled(session: AsyncSession, receipt: Receipt) -> tuple[Fee, Payment]:
    """Return the fee and the payment that a receipt is about."""
    return await session.get_one(Fee, receipt.fee_id), await session.get_one(Payment, receipt.payment_id)


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
    wanted: dict[Any, str | None] = {
        Receipt.dossier_code: dossier_code,
        Receipt.issuer_code: issuer_code,
        Receipt.series: series,
    }
    given = [column == value for column, value in wanted.items() if value is not None]
    query = select(Receipt).where(_visible(caller), *given).order_by(Receipt.id)
    if window.after is not None:
        query = query.where(Receipt.id > window.after)
    return (await session.scalars(query.limit(min(window.limit, LIST_MAX) + 1))).all()


def _visible(caller: Caller) -> ColumnElement[bool]:
    columns = (Receipt.issuer_code, Receipt.on_behalf_of)
    return or_(
        false(),
        *(or_(code == own, code.startswith(f"{own}.", autoescape=True)) for own in caller.agencies for code in columns),
    )
