"""Receipts (biên lai): numbered in the transaction that settles a fee, so that a rollback gives the number back.

A series belongs to the agency that issues and to a year of Việt Nam (`BI-26T`); its numbers are 1, 2, 3… in the order
in which they are given out, and no later number has an earlier time. What was issued is never changed or deleted: a
counter-receipt with a number of its own takes it out of force.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from services.payment import queries
from services.payment.errors import ReceiptNotInForce
from services.payment.models import Fee, Payment, Receipt, ReceiptDocument, ReceiptSeries
from services.payment.queries import Issuing
from services.payment.states import Covers, ReceiptKind
from shared.clock import VN
from shared.events.payment import ReceiptCancelled, ReceiptIssued
from shared.events.values import FeeItem
from shared.ids import new_id
from shared.work import Work

SERIES = "{letters}-{year:%y}T"
"""Ký hiệu biên lai."""
CHECK_CODE_BYTES = 10
"""80 random bits, written as 16 letters and digits."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a replacement says otherwise than the receipt it replaces."""

    payer_name: str
    payer_address: str | None


async def issue(work: Work, fee: Fee, payment: Payment) -> list[Receipt]:
    """Issue the receipt of a fee that a payment has just settled; two where the form wants phí and lệ phí apart.

    Emits payment.receipt.issued.v1 for each.
    """
    issuing = await queries.get_issuing(work.session, fee.agency_code, work.now.astimezone(VN).date())
    receipts = []
    # In order of the series' names, so that two transactions never wait for each other's series.
    for form in sorted(issuing.forms, key=lambda form: form.letters):
        items = [item for item in fee.items if form.covers in {Covers.BOTH, item["kind"]}]
        amount_vnd = sum(item["amount_vnd"] for item in items)
        if amount_vnd:
            draft = _draft(fee, payment, issuing, items=items, amount_vnd=amount_vnd)
            draft |= {"form_number": form.form_number, "covers": form.covers}
            receipts.append(await _number(work, draft, form.letters))
    for receipt in receipts:
        _tell_issued(work, receipt)
    return receipts


async def cancel_receipt(work: Work, *, receipt_id: UUID, reason: str) -> Receipt:
    """Take a receipt out of force by a cancelling one, which is returned.

    Emits payment.receipt.cancelled.v1. Raises ReceiptNotFound, ReceiptNotInForce.
    """
    receipt = await queries.get_receipt(work.session, receipt_id, work.caller)
    counter = await _counter(work, receipt, ReceiptKind.CANCELLATION, reason)
    cancelled = ReceiptCancelled(
        receipt_id=receipt.id,
        cancelled_by_id=counter.id,
        issuer_code=counter.issuer_code,
        series=counter.series,
        number=counter.number,
        amount_vnd=receipt.amount_vnd,
        reason=reason,
        cancelled_at=counter.issued_at,
    )
    work.emit(cancelled, subject=receipt.dossier_code)
    return counter


async def replace_receipt(work: Work, *, receipt_id: UUID, reason: str, correction: Correction) -> Receipt:
    """Put a receipt that names its payer rightly in the place of one that does not; return the new one.

    Emits payment.receipt.issued.v1. Raises ReceiptNotFound, ReceiptNotInForce.
    """
    receipt = await queries.get_receipt(work.session, receipt_id, work.caller)
    counter = await _counter(work, receipt, ReceiptKind.REPLACEMENT, reason, correction)
    _tell_issued(work, counter)
    return counter


async def _counter(
    work: Work, receipt: Receipt, kind: ReceiptKind, reason: str, correction: Correction | None = None
) -> Receipt:
    """Issue what takes a receipt out of force, in the series of this year."""
    same = ("issuer_code", "form_number", "covers", "on_behalf_of", "fee_id", "payment_id", "dossier_code", "items")
    said = correction or Correction(receipt.payer_name, receipt.payer_address)
    draft = {
        **{name: getattr(receipt, name) for name in same},
        "kind": kind.value,
        "payer_name": said.payer_name,
        "payer_address": said.payer_address,
        "amount_vnd": -receipt.amount_vnd if kind == ReceiptKind.CANCELLATION else receipt.amount_vnd,
        "counters_id": receipt.id,
        "reason": reason,
    }
    counter = await _number(work, draft, receipt.series.partition("-")[0])
    # Looked at only now that the series is locked: of two who cancel the same receipt, the second sees the first.
    if receipt.kind == ReceiptKind.CANCELLATION or await queries.find_counter(work.session, receipt.id):
        raise ReceiptNotInForce(
            "It was cancelled or replaced before, or is itself a cancellation.", receipt_id=receipt.id
        )
    return counter


def _draft(
    fee: Fee, payment: Payment, issuing: Issuing, *, items: list[dict[str, Any]], amount_vnd: int
) -> dict[str, Any]:
    return {
        "issuer_code": issuing.issuer_code,
        "kind": ReceiptKind.RECEIPT.value,
        "on_behalf_of": fee.agency_code,
        "fee_id": fee.id,
        "payment_id": payment.id,
        "dossier_code": fee.dossier_code,
        "payer_name": fee.payer_name,
        "payer_address": fee.payer_address,
        "items": items,
        "amount_vnd": amount_vnd,
        "counters_id": None,
        "reason": None,
    }


async def _number(work: Work, draft: dict[str, Any], letters: str) -> Receipt:
    """Give a draft the next number of its series: the receipt is made."""
    series = SERIES.format(letters=letters, year=work.now.astimezone(VN))
    number, issued_at = await _next_number(work, draft["issuer_code"], series, draft["form_number"])
    receipt = Receipt(
        **draft,
        id=new_id(),
        series=series,
        number=number,
        check_code=base64.b32encode(secrets.token_bytes(CHECK_CODE_BYTES)).decode(),
        issued_by=work.caller.client_id,
        issued_at=issued_at,
    )
    work.session.add(receipt)
    return receipt


async def _next_number(work: Work, issuer_code: str, series: str, form_number: str) -> tuple[int, datetime]:
    """Take the next number of a series; its row stays locked until the commit, a rollback gives the number back."""
    first = insert(ReceiptSeries).values(
        issuer_code=issuer_code, series=series, form_number=form_number, last_number=1, last_issued_at=work.now
    )
    following = first.on_conflict_do_update(
        index_elements=[ReceiptSeries.issuer_code, ReceiptSeries.series],
        set_={
            "last_number": ReceiptSeries.last_number + 1,
            # Whoever waited for the lock may have begun before the one that held it.
            "last_issued_at": func.greatest(ReceiptSeries.last_issued_at, first.excluded.last_issued_at),
        },
    ).returning(ReceiptSeries.last_number, ReceiptSeries.last_issued_at)
    row = (await work.session.execute(following)).one()
    return row.last_number, row.last_issued_at


def _tell_issued(work: Work, receipt: Receipt) -> None:
    issued = ReceiptIssued(
        receipt_id=receipt.id,
        fee_id=receipt.fee_id,
        payment_id=receipt.payment_id,
        issuer_code=receipt.issuer_code,
        series=receipt.series,
        number=receipt.number,
        amount_vnd=receipt.amount_vnd,
        issued_at=receipt.issued_at,
        form_number=receipt.form_number,
        on_behalf_of=receipt.on_behalf_of,
        items=tuple(FeeItem.model_validate(item) for item in receipt.items),
        replaces_id=receipt.counters_id,
    )
    work.emit(issued, subject=receipt.dossier_code)


async def keep_document(work: Work, receipt: Receipt, *, content: bytes, sha256: str) -> ReceiptDocument:
    """Keep a receipt's document, unless somebody else kept one meanwhile; return the one that is kept."""
    row = {"receipt_id": receipt.id, "sha256": sha256, "content": content, "made_at": work.now}
    await work.session.execute(insert(ReceiptDocument).values(row).on_conflict_do_nothing())
    return await work.session.get_one(ReceiptDocument, receipt.id)
