"""Workflow's tables: versions of processes, cases, their tasks, and the ledger of each case's clock."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.workflow.states import CaseStatus, TaskStatus
from shared.db import NAMES, Base
from shared.events.values import Duration, DurationUnit

AT_WORK = text("status IN ('open', 'claimed', 'returned')")
UNDER_WAY = text("status IN ('running', 'awaiting_supplement', 'awaiting_payment', 'stopped')")


class WorkflowBase(Base):
    """Root of workflow's tables."""

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMES)


class ProcessVersion(WorkflowBase):
    """A process as intake published it; never changed, a case stays on the version it started with."""

    __tablename__ = "process_version"

    procedure_code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """shared.events.values.Process as JSON."""


class Case(WorkflowBase):
    """The running of a process for one dossier."""

    __tablename__ = "case_file"
    __table_args__ = (
        Index("ix_case_file_under_way", "due_at", "dossier_code", postgresql_where=UNDER_WAY),
        Index("ix_case_file_status", "status", "due_at", "dossier_code"),
    )

    dossier_code: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    agency_code: Mapped[str]
    procedure_code: Mapped[str]
    process_code: Mapped[str]
    process_version: Mapped[int]
    started_at: Mapped[datetime]
    late_entry: Mapped[bool]
    due_at: Mapped[datetime | None]
    term_amount: Mapped[float | None]
    term_unit: Mapped[str | None]
    calendar_version: Mapped[str]
    fee_outstanding_vnd: Mapped[int] = mapped_column(BigInteger)
    """What is collected on acceptance and not settled yet."""
    paused_since: Mapped[datetime | None]
    pause_reason: Mapped[str | None]
    supplement_id: Mapped[UUID | None]
    """The supplement the case waits for."""
    respond_by: Mapped[datetime | None]
    clock_at: Mapped[datetime]
    """Time of the newest entry of the clock's ledger; nothing is entered before it."""
    clock_entries: Mapped[int]
    completed_at: Mapped[datetime | None]

    tasks: Mapped[list["Task"]] = relationship(lazy="raise", order_by="Task.position")

    def subject(self) -> str:
        """Return the dossier's code."""
        return self.dossier_code

    def key(self) -> str:
        """Return the dossier's code."""
        return self.dossier_code

    @property
    def term(self) -> Duration | None:
        """The term as the law states it; None when the procedure has none."""
        if self.term_amount is None or self.term_unit is None:
            return None
        return Duration(amount=self.term_amount, unit=DurationUnit(self.term_unit))

    @property
    def on_time(self) -> bool | None:
        """Whether the case was completed by its due date; None when it has none or is not completed."""
        if self.completed_at is None or self.due_at is None:
            return None
        return self.completed_at <= self.due_at

    def before(self, task: "Task") -> list["Task"]:
        """Return the tasks that a task comes after."""
        return [other for other in self.tasks if other.step_key in task.after]

    def is_under_way(self) -> bool:
        """Tell whether the case has not ended."""
        return self.status not in {CaseStatus.COMPLETED, CaseStatus.WITHDRAWN}


class Task(WorkflowBase):
    """One step of a case, with all that its process says about the step."""

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_at_work", "due_at", "id", postgresql_where=AT_WORK),
        Index("ix_task_at_work_unit", "unit", "due_at", "id", postgresql_where=AT_WORK),
        Index("ix_task_official", "official", "due_at", "id", postgresql_where=text("official IS NOT NULL")),
        Index("ix_task_done_unit", "unit", "due_at", "id", postgresql_where=text("status = 'done'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    dossier_code: Mapped[str] = mapped_column(ForeignKey(Case.dossier_code), index=True)
    position: Mapped[int]
    agency_code: Mapped[str]
    step_key: Mapped[str]
    step_name: Mapped[str]
    unit: Mapped[str]
    role: Mapped[str]
    minutes: Mapped[int]
    """Working minutes the step may take."""
    after: Mapped[list[str]] = mapped_column(ARRAY(Text))
    awaits_payment: Mapped[bool]
    output: Mapped[str | None]
    status: Mapped[str]
    official: Mapped[str | None]
    opened_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime | None]
    """When the completion was entered; later than completed_at when it was entered after the fact."""
    note: Mapped[str | None]

    def subject(self) -> str:
        """Return the dossier's code."""
        return self.dossier_code

    def key(self) -> str:
        """Return the task's id."""
        return str(self.id)

    def is_in_hand(self) -> bool:
        """Tell whether the step can be worked on, so that its time runs."""
        return self.status in {TaskStatus.OPEN, TaskStatus.CLAIMED}


class ClockEntry(WorkflowBase):
    """One line of the ledger from which a case's due date can be recomputed; lines are only added."""

    __tablename__ = "clock_entry"

    dossier_code: Mapped[str] = mapped_column(ForeignKey(Case.dossier_code), primary_key=True)
    nth: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    at: Mapped[datetime]
    reason: Mapped[str]
    """acceptance, supplement, payment or stop."""
    event_id: Mapped[UUID]
    """The event of ours that told it."""
    calendar_version: Mapped[str]
    due_at: Mapped[datetime | None]
    """The due date after this entry."""

    case: Mapped[Case] = relationship(lazy="raise")
