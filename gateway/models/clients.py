"""Systems that may call: what is registered of them, how they prove who they are, and who changed what."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase

_NONE = text("'{}'")
_NOW = text("now()")


class Client(GatewayBase):
    """A system that may call: whose it is, what it may do, from where and how often."""

    __tablename__ = "client"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    agency: Mapped[str | None]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    """The first moment at which it may call no more."""
    networks: Mapped[list[str]] = mapped_column(ARRAY(TEXT), default=list, server_default=_NONE)
    """CIDR; none stands for everywhere."""
    calls_per_minute: Mapped[int | None]
    calls_per_day: Mapped[int | None] = mapped_column(BigInteger)
    concurrency_max: Mapped[int | None]
    certificates: Mapped[list[str]] = mapped_column(ARRAY(TEXT), default=list, server_default=_NONE)
    """SHA-256 thumbprints, base64url, as `x5t#S256` (RFC 8705 §3.1)."""
    certificate_bound: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Its tokens hold only for the certificate with which they were asked for."""
    version: Mapped[int] = mapped_column(BigInteger, default=1, server_default=text("1"))
    """Grows with every change, of its credentials and grants too."""
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    changed_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    file_sha256: Mapped[str | None]
    """Of its entry in the file of clients when that was last taken over."""


class ClientSecret(GatewayBase):
    """One of a client's secrets: 256 random bits, of which only the hash is kept."""

    __tablename__ = "client_secret"
    __table_args__ = (UniqueConstraint("client_id", "sha256"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    sha256: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    last_used_at: Mapped[datetime | None]
    """To the minute."""


class ClientKey(GatewayBase):
    """One of a client's public keys, with which it signs assertions (private_key_jwt, RFC 7523)."""

    __tablename__ = "client_key"
    __table_args__ = (UniqueConstraint("client_id", "thumbprint"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"))
    thumbprint: Mapped[str]
    """RFC 7638."""
    jwk: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]
    last_used_at: Mapped[datetime | None]


class ClientGrant(GatewayBase):
    """A client's right at one data service (operations/rights.py: Grant)."""

    __tablename__ = "client_grant"

    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), primary_key=True)
    place: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    service: Mapped[str]
    methods: Mapped[list[str]] = mapped_column(ARRAY(TEXT), default=list, server_default=_NONE)
    paths: Mapped[list[str]] = mapped_column(ARRAY(TEXT), default=list, server_default=_NONE)


class ClientChange(GatewayBase):
    """Who changed what about a client, and when; only added to, and no secret is in it."""

    __tablename__ = "client_change"
    __table_args__ = (Index(None, "client_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)


class ClientAssertion(GatewayBase):
    """A signed assertion that was used: it is good for one token (RFC 7523 §3 no. 7)."""

    __tablename__ = "client_assertion"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    jti_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ClientDay(GatewayBase):
    """How many calls of a client with a daily quota were let in on a day (of the province's time)."""

    __tablename__ = "client_day"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)
