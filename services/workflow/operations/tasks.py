"""The verbs of officials: claim, release, reassign, complete and return a task."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.workflow import queries
from services.workflow.errors import (
    CasePaused,
    CompletionTimeInvalid,
    ConsultationOutstanding,
    LateReasonMissing,
    NothingBefore,
    TaskClaimedByAnother,
)
from services.workflow.models import Case, Task
from services.workflow.operations import consultations, flow, rights
from services.workflow.operations.branching import Fact
from services.workflow.states import TASK, TaskStatus
from shared.errors import DomainError, FieldError
from shared.events.workflow import TaskClaimed, TaskCompleted, TaskReassigned, TaskReleased, TaskReturned
from shared.work import Work

ENTERED_LATE_AFTER = timedelta(minutes=15)
"""A completion entered longer than this after the work was done counts as entered after the fact."""


async def claim_task(work: Work, *, task_id: UUID, official: str) -> Task:
    """Give an open task to an official, who may act in the place of another by delegation.

    Emits workflow.task.claimed.v1.

    Raises TaskNotFound, NotCompetent, TaskClaimedByAnother, OfficialNotEntitled, IllegalMove when the task is not open.
    """
    case, task = await queries.lock_task(work.session, task_id, caller=work.caller)
    _refuse_another(task, official)
    TASK.edge(TaskStatus(task.status), "claim")
    acting_for = await rights.in_whose_place(work, case, task, official)
    _claim(work, case, task, official, acting_for)
    return task


async def release_task(work: Work, *, task_id: UUID, official: str, reason: str) -> Task:
    """Take an unfinished task back from its official, for anyone of its unit and role to claim.

    Emits workflow.task.released.v1.

    Raises TaskNotFound, NotCompetent, TaskClaimedByAnother, IllegalMove when the task is not claimed.
    """
    case, task = await queries.lock_task(work.session, task_id, caller=work.caller)
    rights.refuse_strangers(work, task)
    _refuse_another(task, official)
    released = TaskReleased(
        task_id=task.id,
        step_key=task.step_key,
        step_name=task.step_name,
        unit=task.unit,
        official=official,
        reason=reason,
        released_at=flow.moment(work, case),
    )
    work.move(task, TASK, "release", released)
    task.official = task.acting_for = None
    return task


async def reassign_task(work: Work, *, task_id: UUID, official: str, reason: str) -> Task:
    """Give a claimed task to another official, who may do it in their own right.

    Emits workflow.task.reassigned.v1.

    Raises TaskNotFound, NotCompetent, OfficialNotEntitled, IllegalMove when the task is not claimed.
    """
    case, task = await queries.lock_task(work.session, task_id, caller=work.caller)
    rights.refuse_strangers(work, task)
    TASK.edge(TaskStatus(task.status), "reassign")
    await rights.require_entitled(work, task, official)
    reassigned = TaskReassigned(
        task_id=task.id,
        step_key=task.step_key,
        step_name=task.step_name,
        unit=task.unit,
        previous_official=task.official or "",
        official=official,
        reason=reason,
        reassigned_at=flow.moment(work, case),
    )
    work.move(task, TASK, "reassign", reassigned)
    task.official, task.acting_for = official, None
    return task


async def complete_task(
    work: Work,
    *,
    task_id: UUID,
    official: str,
    note: str,
    completed_at: datetime | None = None,
    late_reason: str | None = None,
    outcome: str | None = None,
    facts: Mapping[str, Fact] | None = None,
) -> Task:
    """Finish a task; an open one is claimed first. What comes after it opens, or the case is completed.

    completed_at is when the work was done, if that is entered after the fact: not in the future, not before the task
    was opened or the clock last ran again; beyond a quarter of an hour it needs late_reason and flags the case.
    Emits workflow.task.completed.v1 (before it workflow.task.claimed.v1 for an open task), then
    workflow.task.opened.v1, workflow.case.payment_awaited.v1 or workflow.case.completed.v1.

    Raises TaskNotFound, NotCompetent, IllegalMove, CasePaused, TaskClaimedByAnother, OfficialNotEntitled,
    ConsultationOutstanding, CompletionTimeInvalid, LateReasonMissing, OutcomeInvalid, FactNeeded, CalendarEnds; then
    nothing was changed.
    """
    case, task = await queries.lock_task(work.session, task_id, caller=work.caller)
    _refuse_unworkable(case, task, action="complete")
    acting_for = await rights.in_whose_place(work, case, task, official)
    _refuse_unjoined(task)
    at = _completion(work, case, task, completed_at)
    late = work.now - at > ENTERED_LATE_AFTER
    _refuse_unexplained(late=late, late_reason=late_reason)
    flow.choose(work, case, task, outcome=outcome, facts=facts or {}, at=at)
    if task.status == TaskStatus.OPEN:
        _claim(work, case, task, official, acting_for)
    completed = TaskCompleted(
        task_id=task.id,
        step_key=task.step_key,
        step_name=task.step_name,
        unit=task.unit,
        official=official,
        acting_for=acting_for,
        note=note,
        opened_at=task.opened_at,
        due_at=task.due_at,
        completed_at=at,
        late_reason=late_reason if late else None,
        outcome=outcome,
    )
    work.move(task, TASK, "complete", completed)
    task.outcome, case.facts = outcome, case.facts | dict(facts or {})
    task.note, task.completed_at, task.recorded_at = note, at, work.now
    task.official, task.acting_for = official, acting_for
    task.late_reason, case.entered_late = late_reason if late else None, case.entered_late or late
    task.minutes_late = _minutes_late(work, case, task, at)
    await flow.advance(work, case, at=at)
    return task


@dataclass(frozen=True, slots=True)
class Completion:
    """One of many tasks to finish."""

    task_id: UUID
    official: str
    note: str
    outcome: str | None = None


async def complete_tasks(work: Work, completions: Sequence[Completion]) -> list[Task | DomainError]:
    """Finish many tasks in one transaction; each comes out as the finished task or as what refuses it.

    complete_task decides before it changes anything, so one that is refused leaves the others as they are.
    """
    await queries.lock_cases_of_tasks(work.session, [one.task_id for one in completions])
    outcomes: list[Task | DomainError] = []
    for one in completions:
        try:
            done = await complete_task(
                work, task_id=one.task_id, official=one.official, note=one.note, outcome=one.outcome
            )
        except DomainError as refusal:
            outcomes.append(refusal)
        else:
            outcomes.append(done)
    return outcomes


async def return_task(work: Work, *, task_id: UUID, official: str, reason: str) -> Task:
    """Send a task back to the steps before it, which open again; it opens again itself when they are done.

    An open task is claimed first. What parallel branches have done stands.
    Emits workflow.task.returned.v1 and workflow.task.opened.v1 for each step before it that was done.

    What other agencies are still asked for falls away.

    Raises TaskNotFound, NotCompetent, IllegalMove, CasePaused, TaskClaimedByAnother, OfficialNotEntitled,
    NothingBefore.
    """
    case, task = await queries.lock_task(work.session, task_id, caller=work.caller)
    _refuse_unworkable(case, task, action="return")
    acting_for = await rights.in_whose_place(work, case, task, official)
    if not task.after:
        raise NothingBefore(f"Step {task.step_key} is a first step.", step_key=task.step_key)
    if task.status == TaskStatus.OPEN:
        _claim(work, case, task, official, acting_for)
    await consultations.cancel(work, [task], reason="Bước xử lý được trả lại.")
    at = flow.moment(work, case)
    returned = TaskReturned(
        task_id=task.id,
        step_key=task.step_key,
        step_name=task.step_name,
        official=official,
        acting_for=acting_for,
        reason=reason,
        returned_at=at,
    )
    work.move(task, TASK, "return", returned)
    task.official, task.acting_for = official, acting_for
    for earlier in case.before(task):
        if earlier.status == TaskStatus.DONE:
            flow.open_task(work, earlier, action="reopen", at=at)
    return task


def _claim(work: Work, case: Case, task: Task, official: str, acting_for: str | None) -> None:
    claimed = TaskClaimed(
        task_id=task.id,
        step_key=task.step_key,
        step_name=task.step_name,
        unit=task.unit,
        official=official,
        acting_for=acting_for,
        claimed_at=flow.moment(work, case),
    )
    work.move(task, TASK, "claim", claimed)
    task.official, task.acting_for = official, acting_for


def _refuse_unworkable(case: Case, task: Task, *, action: str) -> None:
    if task.status != TaskStatus.OPEN:
        TASK.edge(TaskStatus(task.status), action)
    if case.paused_since is not None:
        raise CasePaused(
            f"Dossier {case.dossier_code} is {case.status} since {case.paused_since.isoformat()}.",
            case_status=case.status,
            paused_since=case.paused_since,
        )


def _refuse_another(task: Task, official: str) -> None:
    if task.status == TaskStatus.CLAIMED and task.official != official:
        raise TaskClaimedByAnother(f"{task.official} has this task: reassign it first.", official=task.official)


def _completion(work: Work, case: Case, task: Task, completed_at: datetime | None) -> datetime:
    if completed_at is None:
        return flow.moment(work, case)
    earliest = max(case.clock_at, task.opened_at or case.clock_at)
    if earliest <= completed_at <= work.now:
        return completed_at
    message = f"Must lie between {earliest.isoformat()} and {work.now.isoformat()}."
    message_vi = f"Phải từ {earliest.isoformat()} đến {work.now.isoformat()}."
    raise CompletionTimeInvalid(errors=[FieldError("completed_at", message, message_vi)])


def _refuse_unjoined(task: Task) -> None:
    if task.consultations_open:
        raise ConsultationOutstanding(
            f"{task.consultations_open} agencies have not answered: wait, or waive their answers with a reason.",
            outstanding=task.consultations_open,
        )


def _refuse_unexplained(*, late: bool, late_reason: str | None) -> None:
    if late and not late_reason:
        message = "Say why the work is entered after the fact."
        raise LateReasonMissing(errors=[FieldError("late_reason", message, "Nêu lý do nhập muộn.")])


def _minutes_late(work: Work, case: Case, task: Task, at: datetime) -> int:
    """Return the working minutes by which a step missed its due date; its due date has moved with every pause."""
    if task.due_at is None or at <= task.due_at:
        return 0
    return math.ceil(flow.calendar_of(work, case).between(task.due_at, at))
