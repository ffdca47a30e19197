"""Facts that workflow tells: cases, tasks and the clock."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from shared.events.envelope import EventData
from shared.events.values import DueDateReason, Pause


class CalendarPublished(EventData):
    """A version of a working calendar is in force, from its years' beginning to their end; subject is its code."""

    event_type: ClassVar[str] = "workflow.calendar.published.v1"

    calendar_code: str
    version: str
    nth: int
    """1, 2, 3… per calendar; the greatest is the one in force."""
    agencies: tuple[str, ...]
    """Who works by it, with everybody below them; nobody named: all that no other calendar names."""
    document: dict[str, Any]
    """shared.worktime.CalendarDocument as JSON."""
    reason: str
    published_by: str
    published_at: datetime


class CaseStarted(EventData):
    """The process of an accepted dossier runs."""

    event_type: ClassVar[str] = "workflow.case.started.v1"

    process_code: str
    process_version: int
    agency_code: str
    started_at: datetime
    due_at: datetime | None


class CaseSupplementRequested(EventData):
    """More papers are needed to go on; the clock stands still."""

    event_type: ClassVar[str] = "workflow.case.supplement_requested.v1"

    supplement_id: UUID
    content: str
    requested_by: str
    paused_at: datetime
    respond_by: datetime


class CasePaymentAwaited(EventData):
    """The next step needs a fee that is not paid yet; the clock stands still."""

    event_type: ClassVar[str] = "workflow.case.payment_awaited.v1"

    amount_vnd: int
    paused_at: datetime


class CaseStopped(EventData):
    """The agency stopped the case with a reason (form 05); the clock stands still."""

    event_type: ClassVar[str] = "workflow.case.stopped.v1"

    reason: str
    legal_basis: str
    stopped_by: str
    paused_at: datetime


class CaseResumed(EventData):
    """The clock runs again; the due date has moved by the working time of the pause."""

    event_type: ClassVar[str] = "workflow.case.resumed.v1"

    after: str
    """`supplement`, `payment` or `stop`."""
    resumed_at: datetime
    previous_due_at: datetime | None
    due_at: datetime | None
    resumed_by: str | None = None
    """The official who ended a stop."""


class CaseDueDateChanged(EventData):
    """The due date of a case moved for another reason than a pause."""

    event_type: ClassVar[str] = "workflow.case.due_date_changed.v1"

    due_at: datetime
    previous_due_at: datetime | None
    because: DueDateReason
    reason: str
    """In words, for the applicant (Vietnamese)."""
    changed_by: str
    """The official, or the client that published the calendar."""
    calendar_version: str
    calculated_at: datetime


class CaseCompleted(EventData):
    """Every step is done."""

    event_type: ClassVar[str] = "workflow.case.completed.v1"

    completed_at: datetime
    due_at: datetime | None
    on_time: bool | None
    """completed_at ≤ due_at; None when the procedure has no term."""
    pauses: tuple[Pause, ...] = ()
    entered_late: bool = False
    """Its acceptance or one of its steps was entered after the fact: on_time rests on what was entered then."""


class CaseWithdrawn(EventData):
    """The case ended because the applicant withdrew the dossier; its open tasks are cancelled."""

    event_type: ClassVar[str] = "workflow.case.withdrawn.v1"

    reason: str
    withdrawn_at: datetime


class WithdrawalRefused(EventData):
    """A withdrawal came when the case had already ended."""

    event_type: ClassVar[str] = "workflow.withdrawal.refused.v1"

    reason: str
    refused_at: datetime


class TaskPlanned(EventData):
    """A step of the case is known and waits for the steps before it."""

    event_type: ClassVar[str] = "workflow.task.planned.v1"

    task_id: UUID
    step_key: str
    step_name: str
    unit: str
    role: str


class TaskOpened(EventData):
    """A step can be worked on."""

    event_type: ClassVar[str] = "workflow.task.opened.v1"

    task_id: UUID
    step_key: str
    step_name: str
    unit: str
    role: str
    opened_at: datetime
    due_at: datetime | None


class TaskClaimed(EventData):
    """An official took a task."""

    event_type: ClassVar[str] = "workflow.task.claimed.v1"

    task_id: UUID
    step_key: str
    step_name: str
    unit: str
    official: str
    acting_for: str | None = None
    """The official in whose place it was taken, by delegation."""
    claimed_at: datetime


class TaskReleased(EventData):
    """An official gave a task back unfinished; anyone of its unit and role can take it."""

    event_type: ClassVar[str] = "workflow.task.released.v1"

    task_id: UUID
    step_key: str
    step_name: str
    unit: str
    official: str
    """Who gave it back."""
    reason: str
    released_at: datetime


class TaskReassigned(EventData):
    """A task went from one official to another."""

    event_type: ClassVar[str] = "workflow.task.reassigned.v1"

    task_id: UUID
    step_key: str
    step_name: str
    unit: str
    previous_official: str
    official: str
    reason: str
    reassigned_at: datetime


class TaskCompleted(EventData):
    """An official finished a task."""

    event_type: ClassVar[str] = "workflow.task.completed.v1"

    task_id: UUID
    step_key: str
    step_name: str
    unit: str
    official: str
    acting_for: str | None = None
    """The official in whose place it was done, by delegation."""
    note: str
    opened_at: datetime | None
    due_at: datetime | None
    completed_at: datetime
    """When the work was done."""
    late_reason: str | None = None
    """Why that was entered after the fact (at the event's own time); None when it was entered in time."""
    outcome: str | None = None
    """Which way the official chose, where the process leaves a choice."""


class TaskReturned(EventData):
    """A task was sent back to the step before it."""

    event_type: ClassVar[str] = "workflow.task.returned.v1"

    task_id: UUID
    step_key: str
    step_name: str
    official: str
    acting_for: str | None = None
    """The official in whose place it was sent back, by delegation."""
    reason: str
    returned_at: datetime


class TaskCancelled(EventData):
    """A task fell away because its case ended."""

    event_type: ClassVar[str] = "workflow.task.cancelled.v1"

    task_id: UUID
    step_key: str
    reason: str


class TaskSkipped(EventData):
    """A step lies on a way that the case does not take."""

    event_type: ClassVar[str] = "workflow.task.skipped.v1"

    task_id: UUID
    step_key: str
    step_name: str
    skipped_at: datetime


class TaskEscalated(EventData):
    """A step nears its due date or has missed it; somebody is told, once for each level."""

    event_type: ClassVar[str] = "workflow.task.escalated.v1"

    task_id: UUID
    step_key: str
    step_name: str
    unit: str
    official: str | None
    level: str
    """The level's key among the escalation rules, such as `nearing` or `overdue`."""
    addressee: str
    """Who is told: `official`, `unit` or `agency`."""
    due_at: datetime
    escalated_at: datetime


class CaseEscalated(EventData):
    """A case nears its due date or has missed it; somebody is told, once for each level."""

    event_type: ClassVar[str] = "workflow.case.escalated.v1"

    level: str
    addressee: str
    """Who is told: `official`, `unit` or `agency`."""
    due_at: datetime
    escalated_at: datetime


class ConsultationAsked(EventData):
    """Another agency is asked for its opinion; the step waits for it, the clock runs on."""

    event_type: ClassVar[str] = "workflow.consultation.asked.v1"

    consultation_id: UUID
    task_id: UUID
    step_key: str
    agency_code: str
    """Who is asked."""
    question: str
    asked_by: str
    asked_at: datetime
    respond_by: datetime


class ConsultationAnswered(EventData):
    """The agency that was asked answered."""

    event_type: ClassVar[str] = "workflow.consultation.answered.v1"

    consultation_id: UUID
    task_id: UUID
    agency_code: str
    opinion: str
    """`agree`, `disagree` or `other`."""
    answered_by: str
    answered_at: datetime
    respond_by: datetime


class ConsultationLate(EventData):
    """The agency that was asked did not answer by its deadline; an answer is still taken."""

    event_type: ClassVar[str] = "workflow.consultation.late.v1"

    consultation_id: UUID
    task_id: UUID
    agency_code: str
    respond_by: datetime
    noticed_at: datetime


class ConsultationWaived(EventData):
    """The step goes on without the answer, for a reason that is kept."""

    event_type: ClassVar[str] = "workflow.consultation.waived.v1"

    consultation_id: UUID
    task_id: UUID
    agency_code: str
    reason: str
    waived_by: str
    waived_at: datetime


class ConsultationCancelled(EventData):
    """The question fell away because its step or its case ended otherwise."""

    event_type: ClassVar[str] = "workflow.consultation.cancelled.v1"

    consultation_id: UUID
    task_id: UUID
    agency_code: str
    reason: str
