"""Tables of receipts, and of who issues them for whom.

Receipts are only added to: what takes one out of force is another, with a number of its own.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.payment.models.fees import PaymentBase


class Issuer(PaymentBase):
    """What an agency's receipts say and look like, from a day on."""

    __tablename__ = "issuer"

    code: Mapped[str] = mapped_column(primary_key=True)
    """The agency that issues."""
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str]
    tax_code: Mapped[str | None]
    """Mã số thuế."""
    address: Mapped[str | None]
    parent_name: Mapped[str | None]
    """The agency above it, as the letterhead names it."""
    place: Mapped[str | None]
    """Where its papers are dated."""
    forms: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """One form for all (`covers` both), or one for phí and one for lệ phí: `covers`, `form_number`, `letters`."""


class IssuingDelegation(PaymentBase):
    """Who issues receipts for what an agency collects, from a day on; a row that names itself ends a delegation."""

    __tablename__ = "issuing_delegation"

    agency_code: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    issuer_code: Mapped[str] = mapped_column(index=True)
    legal_basis: Mapped[str]


class ReceiptSeries(PaymentBase):
    """The last number given out in a series of receipts; its row's lock makes numbering gap-free."""

    __tablename__ = "receipt_series"

    issuer_code: Mapped[str] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    form_number: Mapped[str]
    last_number: Mapped[int]
    last_issued_at: Mapped[datetime]


class Receipt(PaymentBase):
    """A numbered receipt (biên lai) for a fee that was paid, or one that takes another out of force."""

    __tablename__ = "receipt"
    __table_args__ = (
        Index(None, "issuer_code", "series", "number", unique=True),
        Index("uq_receipt_one_per_fee", "fee_id", "covers", unique=True, postgresql_where="kind = 'receipt'"),
        CheckConstraint("number > 0", name="counted_from_one"),
        CheckConstraint("(kind = 'receipt') = (counters_id IS NULL)", name="counters"),
        CheckConstraint("(kind = 'cancellation') = (amount_vnd < 0)", name="sign"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    issuer_code: Mapped[str]
    form_number: Mapped[str]
    """Ký hiệu mẫu biên lai: `01BLP0-001`."""
    series: Mapped[str]
    number: Mapped[int]
    kind: Mapped[str]
    """`receipt`, `replacement` or `cancellation`."""
    covers: Mapped[str]
    """`phi`, `le_phi` or `both`."""
    on_behalf_of: Mapped[str]
    """The agency whose fee it is; the issuer itself unless it was delegated."""
    fee_id: Mapped[UUID] = mapped_column(ForeignKey("fee.id"), index=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"), index=True)
    dossier_code: Mapped[str] = mapped_column(index=True)
    payer_name: Mapped[str]
    payer_address: Mapped[str | None]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    """Less than none for a cancellation."""
    counters_id: Mapped[UUID | None] = mapped_column(ForeignKey("receipt.id"), unique=True)
    """The receipt that this one takes out of force."""
    reason: Mapped[str | None]
    check_code: Mapped[str] = mapped_column(unique=True)
    """What its QR code asks the public check with: nobody can guess it."""
    issued_by: Mapped[str]
    issued_at: Mapped[datetime]


class ReceiptDocument(PaymentBase):
    """A receipt as signed PDF: made when it was first asked for, the same ever after."""

    __tablename__ = "receipt_document"

    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("receipt.id"), primary_key=True)
    sha256: Mapped[str]
    content: Mapped[bytes]
    made_at: Mapped[datetime]
