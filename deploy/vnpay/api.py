"""querydr and refund: what the merchant's server asks."""

from typing import Any
from uuid import uuid4

import orjson
from fastapi import APIRouter, Request, Response

from deploy.mocks.control import House, befallen, house_of
from deploy.mocks.memory import stamp
from deploy.vnpay import paying, records, words
from deploy.vnpay.records import COMPLETE, Purchase, Txn
from deploy.vnpay.settings import VnpaySettings

router = APIRouter(tags=["merchant"])
Message = dict[str, Any]
UNDER_WAY, REJECTED = "05", "09"


@router.post("/merchant_webapi/api/transaction")
async def transaction(request: Request) -> Response:
    """Answer querydr and refund, signed; 91 no such order, 94 asked before, 95 not refundable, 97 wrong signature."""
    asked: Message = await request.json()
    house, settings = house_of(request), request.app.state.settings

    async def work() -> Response:
        command = asked.get("vnp_Command")
        order = {"querydr": words.QUERYDR, "refund": words.REFUND}.get(str(command), "")
        secret = settings.vnpay_secret.get_secret_value()
        if not order or asked.get("vnp_TmnCode") != settings.vnpay_tmn_code:
            answer = _answer(asked, "02" if order else "03", "Invalid merchant or command")
        elif words.of_fields(asked, order, secret) != asked.get(words.HASH):
            answer = _answer(asked, "97", "Invalid checksum")
        else:
            answer = _query(house, asked) if command == "querydr" else _refund(house, asked)
        return _signed(answer, str(command), settings)

    return await befallen(request, str(asked.get("vnp_TxnRef", "")), work)


def _query(house: House, asked: Message) -> Message:
    with house.memory.transaction() as db:
        purchase = records.find_purchase(db, str(asked["vnp_TxnRef"]))
        txn = records.decisive(db, purchase.reference) if purchase else None
    if purchase is None:
        return _answer(asked, "91", "Transaction not found")
    if txn is None:
        return _answer(asked, "00", "QueryDR Success") | {
            "vnp_Amount": str(purchase.amount_vnd * 100),
            "vnp_TransactionStatus": "01",
            "vnp_OrderInfo": purchase.words.get("vnp_OrderInfo", ""),
        }
    return _answer(asked, "00", "QueryDR Success") | _facts(purchase, txn)


def _refund(house: House, asked: Message) -> Message:
    reference, request_id = str(asked["vnp_TxnRef"]), str(asked["vnp_RequestId"])
    amount_vnd = int(asked["vnp_Amount"]) // 100
    fired = house.menu.draw(reference, {"refund_rejected", "refund_pending"})
    with house.memory.transaction() as db:
        known = db.execute("SELECT * FROM refund WHERE request = ?", (request_id,)).fetchone()
        purchase, txn = records.find_purchase(db, reference), records.decisive(db, reference)
        if purchase is None or txn is None:
            return _answer(asked, "91", "Transaction not found")
        status = known["status"] if known else COMPLETE
        if known is None and (
            txn.status != COMPLETE or paying.refunded_vnd(db, reference) + amount_vnd > txn.amount_vnd
        ):
            return _answer(asked, "95", "Refund is not possible")
        if "refund_rejected" in fired or "refund_pending" in fired:
            status = REJECTED if "refund_rejected" in fired else UNDER_WAY
        elif known is not None and status == UNDER_WAY:
            status = COMPLETE
        db.execute(
            "INSERT INTO refund VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (request) DO UPDATE SET status = excluded.status",
            (request_id, reference, txn.number, amount_vnd, str(asked["vnp_TransactionType"]), status, stamp()),
        )
    return _answer(asked, "00", "Refund success") | {
        **_facts(purchase, txn),
        "vnp_Amount": str(amount_vnd * 100),
        "vnp_TransactionType": str(asked["vnp_TransactionType"]),
        "vnp_TransactionStatus": status,
    }


def _facts(purchase: Purchase, txn: Txn) -> Message:
    kept = {"vnp_Amount", "vnp_BankCode", "vnp_PayDate", "vnp_TransactionNo", "vnp_TransactionStatus", "vnp_OrderInfo"}
    told = {name: value for name, value in paying.facts(purchase, txn).items() if name in kept}
    return {**told, "vnp_TransactionType": "01", "vnp_PromotionCode": "", "vnp_PromotionAmount": ""}


def _answer(asked: Message, code: str, message: str) -> Message:
    return {
        "vnp_ResponseId": uuid4().hex,
        "vnp_Command": str(asked.get("vnp_Command", "")),
        "vnp_ResponseCode": code,
        "vnp_Message": message,
        "vnp_TmnCode": str(asked.get("vnp_TmnCode", "")),
        "vnp_TxnRef": str(asked.get("vnp_TxnRef", "")),
    }


def _signed(answer: Message, command: str, settings: VnpaySettings) -> Response:
    order = words.ANSWER if command == "refund" else words.QUERYDR_ANSWER
    signature = words.of_fields(answer, order, settings.vnpay_secret.get_secret_value())
    return Response(orjson.dumps({**answer, words.HASH: signature}), media_type="application/json")
