"""Tables of the ledger: accounts and entries. Both are only added to; triggers of the database see to that as well.

One entry moves one sum from one account to another, so no entry can be out of balance, and neither can their sum.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.payment.models.fees import PaymentBase


class LedgerAccount(PaymentBase):
    """One account: what an agency is owed, has earned, has with a provider or in its treasury account, owes back."""

    __tablename__ = "ledger_account"

    code: Mapped[str] = mapped_column(primary_key=True)
    """All that follows, joined: `clearing/vnpay/H32.14/3712.0.1234567`."""
    kind: Mapped[str]
    agency_code: Mapped[str] = mapped_column(index=True)
    provider: Mapped[str]
    """Empty for accounts that are no provider's."""
    treasury_account: Mapped[str]
    """Tài khoản kho bạc; empty for accounts that hold no money."""
    fee_kind: Mapped[str]
    """`phi` or `le_phi` of what is earned; empty for others."""


class LedgerEntry(PaymentBase):
    """One sum moved from one account to another."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint("amount_vnd > 0", name="positive"),
        CheckConstraint("debit <> credit", name="two_accounts"),
        Index(
            "uq_ledger_entry_transaction_once",
            "provider",
            "transaction_number",
            "cause",
            "fee_kind",
            unique=True,
            postgresql_where="cause IN ('settled', 'unsettled', 'unmatched', 'paid_out')",
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    posted_at: Mapped[datetime] = mapped_column(index=True)
    on_date: Mapped[date] = mapped_column(index=True)
    """The day in Việt Nam to which it counts: that of the payment for money that came, else that of the posting."""
    cause: Mapped[str]
    debit: Mapped[str] = mapped_column(ForeignKey("ledger_account.code"))
    credit: Mapped[str] = mapped_column(ForeignKey("ledger_account.code"))
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    agency_code: Mapped[str]
    fee_kind: Mapped[str]
    """`phi` or `le_phi`; empty when the sum is neither or both."""
    dossier_code: Mapped[str | None] = mapped_column(index=True)
    fee_id: Mapped[UUID | None]
    payment_id: Mapped[UUID | None]
    refund_id: Mapped[UUID | None]
    provider: Mapped[str | None]
    transaction_number: Mapped[str | None]
    reverses_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    """The entry that this one takes back; each at most once."""
    note: Mapped[str | None]
    """Why a person or a reconciliation posted it."""
    posted_by: Mapped[str]


class TreasuryAccount(PaymentBase):
    """Into which treasury account (tài khoản kho bạc) an agency and those below it collect, from a day on."""

    __tablename__ = "treasury_account"

    agency_code: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    account_number: Mapped[str]
    account_name: Mapped[str]
    treasury_name: Mapped[str]
    """Which State Treasury office keeps it."""
