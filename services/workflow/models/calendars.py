"""Versions of working calendars, and what each of them changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, ForeignKeyConstraint, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.workflow.models.cases import WorkflowBase


class CalendarVersion(WorkflowBase):
    """A calendar as it was published; never changed, the greatest `nth` is in force."""

    __tablename__ = "calendar_version"
    __table_args__ = (Index(None, "calendar_code", "version", unique=True),)

    calendar_code: Mapped[str] = mapped_column(primary_key=True)
    nth: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[str]
    agencies: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Who works by it, with everybody below them; nobody: all that no other calendar names."""
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """shared.worktime.CalendarDocument as JSON."""
    reason: Mapped[str]
    published_by: Mapped[str]
    published_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
    """When every case under way was looked at; None while that goes on."""


class DueDateChange(WorkflowBase):
    """What a version of a calendar did to one case: its due date moved, or could not be computed again."""

    __tablename__ = "due_date_change"
    __table_args__ = (
        ForeignKeyConstraint(["calendar_code", "calendar_nth"], [CalendarVersion.calendar_code, CalendarVersion.nth]),
    )

    calendar_code: Mapped[str] = mapped_column(primary_key=True)
    calendar_nth: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    dossier_code: Mapped[str] = mapped_column(primary_key=True)
    agency_code: Mapped[str]
    previous_due_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    """Why the case keeps its date and its former version; for people to look at."""
    changed_at: Mapped[datetime]
