"""Facts that payment tells: fees, payments, receipts, refunds. Amounts are whole đồng."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.events.envelope import EventData
from shared.events.values import CollectedAt, FeeItem


class FeeAssessed(EventData):
    """An obligation to pay exists."""

    event_type: ClassVar[str] = "payment.fee.assessed.v1"

    fee_id: UUID
    items: tuple[FeeItem, ...]
    amount_vnd: int
    collected: CollectedAt
    assessed_at: datetime


class FeePaid(EventData):
    """The obligation is met, once."""

    event_type: ClassVar[str] = "payment.fee.paid.v1"

    fee_id: UUID
    payment_id: UUID
    amount_vnd: int
    collected: CollectedAt
    method: str
    """`national_platform`, `vnpay`, `vietqr` or `cash`."""
    paid_at: datetime


class FeeWaived(EventData):
    """The obligation was lifted on a legal basis."""

    event_type: ClassVar[str] = "payment.fee.waived.v1"

    fee_id: UUID
    amount_vnd: int
    collected: CollectedAt
    legal_basis: str
    waived_at: datetime


class FeeReduced(EventData):
    """A part of the obligation was lifted on a legal basis; the rest is due."""

    event_type: ClassVar[str] = "payment.fee.reduced.v1"

    fee_id: UUID
    items: tuple[FeeItem, ...]
    """What is left of each."""
    amount_vnd: int
    """What is left to pay."""
    exempted_vnd: int
    collected: CollectedAt
    legal_basis: str
    reduced_at: datetime


class FeeCancelled(EventData):
    """The obligation fell away with its dossier."""

    event_type: ClassVar[str] = "payment.fee.cancelled.v1"

    fee_id: UUID
    amount_vnd: int
    collected: CollectedAt
    reason: str
    cancelled_at: datetime


class PaymentInitiated(EventData):
    """An attempt to pay was opened with a provider."""

    event_type: ClassVar[str] = "payment.payment.initiated.v1"

    payment_id: UUID
    fee_id: UUID
    provider: str
    reference: str
    amount_vnd: int
    expires_at: datetime | None


class PaymentSucceeded(EventData):
    """The provider has the money."""

    event_type: ClassVar[str] = "payment.payment.succeeded.v1"

    payment_id: UUID
    fee_id: UUID
    provider: str
    reference: str
    transaction_number: str
    amount_vnd: int
    settles_fee: bool
    """False when the fee was already met or cancelled: a refund follows."""
    succeeded_at: datetime


class PaymentFailed(EventData):
    """The provider says that the attempt failed."""

    event_type: ClassVar[str] = "payment.payment.failed.v1"

    payment_id: UUID
    fee_id: UUID
    reference: str
    reason: str
    failed_at: datetime


class PaymentExpired(EventData):
    """The attempt ran out of time or was replaced by another."""

    event_type: ClassVar[str] = "payment.payment.expired.v1"

    payment_id: UUID
    fee_id: UUID
    reference: str
    expired_at: datetime


class ReceiptIssued(EventData):
    """A numbered receipt exists for money received."""

    event_type: ClassVar[str] = "payment.receipt.issued.v1"

    receipt_id: UUID
    fee_id: UUID
    payment_id: UUID
    issuer_code: str
    series: str
    number: int
    """1, 2, 3… without a gap per issuer and series."""
    amount_vnd: int
    issued_at: datetime
    form_number: str | None = None
    """Ký hiệu mẫu biên lai."""
    on_behalf_of: str | None = None
    """The agency whose fee it is; the issuer itself unless it was delegated."""
    items: tuple[FeeItem, ...] = ()
    """What it covers: all of its fee, or only its phí or lệ phí."""
    replaces_id: UUID | None = None
    """The receipt in whose place it stands, when it corrects one."""


class ReceiptCancelled(EventData):
    """A receipt was taken out of force by a cancelling one."""

    event_type: ClassVar[str] = "payment.receipt.cancelled.v1"

    receipt_id: UUID
    cancelled_by_id: UUID
    issuer_code: str
    series: str
    number: int
    """Of the cancelling receipt, which has a number of its own in its series."""
    amount_vnd: int
    """Of the receipt that is out of force."""
    reason: str
    cancelled_at: datetime


class RefundRequested(EventData):
    """Money that is not ours to keep must go back."""

    event_type: ClassVar[str] = "payment.refund.requested.v1"

    refund_id: UUID
    payment_id: UUID
    fee_id: UUID
    amount_vnd: int
    reason: str
    requested_at: datetime


class RefundSent(EventData):
    """The transfer back was ordered."""

    event_type: ClassVar[str] = "payment.refund.sent.v1"

    refund_id: UUID
    payment_id: UUID
    amount_vnd: int
    transfer_reference: str
    sent_at: datetime


class RefundDone(EventData):
    """The money arrived, as far as is known."""

    event_type: ClassVar[str] = "payment.refund.done.v1"

    refund_id: UUID
    payment_id: UUID
    amount_vnd: int
    done_at: datetime


class RefundFailed(EventData):
    """The transfer came back; it can be sent again."""

    event_type: ClassVar[str] = "payment.refund.failed.v1"

    refund_id: UUID
    payment_id: UUID
    amount_vnd: int
    reason: str
    failed_at: datetime
