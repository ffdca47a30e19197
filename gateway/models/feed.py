"""The change feed that others pull."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase


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
    deleted: Mapped[bool]
    """The dossier was struck off: whoever keeps a copy drops it."""
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (Index(None, "dossier_code", "position"),)
