"""The gateway's tables: clients, the transaction log, the folded view, what the portal is owed, the change feed."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, MetaData, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import NAMES, Base


class GatewayBase(Base):
    """Root of the gateway's tables."""

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMES)


class Client(GatewayBase):
    """A system that may call: whose it is, what it may do. The secret itself is never stored."""

    __tablename__ = "client"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    agency: Mapped[str | None]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    secret_sha256: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


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


class DossierView(GatewayBase):
    """Everything known of one dossier, folded from everyone's events."""

    __tablename__ = "dossier_view"

    code: Mapped[str] = mapped_column(primary_key=True)
    agency_code: Mapped[str] = mapped_column(index=True)
    procedure_code: Mapped[str]
    portal_status: Mapped[int] = mapped_column(SmallInteger)
    version: Mapped[int]
    """How many portal statuses were reached; each is owed to the portal once."""
    sequences: Mapped[dict[str, int]] = mapped_column(JSONB)
    """Last sequence folded, by source: a gap means an event is still on its way."""
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    updated_at: Mapped[datetime]


class TimelineEntry(GatewayBase):
    """One event of a dossier, without personal data."""

    __tablename__ = "timeline"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    dossier_code: Mapped[str]
    nth: Mapped[int]
    """1, 2, 3… in the order folded."""
    type: Mapped[str]
    source: Mapped[str]
    happened_at: Mapped[datetime]
    """When it was true."""
    committed_at: Mapped[datetime]
    """When its owner committed it."""
    folded_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    portal_status: Mapped[int | None] = mapped_column(SmallInteger)
    trace_id: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (Index(None, "dossier_code", "nth", unique=True), Index(None, "trace_id"))


class PortalDebt(GatewayBase):
    """One status that the portal must be told; acknowledged in order, per dossier, by definite answers only."""

    __tablename__ = "portal_debt"

    dossier_code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[int] = mapped_column(SmallInteger)
    happened_at: Mapped[datetime]
    owed_since: Mapped[datetime]
    dossier_message: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """HoSo as of this status; erased once acknowledged (it is personal data)."""
    progress_message: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """TienDo of this status; erased once acknowledged."""
    dossier_acknowledged_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """How often HoSo was corrected since: an acknowledgement of older words does not count for newer ones."""
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    next_attempt_at: Mapped[datetime | None]
    last_error: Mapped[str | None]

    __table_args__ = (
        Index("ix_portal_debt_open", "dossier_code", "version", postgresql_where=text("acknowledged_at IS NULL")),
        Index(None, "acknowledged_at"),
    )


class PortalDossier(GatewayBase):
    """What the portal is known to hold, by its own acknowledgements."""

    __tablename__ = "portal_dossier"

    code: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    acknowledged_version: Mapped[int]


class Change(GatewayBase):
    """One entry of the feed that others pull; `position` grows in commit order."""

    __tablename__ = "change"

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    dossier_code: Mapped[str]
    agency_code: Mapped[str]
    procedure_code: Mapped[str]
    event_type: Mapped[str]
    happened_at: Mapped[datetime]
    portal_status: Mapped[int | None] = mapped_column(SmallInteger)
    version: Mapped[int]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
