"""HTTP bodies of payment. Amounts are whole đồng, times RFC 3339."""

from services.payment.schemas.fees import (
    FailureRequest,
    FeeView,
    Item,
    Page,
    PaymentRequest,
    PaymentView,
    ReceiptView,
    RefundView,
    TransferRequest,
    WaiverRequest,
    page,
    read_cursor,
)

__all__ = [
    "FailureRequest",
    "FeeView",
    "Item",
    "Page",
    "PaymentRequest",
    "PaymentView",
    "ReceiptView",
    "RefundView",
    "TransferRequest",
    "WaiverRequest",
    "page",
    "read_cursor",
]
