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
    exemption_id: Mapped[UUID | None] = mapped_column(ForeignKey("exemption.id"))
    """The rule that lifted it or a part of it."""
    exempted_vnd: Mapped[int] = mapped_column(BigInteger, default=0)
    """What was lifted of the amount first assessed; `amount_vnd` is what is left."""

    payments: Mapped[list["Payment"]] = relationship(back_populates="fee", lazy="raise", order_by="Payment.id")

    def subject(self) -> str:
        """Return the dossier's code."""
        return self.dossier_code

    def key(self) -> str:
        """Return the id."""
        return str(self.id)


class Dossier(PaymentBase):
    """A dossier that was accepted, whether or not it has anything to pay."""

    __tablename__ = "dossier"

    code: Mapped[str] = mapped_column(primary_key=True)
    agency_code: Mapped[str]


class Payment(PaymentBase):
    """One attempt to pay a fee."""

    __tablename__ = "payment"
    __table_args__ = (
        Index("uq_payment_one_open_per_fee", "fee_id", unique=True, postgresql_where="status = 'initiated'"),
        Index(None, "provider", "transaction_number", unique=True),
        Index("ix_payment_ask_at", "ask_at", postgresql_where="ask_at IS NOT NULL"),
        Index(None, "desk_shift_id", postgresql_where="desk_shift_id IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    fee_id: Mapped[UUID] = mapped_column(ForeignKey("fee.id"), index=True)
    dossier_code: Mapped[str] = mapped_column(index=True)
    agency_code: Mapped[str]
    provider: Mapped[str]
    reference: Mapped[str] = mapped_column(unique=True)
    """What the provider calls this attempt (MaThamChieu, vnp_TxnRef, the words of a transfer)."""
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    """What is to be paid; what came is in `deposit`."""
    status: Mapped[str]
    transaction_number: Mapped[str | None]
    """The first transaction that brought money (MaGiaoDich)."""
    settles_fee: Mapped[bool] = mapped_column(default=False)
    pay_url: Mapped[str | None]
    """Only while the attempt is open."""
    qr_payload: Mapped[str | None]
    """What a banking app reads from the QR picture; only while an attempt by transfer is open."""
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
    desk_shift_id: Mapped[UUID | None] = mapped_column(ForeignKey("desk_shift.id"))
    """The shift whose drawer the cash lies in."""

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
    __table_args__ = (
        CheckConstraint("amount_vnd > 0", name="positive"),
        CheckConstraint("refunded_vnd BETWEEN 0 AND amount_vnd", name="refunded_at_most_once"),
    )

    provider: Mapped[str] = mapped_column(primary_key=True)
    transaction_number: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"), index=True)
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    refunded_vnd: Mapped[int] = mapped_column(BigInteger, default=0)
    """The sum of all its refunds, whatever became of them."""
    settles_fee: Mapped[bool]
    paid_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Refund(PaymentBase):
    """The case of giving one deposit, or a part of it, back."""

    __tablename__ = "refund"
    __table_args__ = (
        Index(None, "provider", "transaction_number"),
        Index("ix_refund_ask_at", "ask_at", postgresql_where="ask_at IS NOT NULL"),
        CheckConstraint("amount_vnd > 0", name="positive"),
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
    legal_basis: Mapped[str | None]
    """Why a person asked for it; None when it was asked for by itself."""
    status: Mapped[str]
    method: Mapped[str | None]
    """`bank_transfer`, `provider` or `cash`, once it is sent."""
    account_number: Mapped[str | None]
    account_bank: Mapped[str | None]
    account_name: Mapped[str | None]
    """Where a transfer goes to."""
    desk_shift_id: Mapped[UUID | None] = mapped_column(ForeignKey("desk_shift.id"))
    """The shift whose drawer the cash was taken from."""
    transfer_reference: Mapped[str | None]
    ask_at: Mapped[datetime | None]
    """When the provider that carries it out is called next, and the lease of whoever calls."""
    asks: Mapped[int] = mapped_column(default=0)
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
    """One notice of a provider as it was received, without personal data."""

    __tablename__ = "callback_log"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(index=True)
    provider: Mapped[str]
    key_used: Mapped[str | None]
    """`current` or `previous`: which of our two valid secrets it was signed with; None for none of them."""
    reference: Mapped[str] = mapped_column(index=True)
    transaction_number: Mapped[str]
    code: Mapped[str]
    """The provider's own: "00" says that the money came."""
    outcome: Mapped[str]
