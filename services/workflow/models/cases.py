"""Workflow's tables: versions of processes, cases, their tasks, and the ledger of each case's clock."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, MetaData, SmallInteger, Text, TextClause, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.workflow.states import CaseStatus, TaskStatus
from shared.db import NAMES, Base
from shared.events.values import Duration, DurationUnit

AT_WORK = text("status IN ('open', 'claimed', 'returned')")
UNDER_WAY = text("status IN ('running', 'awaiting_supplement', 'awaiting_payment', 'stopped')")
IN_HAND = text("status IN ('open', 'claimed')")


def branch(column: str) -> TextClause:
    """Return the agency directly below the province to which a column's agency belongs: `H32.14` of `H32.14.02`.

    Spelt as PostgreSQL does, so that migrations are compared with it word by word.
    """
    return text(f"((split_part({column}, '.'::text, 1) || '.'::text) || split_part({column}, '.'::text, 2))")


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
    procedure_name: Mapped[str | None]
    """As slips print it; None for versions kept before it was told."""


class Case(WorkflowBase):
    """The running of a process for one dossier."""

    __tablename__ = "case_file"
    __table_args__ = (
        Index("ix_case_file_calendar", "calendar_code", "calendar_version", "dossier_code", postgresql_where=UNDER_WAY),
        Index("ix_case_file_under_way", "due_at", "dossier_code", postgresql_where=UNDER_WAY),
        Index("ix_case_file_status", "status", "due_at", "dossier_code"),
        Index(
            "ix_case_file_under_way_branch",
            branch("competent_agency_code"),
            "due_at",
            "dossier_code",
            postgresql_where=UNDER_WAY,
        ),
        Index("ix_case_file_status_branch", branch("competent_agency_code"), "status", "due_at", "dossier_code"),
        Index(
            "ix_case_file_received_for_others",
            branch("agency_code"),
            "due_at",
            "dossier_code",
            postgresql_where=text("agency_code <> competent_agency_code"),
        ),
        Index(
            "ix_case_file_late",
            "due_at",
            "dossier_code",
            postgresql_where=text("status = 'completed' AND due_at < completed_at"),
        ),
        Index(
            "ix_case_file_late_branch",
            branch("competent_agency_code"),
            "due_at",
            "dossier_code",
            postgresql_where=text("status = 'completed' AND due_at < completed_at"),
        ),
        Index("ix_case_file_completed", "completed_at", postgresql_where=text("status = 'completed'")),
        Index(
            "ix_case_file_escalation",
            "escalation_level",
            "due_at",
            "dossier_code",
            postgresql_where=text("status = 'running'"),
        ),
        Index(
            "ix_case_file_steps_unentered",
            "result_issued_at",
            "dossier_code",
            postgresql_where=text(
                "result_issued_at IS NOT NULL "
                "AND status IN ('running', 'awaiting_supplement', 'awaiting_payment', 'stopped')"
            ),
        ),
        Index(
            "ix_case_file_result_unentered",
            "completed_at",
            "dossier_code",
            postgresql_where=text("status = 'completed' AND expects_result AND result_issued_at IS NULL"),
        ),
        Index(
            "ix_case_file_result_unreturned",
            "completed_at",
            "dossier_code",
            postgresql_where=text(
                "status = 'completed' AND result_issued_at IS NOT NULL AND result_returned_at IS NULL"
            ),
        ),
    )

    dossier_code: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    agency_code: Mapped[str]
    """The agency that received the dossier."""
    competent_agency_code: Mapped[str]
    """The agency that decides it; its units do the steps (NĐ 118/2025: one may receive what another decides)."""
    procedure_code: Mapped[str]
    process_code: Mapped[str]
    process_version: Mapped[int]
    started_at: Mapped[datetime]
    late_entry: Mapped[bool]
    due_at: Mapped[datetime | None]
    term_amount: Mapped[float | None]
    term_unit: Mapped[str | None]
    same_day: Mapped[bool] = mapped_column(default=False, server_default="false")
    """The result is due on the day that the acceptance counts for."""
    calendar_code: Mapped[str] = mapped_column(default="vn", server_default="vn")
    calendar_version: Mapped[str]
    """By which due_at follows from the ledger."""
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
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'::jsonb"))
    """What decisions of the process can ask: from the acceptance, and what officials gave on completing steps."""
    decisions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default=text("'[]'::jsonb"))
    """The process's decisions (shared.events.values.Decision), each with `taken`: the branch, or null."""
    completed_at: Mapped[datetime | None]
    applicant_name: Mapped[str | None]
    """Who is addressed on slips; personal data."""
    extensions: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    """How often the applicant was given a later date with an apology (form 04)."""
    slips: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    """How many forms were issued about it."""
    entered_late: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Its acceptance or one of its steps was entered after the fact."""
    expects_result: Mapped[bool] = mapped_column(default=False, server_default="false")
    """One of its steps makes the result."""
    result_issued_at: Mapped[datetime | None]
    result_returned_at: Mapped[datetime | None]
    escalation_level: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    """The highest level told of so far; 0: none."""

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
        """Return the tasks that a task comes after, seen through the decisions between, but for those skipped."""
        keys = self.steps_before(task.after)
        return [other for other in self.tasks if other.step_key in keys and other.status != TaskStatus.SKIPPED]

    def steps_before(self, after: Iterable[str]) -> set[str]:
        """Return the keys of the steps that something comes after, seen through the decisions between."""
        inputs = {one["key"]: one["after"] for one in self.decisions}
        found, ahead = set[str](), list(after)
        while ahead:
            key, _, branch_key = ahead.pop().partition(":")
            if branch_key:
                ahead += inputs[key]
            else:
                found.add(key)
        return found

    def is_under_way(self) -> bool:
        """Tell whether the case has not ended."""
        return self.status not in {CaseStatus.COMPLETED, CaseStatus.WITHDRAWN}


class Task(WorkflowBase):
    """One step of a case, with all that its process says about the step."""

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_at_work", "due_at", "id", postgresql_where=AT_WORK),
        Index("ix_task_at_work_unit", "unit", "due_at", "id", postgresql_where=AT_WORK),
        Index("ix_task_at_work_role", "role", "due_at", "id", postgresql_where=AT_WORK),
        Index("ix_task_at_work_branch", branch("agency_code"), "due_at", "id", postgresql_where=AT_WORK),
        Index("ix_task_at_work_branch_unit", branch("agency_code"), "unit", "due_at", "id", postgresql_where=AT_WORK),
        Index(
            "ix_task_at_work_official",
            "official",
            "due_at",
            "id",
            postgresql_where=text("official IS NOT NULL AND status IN ('open', 'claimed', 'returned')"),
        ),
        Index("ix_task_returned", "due_at", "id", postgresql_where=text("status = 'returned'")),
        Index("ix_task_done_official", "official", "due_at", "id", postgresql_where=text("status = 'done'")),
        Index("ix_task_done_unit", "unit", "due_at", "id", postgresql_where=text("status = 'done'")),
        Index(
            "ix_task_done_branch_unit",
            branch("agency_code"),
            "unit",
            "due_at",
            "id",
            postgresql_where=text("status = 'done'"),
        ),
        Index("ix_task_completed", "completed_at", postgresql_where=text("status = 'done'")),
        Index("ix_task_escalation", "escalation_level", "due_at", "id", postgresql_where=IN_HAND),
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
    outcomes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'::text[]"))
    """What the official chooses from on completing it; empty when it leaves no choice."""
    outcome: Mapped[str | None]
    status: Mapped[str]
    official: Mapped[str | None]
    acting_for: Mapped[str | None]
    """The official in whose place the last action was done."""
    opened_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime | None]
    """When the completion was entered; later than completed_at when it was entered after the fact."""
    note: Mapped[str | None]
    late_reason: Mapped[str | None]
    """Why the completion was entered after the fact; None when it was entered in time."""
    minutes_late: Mapped[int | None]
    """Working minutes past its due date when it was completed, rounded up; 0: in time; None: not completed."""
    consultations_open: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    """Agencies whose answer it still needs."""
    escalation_level: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    """The highest level told of since it was opened; 0: none."""

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
    """acceptance, supplement, payment, stop; extension, calendar or correction."""
    event_id: Mapped[UUID]
    """The event of ours that told it."""
    note: Mapped[str | None]
    """Why, in words, where the kind of entry does not say it all."""
    calendar_version: Mapped[str]
    due_at: Mapped[datetime | None]
    """The due date after this entry."""

    case: Mapped[Case] = relationship(lazy="raise")
