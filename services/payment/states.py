"""What can happen to a fee, an attempt to pay it and a refund."""

from enum import StrEnum

from shared.events.payment import (
    FeeAssessed,
    FeeCancelled,
    FeePaid,
    FeeWaived,
    PaymentExpired,
    PaymentFailed,
    PaymentInitiated,
    PaymentSucceeded,
    RefundDone,
    RefundFailed,
    RefundRequested,
    RefundSent,
)
from shared.states import Edge, Lifecycle


class FeeStatus(StrEnum):
    """Whether an obligation still stands."""

    DUE = "due"
    PAID = "paid"
    WAIVED = "waived"
    CANCELLED = "cancelled"


class PaymentStatus(StrEnum):
    """How an attempt to pay stands."""

    INITIATED = "initiated"
    """Open: its link, once there, can be paid."""
    SUCCEEDED = "succeeded"
    """The provider has money for us, whether or not it settles the fee."""
    FAILED = "failed"
    EXPIRED = "expired"
    """Out of time, replaced by another way of paying, or its fee fell away."""


class RefundStatus(StrEnum):
    """How far money is on its way back."""

    REQUESTED = "requested"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    """The transfer came back; it can be sent again."""


class Provider(StrEnum):
    """Who takes the money."""

    NATIONAL_PLATFORM = "national_platform"
    CASH = "cash"


class RefundReason(StrEnum):
    """Why money is not ours to keep."""

    WRONG_AMOUNT = "wrong_amount"
    SECOND_TRANSACTION = "second_transaction"
    """Another transaction of the same attempt had succeeded before."""
    FEE_PAID = "fee_paid"
    """Another attempt had settled the fee before."""
    FEE_WAIVED = "fee_waived"
    FEE_CANCELLED = "fee_cancelled"
    ATTEMPT_FAILED = "attempt_failed"
    """The money came although the provider had said that the attempt failed."""
    ATTEMPT_EXPIRED = "attempt_expired"
    DOSSIER_REJECTED = "dossier_rejected"
    DOSSIER_WITHDRAWN = "dossier_withdrawn"


class Outcome(StrEnum):
    """What a provider's report about an attempt led to."""

    SETTLED = "settled"
    REFUND_REQUESTED = "refund_requested"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    """This transaction was reported before; nothing changed."""
    TOO_LATE = "too_late"
    """A failure of an attempt that has ended; nothing changed."""
    WRONG_HASH = "wrong_hash"
    UNKNOWN_REFERENCE = "unknown_reference"
    TRANSACTION_REUSED = "transaction_reused"
    """The transaction belongs to another attempt."""
    MALFORMED = "malformed"


FEE = Lifecycle(
    "fee",
    FeeStatus,
    [
        Edge("assess", None, FeeStatus.DUE, FeeAssessed),
        Edge("settle", FeeStatus.DUE, FeeStatus.PAID, FeePaid),
        Edge("waive", FeeStatus.DUE, FeeStatus.WAIVED, FeeWaived),
        Edge("cancel", FeeStatus.DUE, FeeStatus.CANCELLED, FeeCancelled),
    ],
)

# Money that comes is recorded whatever the attempt's status was: what nobody expected is refunded, not lost.
PAYMENT = Lifecycle(
    "payment",
    PaymentStatus,
    [
        Edge("open", None, PaymentStatus.INITIATED, PaymentInitiated),
        Edge("receive", PaymentStatus.INITIATED, PaymentStatus.SUCCEEDED, PaymentSucceeded),
        Edge("receive", PaymentStatus.FAILED, PaymentStatus.SUCCEEDED, PaymentSucceeded),
        Edge("receive", PaymentStatus.EXPIRED, PaymentStatus.SUCCEEDED, PaymentSucceeded),
        Edge("receive", PaymentStatus.SUCCEEDED, PaymentStatus.SUCCEEDED, PaymentSucceeded),
        Edge("fail", PaymentStatus.INITIATED, PaymentStatus.FAILED, PaymentFailed),
        Edge("expire", PaymentStatus.INITIATED, PaymentStatus.EXPIRED, PaymentExpired),
    ],
)

REFUND = Lifecycle(
    "refund",
    RefundStatus,
    [
        Edge("request", None, RefundStatus.REQUESTED, RefundRequested),
        Edge("send", RefundStatus.REQUESTED, RefundStatus.SENT, RefundSent),
        Edge("send", RefundStatus.FAILED, RefundStatus.SENT, RefundSent),
        Edge("finish", RefundStatus.SENT, RefundStatus.DONE, RefundDone),
        Edge("fail", RefundStatus.SENT, RefundStatus.FAILED, RefundFailed),
    ],
)
