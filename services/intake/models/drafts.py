"""Drafts: what an applicant has filled in so far."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.tables import IntakeBase


class Draft(IntakeBase):
    """A dossier that is not submitted yet; personal data, kept until it expires."""

    __tablename__ = "draft"
    __table_args__ = (Index(None, "client", "id"), Index(None, "expires_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client: Mapped[str]
    """The system that saved it; nobody else sees it."""
    reference: Mapped[str | None]
    """By which that system finds it again: its own key, no personal data."""
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    revision: Mapped[int]
    """Grows with every saving; the ETag."""
    created_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    dossier_code: Mapped[str | None]
    """The dossier it became; its body is empty then."""
