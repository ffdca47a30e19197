"""What payment reads and locks. Lists go by id, which is by time; `after` is the last id already seen."""

from services.payment.queries.fees import (
    LIST_MAX,
    Listed,
    Window,
    get_fee,
    get_payment,
    get_receipt,
    list_fees,
    list_payments,
    list_receipts,
    list_refunds,
    lock_attempt,
    lock_due_questions,
    lock_fee,
    lock_fees,
    lock_fees_of_dossiers,
    lock_refund,
)

__all__ = [
    "LIST_MAX",
    "Listed",
    "Window",
    "get_fee",
    "get_payment",
    "get_receipt",
    "list_fees",
    "list_payments",
    "list_receipts",
    "list_refunds",
    "lock_attempt",
    "lock_due_questions",
    "lock_fee",
    "lock_fees",
    "lock_fees_of_dossiers",
    "lock_refund",
]
