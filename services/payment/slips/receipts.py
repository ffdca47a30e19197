"""What a receipt's document shows, and how it is made, sealed and kept."""

import hashlib
from importlib.resources import files
from typing import Any

from services.payment import queries
from services.payment.models import Issuer, Receipt, ReceiptDocument
from services.payment.operations.receipts import keep_document
from services.payment.slips.sealing import Seals
from services.payment.slips.words import dong_in_words
from services.payment.states import Provider, ReceiptKind
from shared import printing
from shared.clock import VN
from shared.events.values import FeeKind
from shared.work import Work

TEMPLATE = files("services.payment.slips") / "receipt.typ"
TITLES = {
    ReceiptKind.RECEIPT: "Biên lai thu phí, lệ phí",
    ReceiptKind.REPLACEMENT: "Biên lai thay thế",
    ReceiptKind.CANCELLATION: "Biên lai hủy",
}
BELOW = {
    ReceiptKind.REPLACEMENT: "Thay thế biên lai ký hiệu {series}, số {number:07d}",
    ReceiptKind.CANCELLATION: "Hủy biên lai ký hiệu {series}, số {number:07d}",
}
KINDS = {FeeKind.PHI: "Phí", FeeKind.LE_PHI: "Lệ phí"}
METHODS = {
    Provider.NATIONAL_PLATFORM: "Trực tuyến, Nền tảng thanh toán Cổng Dịch vụ công quốc gia",
    Provider.VNPAY: "Trực tuyến, VNPAY",
    Provider.VIETQR: "Chuyển khoản (VietQR)",
    Provider.CASH: "Tiền mặt",
}


async def get_document(work: Work, receipt: Receipt, seals: Seals, *, check_url: str) -> ReceiptDocument:
    """Return a receipt's sealed document: the one that is kept, or one made now and kept from now on.

    check_url is where the public check is, up to the check code. Raises SealMissing, and what printing raises.
    """
    kept = await queries.find_document(work.session, receipt.id)
    if kept is not None:
        return kept
    shown = await _shown(work, receipt, check_url)
    printed = await printing.render(TEMPLATE, shown, dated=receipt.issued_at)
    content = await seals.seal(printed, issuer_code=receipt.issuer_code)
    return await keep_document(work, receipt, content=content, sha256=hashlib.sha256(content).hexdigest())


async def _shown(work: Work, receipt: Receipt, check_url: str) -> dict[str, Any]:
    day = receipt.issued_at.astimezone(VN).date()
    _, payment = await queries.get_settled(work.session, receipt)
    kind = ReceiptKind(receipt.kind)
    below = None
    if receipt.counters_id is not None:
        original = await work.session.get_one(Receipt, receipt.counters_id)
        below = BELOW[kind].format(series=original.series, number=original.number)
    delegating = receipt.on_behalf_of if receipt.on_behalf_of != receipt.issuer_code else None
    named = await queries.find_issuer(work.session, delegating, day) if delegating else None
    url = check_url + receipt.check_code
    return {
        **_sums(receipt),
        "title": TITLES[kind],
        "below": below,
        "issuer": _issuer(await queries.find_issuer(work.session, receipt.issuer_code, day), receipt.issuer_code),
        "date": printing.day_in_words(receipt.issued_at),
        "form_number": receipt.form_number,
        "series": receipt.series,
        "number": f"{receipt.number:07d}",
        "on_behalf_of": named.name if named else delegating,
        "payer_name": receipt.payer_name,
        "payer_address": receipt.payer_address,
        "dossier_code": receipt.dossier_code,
        "method": METHODS[Provider(payment.provider)],
        "paid_at": printing.short_moment(payment.ended_at or receipt.issued_at),
        "issued_at": printing.short_moment(receipt.issued_at),
        "reason": receipt.reason,
        "check_code": receipt.check_code,
        "check_url": check_url,
        "qr": printing.qr_svg(url),
    }


def _sums(receipt: Receipt) -> dict[str, Any]:
    sign = -1 if receipt.amount_vnd < 0 else 1
    return {
        "items": [
            {"name": item["name"], "kind": KINDS[FeeKind(item["kind"])], "amount": _dotted(sign * item["amount_vnd"])}
            for item in receipt.items
            if item["amount_vnd"]
        ],
        "total": _dotted(receipt.amount_vnd),
        "total_in_words": dong_in_words(receipt.amount_vnd),
    }


def _dotted(amount_vnd: int) -> str:
    return f"{amount_vnd:,}".replace(",", ".")


def _issuer(issuer: Issuer | None, code: str) -> dict[str, str | None]:
    """Return the letterhead's words; an agency of which nothing is known is named by its code."""
    if issuer is None:
        return {"parent": None, "name": f"Đơn vị {code}", "tax_code": None, "address": None, "place": ""}
    return {
        "parent": issuer.parent_name,
        "name": issuer.name,
        "tax_code": issuer.tax_code,
        "address": issuer.address,
        "place": issuer.place or "",
    }
