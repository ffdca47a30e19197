"""The transaction log, its head, its days, and the seals of what was dropped."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase


class Transaction(GatewayBase):
    """One call through the door; no personal data: no body, no query string. Partitioned by month of `stored_at`."""

    __tablename__ = "transaction_log"

    stored_at: Mapped[datetime] = mapped_column(primary_key=True)
    """When it became durable; never goes back along the numbers."""
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """From 1 without gaps, in the order of the log."""
    at: Mapped[datetime]
    client_id: Mapped[str]
    agency: Mapped[str | None]
    service: Mapped[str]
    method: Mapped[str]
    path: Mapped[str]
    status: Mapped[int] = mapped_column(SmallInteger)
    duration_us: Mapped[int] = mapped_column(BigInteger)
    request_bytes: Mapped[int] = mapped_column(BigInteger)
    response_bytes: Mapped[int] = mapped_column(BigInteger)
    trace_id: Mapped[str]
    dossier_code: Mapped[str | None]
    request_sha256: Mapped[bytes | None]
    response_sha256: Mapped[bytes | None]
    hash: Mapped[bytes]
    signature: Mapped[bytes | None]

    __table_args__ = (
        Index(None, "at"),
        Index("ix_transaction_log_dossier_code", "dossier_code", postgresql_where=text("dossier_code IS NOT NULL")),
        Index(None, "trace_id"),
        {"postgresql_partition_by": "RANGE (stored_at)"},
    )


class TransactionHead(GatewayBase):
    """The end of the log: one row, moved by whoever writes next."""

    __tablename__ = "transaction_head"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes]
    stored_at: Mapped[datetime]


class TransactionDay(GatewayBase):
    """How often a client called a service on a day (of the province's time), counted with the log's own commits."""

    __tablename__ = "transaction_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    """Answered 4xx: the caller's to mend."""
    failed: Mapped[int] = mapped_column(BigInteger)
    """Answered 5xx, or not at all."""
    request_bytes: Mapped[int] = mapped_column(BigInteger)
    response_bytes: Mapped[int] = mapped_column(BigInteger)
    duration_us: Mapped[int] = mapped_column(BigInteger)


class TransactionSeal(GatewayBase):
    """What remains of a month of the log that was dropped: where the chain goes on. Its calls stay counted."""

    __tablename__ = "transaction_seal"

    last_number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last_hash: Mapped[bytes]
    first_number: Mapped[int] = mapped_column(BigInteger)
    stored_from: Mapped[datetime]
    stored_to: Mapped[datetime]
    sealed_at: Mapped[datetime]
    signature: Mapped[bytes]
    """Of the last record's number and hash, with the evidence key."""
