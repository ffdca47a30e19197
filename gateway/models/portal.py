"""What the national portal is owed, and what it holds."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase


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
