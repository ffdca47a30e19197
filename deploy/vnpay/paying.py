"""A payer pays: a transaction is made, and the merchant is told by IPN as often and as badly as was ordered."""

import sqlite3
from collections.abc import Mapping
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from deploy.mocks.control import House
from deploy.mocks.faults import OF_NOTICES, Fault, Kind
from deploy.mocks.postman import Sending
from deploy.vnpay import records, words
from deploy.vnpay.records import COMPLETE, FAILED, REVERSED, Purchase, Txn
from deploy.vnpay.settings import VnpaySettings


class PayOrder(BaseModel):
    """How a payer pays and how VNPAY tells of it; `url` is the address that the payer was given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(max_length=4000)
    status: str = Field(COMPLETE, pattern=r"^\d\d$", description="vnp_TransactionStatus: 00, 02 failed, 04 reversed.")
    callbacks: int = Field(1, ge=0, le=50)
    parallel: bool = False
    delay_s: float = Field(0, ge=0, le=86_400)
    amount_vnd: int | None = Field(None, ge=0)
    bad_signature: bool = False


async def pay(house: House, settings: VnpaySettings, purchase: Purchase, order: PayOrder) -> dict[str, object]:
    """Make a transaction and send its IPNs; return it with the replies so far."""
    fired = house.menu.draw(purchase.reference, OF_NOTICES)
    amount_vnd = purchase.amount_vnd if order.amount_vnd is None else order.amount_vnd
    if "wrong_amount" in fired:
        amount_vnd += fired["wrong_amount"].difference_vnd
    with house.memory.transaction() as db:
        txn = records.make_txn(db, purchase.reference, amount_vnd, order.status)
    sendings = _sendings(settings, purchase, txn, order, fired)
    if "reversed" in fired and txn.status == COMPLETE:
        # Told as paid at first; what it becomes is known to querydr at once and told by IPN later.
        with house.memory.transaction() as db:
            reversed_txn = records.reverse(db, txn.number)
        sendings += [_sending(settings, purchase, reversed_txn, delay_s=fired["reversed"].delay_s)]
    told = await house.postman.post(sendings, parallel=order.parallel)
    return {
        "vnp_TransactionNo": str(txn.number),
        "vnp_TxnRef": purchase.reference,
        "amount_vnd": txn.amount_vnd,
        "callbacks": told,
    }


def _sendings(
    settings: VnpaySettings, purchase: Purchase, txn: Txn, order: PayOrder, fired: Mapping[Kind, Fault]
) -> list[Sending]:
    if "never" in fired:
        return []
    copies = order.callbacks * (2 if "duplicate" in fired else 1)
    delay_s = order.delay_s + (fired["late"].delay_s if "late" in fired else 0)
    bad = order.bad_signature or "bad_signature" in fired
    return [_sending(settings, purchase, txn, delay_s=delay_s, bad=bad) for _ in range(copies)]


def _sending(
    settings: VnpaySettings, purchase: Purchase, txn: Txn, *, delay_s: float = 0, bad: bool = False
) -> Sending:
    secret = settings.vnpay_secret.get_secret_value()
    told = facts(purchase, txn)
    signature = words.of_query(told, f"{secret}?" if bad else secret)
    return Sending(purchase.reference, urlencode({**told, words.HASH: signature}), "", delay_s)


def facts(purchase: Purchase, txn: Txn) -> dict[str, str]:
    """Return what an IPN and the way back of the payer say of a transaction, not yet signed."""
    return {
        "vnp_TmnCode": purchase.words["vnp_TmnCode"],
        "vnp_Amount": str(txn.amount_vnd * 100),
        "vnp_BankCode": records.BANK,
        "vnp_BankTranNo": f"VNP{txn.number}",
        "vnp_CardType": "ATM",
        "vnp_OrderInfo": purchase.words.get("vnp_OrderInfo", ""),
        "vnp_PayDate": words.compact(txn.made_at),
        "vnp_ResponseCode": {COMPLETE: "00", FAILED: "24", REVERSED: "99"}.get(txn.status, "99"),
        "vnp_TransactionNo": str(txn.number) if txn.status != FAILED else "0",
        "vnp_TransactionStatus": txn.status,
        "vnp_TxnRef": purchase.reference,
    }


def refunded_vnd(db: sqlite3.Connection, reference: str) -> int:
    """Return what went back, or is on its way, of an order."""
    found = db.execute(
        "SELECT coalesce(sum(amount_vnd), 0) AS sum FROM refund WHERE reference = ? AND status <> '09'", (reference,)
    )
    return found.fetchone()["sum"]
