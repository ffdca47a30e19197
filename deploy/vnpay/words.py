"""VNPAY's signatures as VNPAY reckons them, apart from the province's own code, which they check."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from shared.clock import VN

HASH = "vnp_SecureHash"
QUERYDR = "RequestId Version Command TmnCode TxnRef TransactionDate CreateDate IpAddr OrderInfo"
REFUND = (
    "RequestId Version Command TmnCode TransactionType TxnRef Amount TransactionNo TransactionDate CreateBy CreateDate "
    "IpAddr OrderInfo"
)
ANSWER = (
    "ResponseId Command ResponseCode Message TmnCode TxnRef Amount BankCode PayDate TransactionNo TransactionType "
    "TransactionStatus OrderInfo"
)
QUERYDR_ANSWER = f"{ANSWER} PromotionCode PromotionAmount"


def of_query(words: Mapping[str, str], secret: str) -> str:
    """Return the signature of an address or an IPN."""
    signed = sorted((name, value) for name, value in words.items() if name != HASH and value != "")
    return _hmac(urlencode(signed, safe="*").replace("~", "%7E"), secret)


def of_fields(words: Mapping[str, object], order: str, secret: str) -> str:
    """Return the signature of values in an order."""
    return _hmac("|".join(str(words.get(f"vnp_{name}", "")) for name in order.split()), secret)


def compact(moment: datetime) -> str:
    """Return a moment as yyyyMMddHHmmss on Vietnam's 24-hour clock."""
    return moment.astimezone(VN).strftime("%Y%m%d%H%M%S")


def _hmac(text: str, secret: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()
