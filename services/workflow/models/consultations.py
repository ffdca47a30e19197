"""What a case asks of other agencies, and who stands in for whom."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.workflow.models.cases import Case, Task, WorkflowBase


class Consultation(WorkflowBase):
    """One question to one agency (lấy ý kiến); its task is not completed before it is answered or waived."""

    __tablename__ = "consultation"
    __table_args__ = (
        Index(
            "ix_consultation_awaited",
            "consulted_agency_code",
            "respond_by",
            "id",
            postgresql_where=text("status IN ('asked', 'late')"),
        ),
        Index("ix_consultation_due", "respond_by", "id", postgresql_where=text("status = 'asked'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dossier_code: Mapped[str] = mapped_column(ForeignKey(Case.dossier_code), index=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey(Task.id))
    asking_agency_code: Mapped[str]
    consulted_agency_code: Mapped[str]
    procedure_code: Mapped[str]
    status: Mapped[str]
    question: Mapped[str]
    documents: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    """The papers the asker shows: id and name of each."""
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    respond_by: Mapped[datetime]
    opinion: Mapped[str | None]
    """`agree`, `disagree` or `other`."""
    answer: Mapped[str | None]
    closed_by: Mapped[str | None]
    """Who answered or waived."""
    closed_at: Mapped[datetime | None]
    waive_reason: Mapped[str | None]

    def subject(self) -> str:
        """Return the dossier's code."""
        return self.dossier_code

    def key(self) -> str:
        """Return the consultation's id."""
        return str(self.id)


class Delegation(WorkflowBase):
    """An official's work done by another, or by a unit, for some time (ủy quyền, phân công thay)."""

    __tablename__ = "delegation"
    __table_args__ = (
        Index(None, "delegator", "ends_at"),
        Index(None, "delegate", "ends_at"),
        Index(None, "agency_code", "delegate_unit", "ends_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_code: Mapped[str]
    delegator: Mapped[str]
    delegate: Mapped[str | None]
    """The official who acts; None when a unit does."""
    delegate_unit: Mapped[str | None]
    units: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """Only tasks of these units; None: of any."""
    procedures: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    """Only cases of these procedures; None: of any."""
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    """From then on it no longer holds; moved forward when it is ended early."""
    reason: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    ended_by: Mapped[str | None]
    end_reason: Mapped[str | None]
