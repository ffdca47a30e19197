"""The platform's doors: INIT, QUERY and GET_BILL for the province, and a page where a person pays."""

import sqlite3
from collections.abc import Callable
from typing import Annotated

import orjson
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from deploy.portal import exchange
from deploy.portal.exchange import Entry, json_response
from deploy.portal.pages import render
from deploy.portal.parts import Portal, portal_of
from deploy.portal.payment import hashes, messages
from deploy.portal.payment.bill import bill
from deploy.portal.payment.paying import PayOrder, pay
from deploy.portal.payment.records import (
    BANK,
    Outcome,
    Payment,
    Transaction,
    compact,
    decisive,
    find_payment,
    list_transactions,
    open_payment,
)
from deploy.portal.visit import Visit, read_object, serve
from shared import clock

SUCCESS, PENDING, FAILED = "1", "3", "4"
"""TrangThaiGD."""
PAID, NOT_PAID = "00", "99"
STATES = {"success": SUCCESS, "fail": FAILED}

Message = dict[str, object]
Work = Callable[[sqlite3.Connection, Message], Message | bytes]

router = APIRouter(tags=["payment platform"])


def _refused(reason: str) -> Message:
    return {"MaLoi": NOT_PAID, "MoTaLoi": reason}


@router.post("/payment/init")
async def begin(request: Request) -> Response:
    """INIT → {"MaLoi": "00", "UrlThanhToan"}; the same INIT again gets the same answer."""

    def work(db: sqlite3.Connection, message: Message) -> Message:
        if complaints := messages.complaints_about_init(message):
            return _refused("; ".join(complaints))
        reference = str(message["MaThamChieu"])
        if not open_payment(db, message, str(messages.receipt_of(message).get("MaHoSo", ""))):
            return _refused("Mã tham chiếu đã dùng cho giao dịch khác")
        return {
            "MaLoi": PAID,
            "MoTaLoi": "Thành công",
            "MaDoiTac": message["MaDoiTac"],
            "MaThamChieu": reference,
            "UrlThanhToan": str(request.url_for("payment_page", reference=reference)),
        }

    return await _converse(request, "INIT", hashes.INIT, work)


@router.post("/payment/query")
async def query(request: Request) -> Response:
    """QUERY → TrangThaiGD 1 success, 3 pending, 4 failed, signed in the order of CONFIRM."""
    portal = portal_of(request)

    def work(db: sqlite3.Connection, message: Message) -> Message:
        if complaints := messages.complaints_about_question(message, "QUERY"):
            return _refused("; ".join(complaints))
        payment = find_payment(db, str(message.get("MaThamChieu")))
        if payment is None:
            return _refused("Không có mã tham chiếu này")
        return _state(portal, payment, decisive(list_transactions(db, payment.reference)))

    return await _converse(request, "QUERY", hashes.QUERY, work)


@router.post("/payment/bill")
async def get_bill(request: Request) -> Response:
    """GET_BILL → the receipt's PDF; to a caller that accepts JSON only, its UrlBienLai."""

    def work(db: sqlite3.Connection, message: Message) -> Message | bytes:
        if complaints := messages.complaints_about_question(message, "GET_BILL"):
            return _refused("; ".join(complaints))
        file = _bill(db, str(message.get("MaThamChieu")))
        if file is None:
            return _refused("Chưa có giao dịch thành công")
        if request.headers.get("accept") != "application/json":
            return file
        url = str(request.url_for("bill_file", reference=message["MaThamChieu"]))
        return {"MaLoi": PAID, "MoTaLoi": "Thành công", "UrlBienLai": url}

    return await _converse(request, "GET_BILL", hashes.QUERY, work)


@router.get("/pay/{reference}/bill.pdf", name="bill_file")
async def bill_file(request: Request, reference: str) -> Response:
    """Return the receipt of a paid payment."""
    file = await portal_of(request).ledger.ask(lambda db: _bill(db, reference))
    return Response(file, media_type="application/pdf") if file else Response(status_code=404)


@router.get("/pay/{reference}", name="payment_page")
async def payment_page(request: Request, reference: str) -> Response:
    """Show a person what is to be paid."""
    portal = portal_of(request)

    def read(db: sqlite3.Connection) -> tuple[Payment | None, list[Transaction]]:
        return find_payment(db, reference), list_transactions(db, reference)

    payment, transactions = await portal.ledger.ask(read)
    page = render("pay.html", reference=reference, payment=payment, transactions=transactions, vn=clock.VN)
    page.status_code = 200 if payment else 404
    return page


@router.post("/pay/{reference}", name="pay_by_hand")
async def pay_by_hand(request: Request, reference: str, outcome: Annotated[Outcome, Form()]) -> Response:
    """Pay, or fail to, as the person chose."""
    await pay(portal_of(request), reference, PayOrder(outcome=outcome))
    return RedirectResponse(request.url_for("payment_page", reference=reference), 303)


async def _converse(request: Request, service: str, order: tuple[str, ...], work: Work) -> Response:
    portal, message = portal_of(request), await read_object(request) or {}
    dossier = str(messages.receipt_of(message).get("MaHoSo", ""))
    reference = str(message.get("MaThamChieu", ""))
    visit = Visit(
        request,
        portal,
        service,
        await portal.menu.draw(service, [one for one in (dossier, reference) if one]),
        str(message.get("MaDoiTac", "")),
    )

    def answer(db: sqlite3.Connection) -> Message | bytes:
        secret = portal.settings.platform_secret.get_secret_value()
        if message.get("MaDoiTac") != portal.settings.platform_partner:
            given: Message | bytes = _refused("Không có đối tác này")
        elif not hashes.is_authentic(message, order, secret):
            given = _refused("MaXacThuc không đúng")
        else:
            given = work(db, message)
        _record(db, visit, message, given)
        return given

    async def served() -> Response:
        given = await portal.ledger.run(answer)
        return Response(given, media_type="application/pdf") if isinstance(given, bytes) else json_response(given)

    return await serve(visit, served, lambda: json_response(_refused("Hệ thống đang bận, vui lòng thử lại sau")))


def _record(db: sqlite3.Connection, visit: Visit, message: Message, given: Message | bytes) -> None:
    call = visit.call(db)
    code, reason = (PAID, "") if isinstance(given, bytes) else (str(given["MaLoi"]), str(given.get("MoTaLoi", "")))
    outcome = "answered" if code == PAID else "failed"
    exchange.record_call(db, call, outcome, code, reason)
    dossier = str(messages.receipt_of(message).get("MaHoSo") or message.get("MaThamChieu", ""))
    exchange.record_rows(db, call, [Entry(dossier, None, outcome, int(code), reason, orjson.dumps(message))])


def _bill(db: sqlite3.Connection, reference: str) -> bytes | None:
    payment, ended = find_payment(db, reference), decisive(list_transactions(db, reference))
    if payment is None or ended is None or ended.outcome != "success":
        return None
    return bill(payment, ended)


def _state(portal: Portal, payment: Payment, ended: Transaction | None) -> Message:
    message: Message = {
        "LoaiBanTin": "QUERY",
        "MaLoi": PAID,
        "MoTaLoi": "Thành công",
        "MaDoiTac": portal.settings.platform_partner,
        "MaThamChieu": payment.reference,
        "SoTien": str(ended.amount_vnd if ended else payment.amount_vnd),
        "MaTienTe": "VND",
        "MaGiaoDich": ended.id if ended else "",
        "MaNganHang": BANK if ended else "",
        "ThoiGianGD": compact(ended.made_at if ended else clock.now()),
        "ThongTinGiaoDich": str(payment.init["ThongTinGiaoDich"]),
        "TrangThaiGD": STATES[ended.outcome] if ended else PENDING,
    }
    secret = portal.settings.platform_secret.get_secret_value()
    return {**message, "MaXacThuc": hashes.authentication_code(message, hashes.CONFIRM, secret)}
