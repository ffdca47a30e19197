"""What is known of each dossier, folded from everyone's events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gateway.models.root import GatewayBase


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
    retracted: Mapped[bool]
    """Struck off as entered by mistake: kept, but no longer handed out as a dossier."""
    updated_at: Mapped[datetime]

    __table_args__ = (
        Index(
            "ix_dossier_view_origin_reference",
            text("(facts #>> '{submitted,origin_reference}')"),
            postgresql_where=text("facts #>> '{submitted,origin_reference}' IS NOT NULL"),
        ),
    )


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
