"""Table of what arrived on the accounts of the agencies."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.payment.models.fees import PaymentBase


class BankLine(PaymentBase):
    """One credit on an account of ours, from the bank's push, its answer to us, or a statement file."""

    __tablename__ = "bank_line"
    __table_args__ = (
        CheckConstraint("amount_vnd > 0", name="positive"),
        Index("ix_bank_line_unmatched", "id", postgresql_where="payment_id IS NULL AND returned_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_number: Mapped[str]
    agency_code: Mapped[str | None]
    """Whose account it is; None when nobody's route names it."""
    transaction_number: Mapped[str] = mapped_column(unique=True)
    booked_at: Mapped[datetime]
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[str]
    """What the payer wrote; may name people, so it is never logged."""
    source: Mapped[str]
    """`push`, `inquiry` or `file`: who told it first."""
    recorded_at: Mapped[datetime]
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id"), index=True)
    """Which attempt it pays; None as long as nobody knows."""
    returned_at: Mapped[datetime | None]
    """When it was sent back to where it came from, since nobody could say what it is for."""
    transfer_reference: Mapped[str | None]
    decided_by: Mapped[str | None]
    """The client that assigned or returned it; None when its reference did."""
    note: Mapped[str | None]
