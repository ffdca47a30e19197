"""Tables of reconciliation: what a provider says it did on a day, and where that differs from the ledger."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.payment.models.fees import PaymentBase


class Statement(PaymentBase):
    """What a provider told of one day: a file, or its answers to our questions. Only added to."""

    __tablename__ = "statement"
    __table_args__ = (Index(None, "agency_code", "provider", "day", "sha256", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_code: Mapped[str]
    """For whose money: this agency's and that of all below it."""
    provider: Mapped[str]
    day: Mapped[date]
    source: Mapped[str]
    """`file` or `questions`."""
    sha256: Mapped[str]
    line_count: Mapped[int]
    taken_at: Mapped[datetime]
    taken_by: Mapped[str]


class StatementLine(PaymentBase):
    """One transaction of a statement. Only added to."""

    __tablename__ = "statement_line"
    __table_args__ = (Index(None, "transaction_number"),)

    statement_id: Mapped[UUID] = mapped_column(ForeignKey("statement.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    transaction_number: Mapped[str]
    reference: Mapped[str | None]
    """The attempt it paid, in the words that we gave the provider."""
    amount_vnd: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str]
    """`success`, `reversed`, `failed` or `pending`."""
    paid_at: Mapped[datetime | None]


class Reconciliation(PaymentBase):
    """One day of one provider, compared with the ledger as often as anybody wants."""

    __tablename__ = "reconciliation"
    __table_args__ = (
        Index(None, "agency_code", "provider", "day", unique=True),
        Index("ix_reconciliation_ask_at", "ask_at", postgresql_where="ask_at IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_code: Mapped[str]
    provider: Mapped[str]
    day: Mapped[date]
    statement_id: Mapped[UUID | None] = mapped_column(ForeignKey("statement.id"))
    """What it was compared with last; None before the first time."""
    ask_at: Mapped[datetime | None]
    """When the provider is to be asked about the day, and the lease of whoever asks; None when it is not."""
    compared_at: Mapped[datetime | None]
    compared_by: Mapped[str | None]
    ours_count: Mapped[int]
    ours_vnd: Mapped[int] = mapped_column(BigInteger)
    theirs_count: Mapped[int]
    theirs_vnd: Mapped[int] = mapped_column(BigInteger)
    matched_count: Mapped[int]
    matched_vnd: Mapped[int] = mapped_column(BigInteger)


class Difference(PaymentBase):
    """One transaction about which a provider and the ledger do not agree."""

    __tablename__ = "difference"
    __table_args__ = (
        Index(
            "uq_difference_found_once",
            "reconciliation_id",
            "kind",
            "transaction_number",
            "ours_vnd",
            "theirs_vnd",
            unique=True,
            postgresql_where="resolved_at IS NULL",
        ),
        CheckConstraint("resolved_by IS NULL OR resolved_by <> explained_by", name="four_eyes"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reconciliation_id: Mapped[UUID] = mapped_column(ForeignKey("reconciliation.id"), index=True)
    agency_code: Mapped[str]
    """Of the payment where one is known, else of the reconciliation."""
    kind: Mapped[str]
    transaction_number: Mapped[str]
    reference: Mapped[str | None]
    ours_vnd: Mapped[int] = mapped_column(BigInteger)
    theirs_vnd: Mapped[int] = mapped_column(BigInteger)
    paid_at: Mapped[datetime | None]
    """When, according to the provider."""
    found_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    """When a later comparison no longer found it."""
    explanation: Mapped[str | None]
    note: Mapped[str | None]
    explained_by: Mapped[str | None]
    explained_at: Mapped[datetime | None]
    resolution: Mapped[str | None]
    """`adjust`: the ledger follows the provider; `record`: the money is taken as if it had been told in time."""
    resolved_by: Mapped[str | None]
    """A client other than the one that explained it."""
    resolved_at: Mapped[datetime | None]
