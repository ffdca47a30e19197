"""HTTP bodies of payment. Amounts are whole đồng, times RFC 3339."""

from services.payment.schemas.fees import (
    ExemptRequest,
    FailureRequest,
    FeeView,
    Item,
    Page,
    PaymentRequest,
    PaymentView,
    ProvidersView,
    RefundRequest,
    RefundView,
    TransferRequest,
    WaiverRequest,
    page,
    read_cursor,
)
from services.payment.schemas.money import MoneyView, money_view

__all__ = [
    "ExemptRequest",
    "FailureRequest",
    "FeeView",
    "Item",
    "MoneyView",
    "Page",
    "PaymentRequest",
    "PaymentView",
    "ProvidersView",
    "RefundRequest",
    "RefundView",
    "TransferRequest",
    "WaiverRequest",
    "money_view",
    "page",
    "read_cursor",
]
