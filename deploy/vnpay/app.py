"""Assembles the mocked VNPAY: the page where people pay, the merchant's API, the control room."""

import csv
import html
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from fastapi import APIRouter, FastAPI, Form, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from deploy.mocks import control
from deploy.mocks.control import house_of, opened
from deploy.mocks.memory import Memory
from deploy.mocks.postman import Letter, Postman
from deploy.vnpay import api, paying, records, words
from deploy.vnpay.paying import PayOrder
from deploy.vnpay.records import Purchase
from deploy.vnpay.settings import VnpaySettings
from shared import clock
from shared.clock import VN

IPN_PATH = "/api/v1/payments/callbacks/vnpay"
TAKEN = frozenset({"00", "02"})
"""RspCodes after which VNPAY tells it no more."""
router = APIRouter(tags=["payer"])


def create_app(settings: VnpaySettings | None = None) -> FastAPI:
    """Return the mock; nothing is opened before its lifespan begins."""
    known = settings or VnpaySettings()  # type: ignore[call-arg]

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.settings = known
        memory = Memory(known.vnpay_folder, records.SCHEMA)

        def postman(client: httpx.AsyncClient) -> Postman:
            async def send(letter: Letter) -> httpx.Response:
                return await client.get(f"{IPN_PATH}?{letter.body}")

            return Postman(memory, send, _takes)

        async with opened(app, memory, postman, known.gateway_url):
            yield

    app = FastAPI(title="VNPAY (mô phỏng)", version="2.1.0", lifespan=lifespan)
    for one in (router, api.router, control.router):
        app.include_router(one)
    return app


def _takes(answer: httpx.Response) -> bool:
    try:
        return answer.json().get("RspCode") in TAKEN
    except ValueError:
        return False


def _understood(request: Request, query: str) -> Purchase:
    """Keep the order of an address. Raises HTTPException when VNPAY would not let anybody pay it."""
    asked = dict(parse_qsl(query, keep_blank_values=True))
    settings: VnpaySettings = request.app.state.settings
    if words.of_query(asked, settings.vnpay_secret.get_secret_value()) != asked.get(words.HASH):
        raise HTTPException(400, "Sai chữ ký")
    if asked.get("vnp_TmnCode") != settings.vnpay_tmn_code or not asked.get("vnp_Amount", "").isdecimal():
        raise HTTPException(400, "Dữ liệu không hợp lệ")
    with house_of(request).memory.transaction() as db:
        return records.open_purchase(db, asked)


@router.get("/paymentv2/vpcpay.html")
async def page(request: Request) -> HTMLResponse:
    """Show a person what is to be paid."""
    purchase = _understood(request, request.url.query)
    return HTMLResponse(
        "<!doctype html><html lang=vi><meta charset=utf-8><title>VNPAY (mô phỏng)</title>"
        f"<h1>Thanh toán {purchase.amount_vnd:,} VND</h1><p>{html.escape(purchase.words.get('vnp_OrderInfo', ''))}</p>"
        "<form method=post><button name=status value=00>Thanh toán</button> "
        "<button name=status value=02>Hủy giao dịch</button></form></html>"
    )


@router.post("/paymentv2/vpcpay.html")
async def pay_by_hand(request: Request, status: Annotated[str, Form(pattern=r"^\d\d$")]) -> RedirectResponse:
    """Pay, or fail to, as the person chose, and go back to the merchant."""
    purchase = _understood(request, request.url.query)
    settings: VnpaySettings = request.app.state.settings
    await paying.pay(house_of(request), settings, purchase, PayOrder(url=str(request.url), status=status))
    with house_of(request).memory.transaction() as db:
        txn = records.decisive(db, purchase.reference)
    told = paying.facts(purchase, txn) if txn else {}
    signature = words.of_query(told, settings.vnpay_secret.get_secret_value())
    back = purchase.words.get("vnp_ReturnUrl", "/")
    return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{urlencode({**told, words.HASH: signature})}", 303)


@router.post("/_control/pay")
async def pay(request: Request, order: PayOrder) -> dict[str, object]:
    """Let a payer open an address and pay, and VNPAY tell of it as ordered."""
    purchase = _understood(request, urlsplit(order.url).query)
    return await paying.pay(house_of(request), request.app.state.settings, purchase, order)


@router.get("/_control/payments/{reference}")
async def get_payment(request: Request, reference: str) -> dict[str, object]:
    """Return an order with its transactions, refunds and IPNs."""
    house = house_of(request)
    with house.memory.transaction() as db:
        purchase = records.find_purchase(db, reference)
        txns = db.execute("SELECT * FROM txn WHERE reference = ? ORDER BY number", (reference,)).fetchall()
        refunds = db.execute("SELECT * FROM refund WHERE reference = ?", (reference,)).fetchall()
    if purchase is None:
        raise HTTPException(404)
    return {
        "order": purchase.words,
        "transactions": [dict(zip(row.keys(), tuple(row), strict=True)) for row in txns],
        "refunds": [dict(zip(row.keys(), tuple(row), strict=True)) for row in refunds],
        "callbacks": house.postman.of(reference),
    }


@router.get("/_control/settlement")
async def get_settlement(request: Request, day: Annotated[date | None, Query(alias="date")] = None) -> Response:
    """Return VNPAY's statement of a day (today's without one) as CSV."""
    with house_of(request).memory.transaction() as db:
        rows = records.settlement(db, day or clock.now().astimezone(VN).date())
    text = io.StringIO()
    table = csv.DictWriter(text, ["transaction_number", "reference", "amount_vnd", "status", "paid_at"])
    table.writeheader()
    table.writerows(rows)
    return Response(text.getvalue(), media_type="text/csv")
