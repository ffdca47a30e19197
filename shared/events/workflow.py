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
    note: str
    opened_at: datetime | None
    due_at: datetime | None
    completed_at: datetime
    outcome: str | None = None
    """Which way the official chose, where the process leaves a choice."""


class TaskReturned(EventData):
    """A task was sent back to the step before it."""

    event_type: ClassVar[str] = "workflow.task.returned.v1"

    task_id: UUID
    step_key: str
    step_name: str
    official: str
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
