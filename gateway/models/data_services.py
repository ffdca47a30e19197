"""Data services: the registry, its history, what failed, and what is sent again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase


class DataService(GatewayBase):
    """A service that others offer and our clients may call."""

    __tablename__ = "data_service"

    code: Mapped[str] = mapped_column(primary_key=True)
    agency: Mapped[str]
    """Who answers for the connection."""
    provider: Mapped[str]
    """Who offers it, as people write it."""
    name_vi: Mapped[str]
    name_en: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    revision: Mapped[int]


class DataServiceVersion(GatewayBase):
    """One version of a service: contract, address, policy."""

    __tablename__ = "data_service_version"

    service: Mapped[str] = mapped_column(ForeignKey("data_service.code"), primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str]
    """draft, active or retired."""
    base_url: Mapped[str]
    contract: Mapped[dict[str, Any]] = mapped_column(JSONB)
    policy: Mapped[dict[str, Any]] = mapped_column(JSONB)
    credentials: Mapped[bytes | None]
    """Sealed; never answered."""
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    revision: Mapped[int]


class DataServiceWindow(GatewayBase):
    """A time in which a service is not called."""

    __tablename__ = "data_service_window"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(ForeignKey("data_service.code"), index=True)
    version: Mapped[str | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason_vi: Mapped[str]
    reason_en: Mapped[str]


class DataServiceChange(GatewayBase):
    """What somebody did to the registry; only added to."""

    __tablename__ = "data_service_change"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    service: Mapped[str] = mapped_column(index=True)
    version: Mapped[str | None]
    action: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """What it was and what it became; no credentials."""


class DataServiceFailure(GatewayBase):
    """Failed calls with the same cause."""

    __tablename__ = "data_service_failure"

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    service: Mapped[str]
    version: Mapped[str]
    operation: Mapped[str]
    kind: Mapped[str]
    upstream_status: Mapped[int | None] = mapped_column(SmallInteger)
    complaint: Mapped[str]
    """The error without values."""
    calls: Mapped[int] = mapped_column(BigInteger)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    samples: Mapped[list[str]] = mapped_column(JSONB)
    """Correlation ids of the latest, at most ten."""

    __table_args__ = (Index(None, "service", "last_at"),)


class DataServiceCall(GatewayBase):
    """A failed call that is safe to repeat, kept sealed."""

    __tablename__ = "data_service_call"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(index=True)
    service: Mapped[str]
    version: Mapped[str]
    operation: Mapped[str]
    client_id: Mapped[str]
    agency: Mapped[str | None]
    key_sha256: Mapped[bytes]
    """Of the Idempotency-Key: a call is kept once, however often its client sent it."""
    correlation_id: Mapped[str]
    sealed: Mapped[bytes | None] = mapped_column(deferred=True)
    """Method, path, headers, body; erased once it succeeded."""
    sealed_bytes: Mapped[int]
    failed_at: Mapped[datetime]
    done_at: Mapped[datetime | None]

    __table_args__ = (
        Index(None, "service", "client_id", "key_sha256", unique=True),
        Index(None, "failed_at"),
    )


class DataServiceRerun(GatewayBase):
    """An order to send kept calls again."""

    __tablename__ = "data_service_rerun"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(index=True)
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    reason: Mapped[str]
    stage: Mapped[str]
    """running, paused, stopped or done."""
    calls_per_second: Mapped[float]
    ended_at: Mapped[datetime | None]


class DataServiceRerunCall(GatewayBase):
    """One call of a re-run, with what came of it."""

    __tablename__ = "data_service_rerun_call"

    rerun_id: Mapped[UUID] = mapped_column(ForeignKey("data_service_rerun.id", ondelete="CASCADE"), primary_key=True)
    nth: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[UUID]
    outcome: Mapped[str | None]
    """succeeded, refused, failed or gone; null: not yet sent."""
    upstream_status: Mapped[int | None] = mapped_column(SmallInteger)
    at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_data_service_rerun_call_open", "rerun_id", "nth", postgresql_where=text("outcome IS NULL")),
    )
