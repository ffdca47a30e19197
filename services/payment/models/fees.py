"""Tables of payment.

Whoever changes the status of a fee or of one of its payments holds the lock on the fee's row: one lock decides which
of two transactions settles a fee. Amounts are whole đồng.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Identity, Index, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shared.db import NAMES, Base


class PaymentBase(Base):
    """Root of payment's tables."""

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMES)


class Fee(PaymentBase):
    """What one dossier owes at one occasion."""

    __tablename__ = "fee"
    __table_args__ = (
        Index(None, "dossier_code", "collected", unique=True),
        CheckConstraint("amount_vnd > 0", name="positive"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dossier_code: Mapped[str]
    agency_code: Mapped[str]
    procedure_code: Mapped[str]
    collected: Mapped[str]
    """`on_acceptance` or `on_return`."""
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str]
    payer_name: Mapped[str]
    payer_id_number: Mapped[str | None]
    payer_address: Mapped[str | None]
    assessed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it was paid, waived or cancelled."""
    ended_because: Mapped[str | None]
    """The legal basis of a waiver, the reason of a cancellation."""

    payments: Mapped[list["Payment"]] = relationship(back_populates="fee", lazy="raise", order_by="Payment.id")

    def subject(self) -> str:
        """Return the dossier's code."""
        return self.dossier_code

    def key(self) -> str:
        """Return the id."""
        return str(self.id)


class Payment(PaymentBase):
    """One attempt to pay a fee."""

    __tablename__ = "payment"
    __table_args__ = (
        Index("uq_payment_one_open_per_fee", "fee_id", unique=True, postgresql_where="status = 'initiated'"),
        Index(None, "provider", "transaction_number", unique=True),
        Index("ix_payment_ask_at", "ask_at", postgresql_where="ask_at IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    fee_id: Mapped[UUID] = mapped_column(ForeignKey("fee.id"), index=True)
    dossier_code: Mapped[str] = mapped_column(index=True)
    agency_code: Mapped[str]
    provider: Mapped[str]
    reference: Mapped[str] = mapped_column(unique=True)
    """What the provider calls this attempt (MaThamChieu)."""
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    """What is to be paid; what came is in `deposit`."""
    status: Mapped[str]
    transaction_number: Mapped[str | None]
    """The first transaction that brought money (MaGiaoDich)."""
    settles_fee: Mapped[bool] = mapped_column(default=False)
    pay_url: Mapped[str | None]
    """Only while the attempt is open."""
    return_url: Mapped[str | None]
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    """None for cash, which is never open."""
    ended_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    ask_at: Mapped[datetime | None]
    """When the platform is asked next; whoever asks moves this on first (a lease)."""
    asks: Mapped[int] = mapped_column(default=0)
    """Questions since the last clear answer."""

    fee: Mapped[Fee] = relationship(back_populates="payments", lazy="raise")

    def subject(self) -> str:
        """Return the dossier's code."""
        return self.dossier_code

    def key(self) -> str:
        """Return the id."""
        return str(self.id)


class Deposit(PaymentBase):
    """Money that a provider has for us: every transaction once, also one that nobody expected."""

    __tablename__ = "deposit"

    provider: Mapped[str] = mapped_column(primary_key=True)
    transaction_number: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"), index=True)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    settles_fee: Mapped[bool]
    paid_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class ReceiptSeries(PaymentBase):
    """The last number given out in a series of receipts; its row's lock makes numbering gap-free."""

    __tablename__ = "receipt_series"

    issuer_code: Mapped[str] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    last_number: Mapped[int]


class Receipt(PaymentBase):
    """A numbered receipt (biên lai) for a fee that was paid."""

    __tablename__ = "receipt"
    __table_args__ = (Index(None, "issuer_code", "series", "number", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    issuer_code: Mapped[str]
    series: Mapped[str]
    number: Mapped[int]
    fee_id: Mapped[UUID] = mapped_column(ForeignKey("fee.id"), unique=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"), unique=True)
    dossier_code: Mapped[str] = mapped_column(index=True)
    payer_name: Mapped[str]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    issued_at: Mapped[datetime]


class Refund(PaymentBase):
    """The case of giving one deposit back by bank transfer: the platform has no message for it."""

    __tablename__ = "refund"
    __table_args__ = (
        Index(None, "provider", "transaction_number", unique=True),
        ForeignKeyConstraint(["provider", "transaction_number"], ["deposit.provider", "deposit.transaction_number"]),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"), index=True)
    fee_id: Mapped[UUID] = mapped_column(ForeignKey("fee.id"))
    dossier_code: Mapped[str] = mapped_column(index=True)
    agency_code: Mapped[str]
    provider: Mapped[str]
    transaction_number: Mapped[str]
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    status: Mapped[str]
    transfer_reference: Mapped[str | None]
    failure: Mapped[str | None]
    requested_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    def subject(self) -> str:
        """Return the dossier's code."""
        return self.dossier_code

    def key(self) -> str:
        """Return the id."""
        return str(self.id)


class CallbackLog(PaymentBase):
    """One CONFIRM as it was received, without personal data."""

    __tablename__ = "callback_log"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    received_at: Mapped[datetime]
    reference: Mapped[str] = mapped_column(index=True)
    transaction_number: Mapped[str]
    code: Mapped[str]
    """MaLoi: "00" says that the money came."""
    outcome: Mapped[str]
