"""Working calendars as workflow published them."""

from typing import Any

from sqlalchemy import ARRAY, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.tables import IntakeBase


class WorkingCalendarVersion(IntakeBase):
    """A version of a calendar; never changed, the greatest `nth` is in force."""

    __tablename__ = "working_calendar"

    code: Mapped[str] = mapped_column(primary_key=True)
    nth: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[str]
    agencies: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Who works by it, with everybody below them; nobody: all that no other calendar names."""
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """shared.worktime.CalendarDocument as JSON."""
