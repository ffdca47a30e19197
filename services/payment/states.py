"""What can happen to a fee, an attempt to pay it and a refund."""

from enum import StrEnum

from shared.events.payment import (
    FeeAssessed,
    FeeCancelled,
    FeePaid,
    FeeReduced,
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
    """It arrived, as far as is known: a bank may still bring it back."""
    FAILED = "failed"
    """The money came back; it can be sent again, elsewhere too."""


class Provider(StrEnum):
    """Who takes the money."""

    NATIONAL_PLATFORM = "national_platform"
    VNPAY = "vnpay"
    VIETQR = "vietqr"
    """A transfer to the agency's account, its words written by a QR code."""
    CASH = "cash"


class RefundMethod(StrEnum):
    """How money goes back."""

    BANK_TRANSFER = "bank_transfer"
    PROVIDER = "provider"
    """The provider that took it carries it back, by a message of its own."""
    CASH = "cash"


class AccountKind(StrEnum):
    """What an account of the ledger holds."""

    RECEIVABLE = "receivable"
    """What payers owe an agency."""
    REVENUE = "revenue"
    """What an agency has asked for and need not give back: phí and lệ phí apart."""
    CLEARING = "clearing"
    """What a provider (or the cash desk) holds for an agency."""
    TREASURY = "treasury"
    """What has arrived in the treasury account."""
    SUSPENSE = "suspense"
    """What is not ours to keep, or not explained yet."""
    TRANSIT = "transit"
    """What was sent back and has not arrived yet."""


class EntryCause(StrEnum):
    """Why a sum was moved in the ledger."""

    ASSESSED = "assessed"
    WAIVED = "waived"
    CANCELLED = "cancelled"
    SETTLED = "settled"
    UNSETTLED = "unsettled"
    UNMATCHED = "unmatched"
    IDENTIFIED = "identified"
    REFUND_OWED = "refund_owed"
    REFUND_SENT = "refund_sent"
    REFUND_FAILED = "refund_failed"
    REFUND_DONE = "refund_done"
    PAID_OUT = "paid_out"
    ADJUSTED = "adjusted"
    REVERSED = "reversed"
    """An entry that a person posted is taken back."""


class LineStatus(StrEnum):
    """What a provider's statement says of a transaction."""

    SUCCESS = "success"
    REVERSED = "reversed"
    FAILED = "failed"
    PENDING = "pending"


class DifferenceKind(StrEnum):
    """How a provider and the ledger differ about a transaction."""

    OURS_ONLY = "ours_only"
    """The ledger has it, the provider's statement does not."""
    THEIRS_ONLY = "theirs_only"
    """The provider has money that the ledger knows nothing of."""
    AMOUNT = "amount"
    STATUS = "status"
    """The ledger has it, the provider says that it was reversed, failed or is pending."""
    DUPLICATE = "duplicate"
    """The provider names it more than once."""


class Explanation(StrEnum):
    """Where a difference comes from."""

    NOT_TOLD = "not_told"
    """The provider never told us, or its notice was lost."""
    PROVIDER_ERROR = "provider_error"
    OUR_ERROR = "our_error"
    REVERSED_LATER = "reversed_later"
    OTHER_DAY = "other_day"
    """It stands in the statement of another day."""
    BANK_FEE = "bank_fee"
    OTHER = "other"


class Resolution(StrEnum):
    """What is done about a difference."""

    ADJUST = "adjust"
    """The ledger follows the provider; what differs waits in suspense."""
    RECORD = "record"
    """The money is taken as if it had been told in time: it settles its fee, or its refund is requested."""


class ReceiptKind(StrEnum):
    """What a numbered receipt does."""

    RECEIPT = "receipt"
    REPLACEMENT = "replacement"
    """It stands in for one that named its payer wrongly."""
    CANCELLATION = "cancellation"
    """It takes one out of force."""


class Covers(StrEnum):
    """Of what a receipt is."""

    PHI = "phi"
    LE_PHI = "le_phi"
    BOTH = "both"


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
    DOSSIER_RETRACTED = "dossier_retracted"
    """It was entered by mistake."""
    REVERSED = "reversed"
    """The bank debited the payer, the provider did not complete the transaction (VNPAY's 04)."""
    EXEMPTED = "exempted"
    """The law lifts the fee, which was seen after it was paid."""
    DECIDED = "decided"
    """A person decided so, on a legal basis."""


class Outcome(StrEnum):
    """What a provider's report about an attempt led to."""

    SETTLED = "settled"
    REFUND_REQUESTED = "refund_requested"
    WRONG_AMOUNT = "wrong_amount"
    """The money is not what was asked; its refund was requested."""
    PENDING = "pending"
    """The provider does not know yet; nothing changed."""
    UNMATCHED = "unmatched"
    """A transfer that names no attempt: it lies with the unmatched lines until a person decides."""
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
        Edge("reduce", FeeStatus.DUE, FeeStatus.DUE, FeeReduced),
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
        Edge("fail", RefundStatus.DONE, RefundStatus.FAILED, RefundFailed),
    ],
)
