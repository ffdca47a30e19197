"""VNPAY 2.1.0 behind the port: the address where a payer pays, its IPN, querydr and refund.

Signatures are lower hex of HMAC-SHA512. The payment address and the IPN sign their own query: names sorted, names and
values encoded as forms are (a space is "+"), the signature itself left out. querydr and refund, and their answers, sign
values in a fixed order, joined by "|". Amounts are hundredths of đồng, times yyyyMMddHHmmss in Vietnam.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

import httpx

from services.payment.models import Fee, Payment, Refund
from services.payment.operations.attempts import Link
from services.payment.operations.money import Money, Notice
from services.payment.platform.calls import loggable, post, read_object
from services.payment.platform.keys import Keys
from services.payment.platform.messages import read_time, write_time
from services.payment.platform.port import Reading, RefundAnswer, RefundState, Refused, Standing, State, Unclear
from services.payment.states import Outcome, Provider
from shared import clock
from shared.ids import new_id

VERSION, PAY_PATH, API_PATH = "2.1.0", "/paymentv2/vpcpay.html", "/merchant_webapi/api/transaction"
HASH, HASH_TYPE = "vnp_SecureHash", "vnp_SecureHashType"
DONE, NOT_FOUND, IN_HAND = "00", "91", "94"
"""vnp_ResponseCode."""
COMPLETE, INCOMPLETE, REVERSED, SUSPECT = "00", "01", "04", "07"
"""vnp_TransactionStatus of a payment."""
REFUND_UNDER_WAY, REFUND_REJECTED = frozenset({"05", "06"}), "09"
"""vnp_TransactionStatus of a refund."""
WHOLE, PART = "02", "03"
"""vnp_TransactionType of a refund."""
QUERY_ORDER = (
    "RequestId",
    "Version",
    "Command",
    "TmnCode",
    "TxnRef",
    "TransactionDate",
    "CreateDate",
    "IpAddr",
    "OrderInfo",
)
QUERY_ANSWER_ORDER = (
    "ResponseId",
    "Command",
    "ResponseCode",
    "Message",
    "TmnCode",
    "TxnRef",
    "Amount",
    "BankCode",
    "PayDate",
    "TransactionNo",
    "TransactionType",
    "TransactionStatus",
    "OrderInfo",
    "PromotionCode",
    "PromotionAmount",
)
REFUND_ORDER = (
    "RequestId",
    "Version",
    "Command",
    "TmnCode",
    "TransactionType",
    "TxnRef",
    "Amount",
    "TransactionNo",
    "TransactionDate",
    "CreateBy",
    "CreateDate",
    "IpAddr",
    "OrderInfo",
)
REFUND_ANSWER_ORDER = QUERY_ANSWER_ORDER[:13]
OFFICE = "mot-cua"
"""vnp_CreateBy."""
_CENTS = 100

Message = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who we are to VNPAY."""

    code: str
    """vnp_TmnCode."""
    keys: Keys
    ip: str
    host: str
    """Where payers pay."""
    return_url: str
    """Where a payer comes back to when the attempt names no address of its own."""


def query_string(words: Message) -> str:
    """Return words as VNPAY signs and sends them: sorted, empty ones left out, encoded as forms are."""
    return "&".join(
        f"{_encoded(name)}={_encoded(str(value))}"
        for name, value in sorted(words.items())
        if value not in ("", None) and name not in (HASH, HASH_TYPE)
    )


def sign(text: str, secret: str) -> str:
    """Return the signature of a text."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()


def joined(words: Message, order: tuple[str, ...]) -> str:
    """Return the values of some words in order, joined by "|"; an absent one is empty."""
    return "|".join("" if (value := words.get(f"vnp_{name}")) is None else str(value) for name in order)


def _encoded(text: str) -> str:
    # Forms leave "*" as it is and encode "~"; quote_plus does the opposite of both.
    return quote_plus(text, safe="*").replace("~", "%7E")


class Vnpay:
    """VNPAY as its merchant sees it."""

    provider = Provider.VNPAY

    def __init__(self, merchant: Merchant, http: httpx.AsyncClient, *, timeout_s: float) -> None:
        self.merchant = merchant
        self._http = http
        self._timeout_s = timeout_s

    async def start(self, fee: Fee, payment: Payment) -> Link | Refused:
        """Write the address where the attempt can be paid; VNPAY hears of it when the payer opens it."""
        words: dict[str, object] = {
            "vnp_Version": VERSION,
            "vnp_Command": "pay",
            "vnp_TmnCode": self.merchant.code,
            "vnp_Amount": payment.amount_vnd * _CENTS,
            "vnp_CurrCode": "VND",
            "vnp_TxnRef": payment.reference,
            "vnp_OrderInfo": _order_info(fee.dossier_code),
            "vnp_OrderType": "other",
            "vnp_Locale": "vn",
            "vnp_ReturnUrl": payment.return_url or self.merchant.return_url,
            "vnp_IpAddr": self.merchant.ip,
            "vnp_CreateDate": write_time(payment.opened_at),
        }
        if payment.expires_at is not None:
            words["vnp_ExpireDate"] = write_time(payment.expires_at)
        return Link(pay_url=self.pay_url(words))

    def pay_url(self, words: Message) -> str:
        """Return the signed address of an order."""
        query = query_string(words)
        return f"{self.merchant.host}{PAY_PATH}?{query}&{HASH}={sign(query, self.merchant.keys.current)}"

    async def ask(self, payment: Payment) -> Standing | Refused:
        """Ask by querydr; an order that nobody has opened yet is unknown there, which is no money."""
        answer = await self._query(payment)
        code = str(answer.get("vnp_ResponseCode", ""))
        if code == NOT_FOUND:
            return Standing(State.PENDING)
        return _standing(answer) if code == DONE else Refused(code)

    def read(self, words: Message) -> Reading:
        """Understand an IPN."""
        texts = {name: str(value) for name, value in words.items()}
        given, query = texts.get(HASH, "").lower().encode(), query_string(texts)
        key = self.merchant.keys.match(lambda secret: hmac.compare_digest(given, sign(query, secret).encode()))
        if texts.get("vnp_TmnCode") != self.merchant.code:
            key = None
        notice = Notice(
            self.provider,
            reference=loggable(texts.get("vnp_TxnRef", "")),
            transaction_number=loggable(texts.get("vnp_TransactionNo", "")),
            code=loggable(texts.get("vnp_TransactionStatus", "")),
            key_used=key,
        )
        if key is None:
            return Reading(notice, refusal=Outcome.WRONG_HASH)
        try:
            return Reading(notice, _standing(texts))
        except Unclear:
            return Reading(notice, refusal=Outcome.MALFORMED)

    async def refund(self, refund: Refund, payment: Payment) -> RefundAnswer:
        """Order a refund; ordered again under the same reference it is still one, and tells how it stands."""
        words = {
            "vnp_RequestId": refund.transfer_reference,
            "vnp_Version": VERSION,
            "vnp_Command": "refund",
            "vnp_TmnCode": self.merchant.code,
            "vnp_TransactionType": WHOLE if refund.amount_vnd == payment.amount_vnd else PART,
            "vnp_TxnRef": payment.reference,
            "vnp_Amount": refund.amount_vnd * _CENTS,
            "vnp_TransactionNo": refund.transaction_number,
            "vnp_TransactionDate": write_time(payment.opened_at),
            "vnp_CreateBy": OFFICE,
            "vnp_CreateDate": write_time(refund.sent_at or clock.now()),
            "vnp_IpAddr": self.merchant.ip,
            "vnp_OrderInfo": _order_info(payment.dossier_code),
        }
        answer = await self._call(words, REFUND_ORDER, REFUND_ANSWER_ORDER)
        code, status = str(answer.get("vnp_ResponseCode", "")), str(answer.get("vnp_TransactionStatus", ""))
        if code == IN_HAND or (code == DONE and status in REFUND_UNDER_WAY):
            return RefundAnswer(RefundState.PENDING)
        if code == DONE and status in {"", COMPLETE}:
            return RefundAnswer(RefundState.DONE)
        return RefundAnswer(RefundState.REFUSED, f"vnpay_{loggable(code)}_{loggable(status)}")

    async def bill(self, payment: Payment) -> bytes | Refused:
        """VNPAY gives none."""
        del payment
        return Refused("no_bill")

    async def _query(self, payment: Payment) -> dict[str, Any]:
        now = clock.now()
        words = {
            "vnp_RequestId": new_id().hex,
            "vnp_Version": VERSION,
            "vnp_Command": "querydr",
            "vnp_TmnCode": self.merchant.code,
            "vnp_TxnRef": payment.reference,
            "vnp_TransactionDate": write_time(payment.opened_at),
            "vnp_CreateDate": write_time(now),
            "vnp_IpAddr": self.merchant.ip,
            "vnp_OrderInfo": _order_info(payment.dossier_code),
        }
        answer = await self._call(words, QUERY_ORDER, QUERY_ANSWER_ORDER)
        if str(answer.get("vnp_ResponseCode")) == DONE and answer.get("vnp_TxnRef") != payment.reference:
            raise Unclear("the answer to querydr is about another order")
        return answer

    async def _call(
        self, words: dict[str, Any], order: tuple[str, ...], answer_order: tuple[str, ...]
    ) -> dict[str, Any]:
        signed = {**words, HASH: sign(joined(words, order), self.merchant.keys.current)}
        answer = read_object(
            await post(self._http, API_PATH, signed, provider=self.provider, timeout_s=self._timeout_s)
        )
        text, given = joined(answer, answer_order), str(answer.get(HASH, "")).lower().encode()
        if self.merchant.keys.match(lambda secret: hmac.compare_digest(given, sign(text, secret).encode())) is None:
            raise Unclear(f"the answer to {words['vnp_Command']} is not signed by VNPAY")
        return answer


def _standing(words: Mapping[str, Any]) -> Standing:
    """Return what VNPAY says of an order; the words are signed. Raises Unclear."""
    status = str(words.get("vnp_TransactionStatus", ""))
    if status in {INCOMPLETE, SUSPECT}:
        # A suspected fraud is debited but not settled until VNPAY has looked into it.
        return Standing(State.PENDING)
    if status not in {COMPLETE, REVERSED}:
        return Standing(State.FAILED, reason=f"declined_{loggable(status)}")
    amount = str(words.get("vnp_Amount", ""))
    number = str(words.get("vnp_TransactionNo", ""))
    if not amount.isdecimal() or int(amount) <= 0 or int(amount) % _CENTS or number in {"", "0"}:
        raise Unclear("VNPAY tells of money without its amount or number")
    paid_at: datetime = read_time(str(words.get("vnp_PayDate", ""))) or clock.now()
    return Standing(State.PAID, Money(number, int(amount) // _CENTS, paid_at, is_reversed=status == REVERSED))


def _order_info(dossier_code: str) -> str:
    return f"Thanh toan ho so {dossier_code}"
