"""What people are told and given: notices of nearing and missed dates, slips, results that came before their case."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.workflow.models.cases import WorkflowBase


class Notice(WorkflowBase):
    """Somebody is told once that a date nears or was missed."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("uq_notice_once", "target", "level", "due_at", unique=True),
        Index(None, "agency_code", "told_at", "id"),
        Index(None, "told_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    target: Mapped[str]
    """The task's id, or the dossier's code for the case as a whole."""
    level: Mapped[int] = mapped_column(SmallInteger)
    level_key: Mapped[str]
    dossier_code: Mapped[str]
    task_id: Mapped[UUID | None]
    agency_code: Mapped[str]
    unit: Mapped[str | None]
    official: Mapped[str | None]
    addressee: Mapped[str]
    """`official`, `unit` or `agency`."""
    due_at: Mapped[datetime]
    """The date it was about: another date is told of again."""
    told_at: Mapped[datetime]


class Slip(WorkflowBase):
    """What a form says, kept as it was issued."""

    __tablename__ = "slip"

    dossier_code: Mapped[str] = mapped_column(primary_key=True)
    form: Mapped[str] = mapped_column(primary_key=True)
    """`02`, `04` or `05` (TT 03/2025)."""
    nth: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    """Counts all forms of the case."""
    issued_at: Mapped[datetime]
    issued_by: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)


class EarlyResult(WorkflowBase):
    """A result that was told of before its case; taken up when the case starts."""

    __tablename__ = "early_result"

    dossier_code: Mapped[str] = mapped_column(primary_key=True)
    issued_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
