"""The transaction log, its head, its days, and the seals of what was dropped."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Dialect, ForeignKey, Index, SmallInteger, TypeDecorator, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase


class TraceId(TypeDecorator[str]):
    """A W3C trace id: 32 hexadecimal digits in Python, 16 bytes in the table, empty where there was none."""

    impl = Uuid
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> UUID | None:
        """Return what is kept."""
        del dialect
        return UUID(value) if value else None

    def process_result_value(self, value: UUID | None, dialect: Dialect) -> str:
        """Return the digits."""
        del dialect
        return value.hex if value else ""


class Transaction(GatewayBase):
    """One call through the door; no personal data: no body, no query string. Partitioned by `stored_at`.

    Rows come in the order of their numbers and stay: what finds them are ranges of pages (BRIN). The database keeps no
    key: a number that came twice is found by the chain.
    """

    __tablename__ = "transaction_log"

    stored_at: Mapped[datetime] = mapped_column(primary_key=True)
    """When it became durable; never goes back along the numbers."""
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """From 1 without gaps, in the order of the log."""
    at: Mapped[datetime]
    duration_us: Mapped[int] = mapped_column(BigInteger)
    request_bytes: Mapped[int] = mapped_column(BigInteger)
    response_bytes: Mapped[int] = mapped_column(BigInteger)
    trace_id: Mapped[str] = mapped_column(TraceId, nullable=True)
    status: Mapped[int] = mapped_column(SmallInteger)
    client_id: Mapped[str]
    agency: Mapped[str | None]
    service: Mapped[str]
    method: Mapped[str]
    path: Mapped[str]
    dossier_code: Mapped[str | None]
    request_sha256: Mapped[bytes | None]
    response_sha256: Mapped[bytes | None]
    hash: Mapped[bytes]
    signature: Mapped[bytes | None]

    __table_args__ = (
        Index("ix_transaction_log_order", "number", "stored_at", "at", postgresql_using="brin"),
        Index("ix_transaction_log_dossier_code", "dossier_code", postgresql_where=text("dossier_code IS NOT NULL")),
        Index("ix_transaction_log_trace_id", "trace_id", postgresql_using="brin"),
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


class TransactionCause(GatewayBase):
    """How often calls were refused or failed on a day, by the status they were answered with (0: not at all)."""

    __tablename__ = "transaction_cause"

    day: Mapped[date] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)


class TurnedAway(GatewayBase):
    """How many requests the guard refused on a day before they were anybody's call, by the problem's code."""

    __tablename__ = "turned_away"

    day: Mapped[date] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)


class TransactionAnchor(GatewayBase):
    """A head of the log as a time-stamping authority stamped it (RFC 3161)."""

    __tablename__ = "transaction_anchor"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes]
    stamped_at: Mapped[datetime]
    """The authority's own time."""
    token: Mapped[bytes]
    """TimeStampToken, DER."""


class TransactionRetention(GatewayBase):
    """So many whole months no function drops, whoever asks: one row, changed by `motcua prepare` alone."""

    __tablename__ = "transaction_retention"

    months: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)

    __table_args__ = (CheckConstraint("months >= 1", name="whole"),)


class TransactionSeal(GatewayBase):
    """What remains of a month of the log that was dropped: where the chain goes on. Its calls stay counted."""

    __tablename__ = "transaction_seal"

    last_number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last_hash: Mapped[bytes]
    first_number: Mapped[int] = mapped_column(BigInteger)
    stored_from: Mapped[datetime]
    stored_to: Mapped[datetime]
    sealed_at: Mapped[datetime]
    calls: Mapped[int | None] = mapped_column(BigInteger)
    summary_sha256: Mapped[bytes | None]
    """Of the figures in `transaction_seal_day`; none in seals made before there were any."""
    signature: Mapped[bytes]
    """Of all of it, with the evidence key; in seals without figures of the last record's number and hash."""


class TransactionSealDay(GatewayBase):
    """What is left of a dropped month's calls: counts by service, client and day, made from the records themselves."""

    __tablename__ = "transaction_seal_day"

    last_number: Mapped[int] = mapped_column(ForeignKey("transaction_seal.last_number"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    failed: Mapped[int] = mapped_column(BigInteger)
    request_bytes: Mapped[int] = mapped_column(BigInteger)
    response_bytes: Mapped[int] = mapped_column(BigInteger)
    duration_us: Mapped[int] = mapped_column(BigInteger)
