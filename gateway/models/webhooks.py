"""Who is told of changes by calls, and every call that is owed or was made."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase


class Subscription(GatewayBase):
    """A receiver of webhooks: where, for what, since when; `position` is how far the feed was handed on to it."""

    __tablename__ = "subscription"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str]
    agency: Mapped[str]
    """Whose dossiers it may be told of, with those below it."""
    inherited: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Closed agencies whose dossiers are that agency's now."""
    url: Mapped[str]
    description: Mapped[str]
    event_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Names of events, or patterns in which `*` stands for anything."""
    only_agency: Mapped[str | None]
    only_procedure: Mapped[str | None]
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed."""
    old_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    old_secret_until: Mapped[datetime | None]
    enabled: Mapped[bool]
    disabled_because: Mapped[str | None]
    """`asked`, `gone` (the receiver answered 410) or `failing` (nothing but failures for days)."""
    disabled_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    """First failure since the last success."""
    last_success_at: Mapped[datetime | None]
    position: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (Index(None, "agency", "id"),)


class Delivery(GatewayBase):
    """One message to one receiver, until it is delivered or given up."""

    __tablename__ = "delivery"

    nth: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    """The message's `webhook-id`, the same at every attempt."""
    subscription_id: Mapped[UUID] = mapped_column(ForeignKey("subscription.id", ondelete="CASCADE"))
    dossier_code: Mapped[str]
    """Empty for a test message."""
    event_type: Mapped[str]
    position: Mapped[int | None] = mapped_column(BigInteger)
    body: Mapped[str]
    created_at: Mapped[datetime]
    tries: Mapped[int]
    """Since it was made or sent again: where it stands in the schedule."""
    attempts: Mapped[int]
    """In all."""
    next_attempt_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    """`delivered`, `failed` (the schedule came to its end) or `skipped`."""

    __table_args__ = (
        Index("ix_delivery_open", "subscription_id", "dossier_code", "nth", postgresql_where="finished_at IS NULL"),
        Index(None, "subscription_id", "nth"),
        Index("ix_delivery_finished_at", "finished_at", postgresql_where="finished_at IS NOT NULL"),
    )


class DeliveryAttempt(GatewayBase):
    """One call: when, what the receiver answered or why nothing came, how long it took. No bodies."""

    __tablename__ = "delivery_attempt"

    delivery_nth: Mapped[int] = mapped_column(ForeignKey("delivery.nth", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    http_status: Mapped[int | None] = mapped_column(SmallInteger)
    reason: Mapped[str | None]
    duration_ms: Mapped[int]
