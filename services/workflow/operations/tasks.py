"""The verbs of officials: claim, release, reassign, complete and return a task."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.workflow import queries
from services.workflow.errors import CasePaused, CompletionTimeInvalid, NothingBefore, TaskClaimedByAnother
from services.workflow.models import Case, Task
from services.workflow.operations import flow
from services.workflow.states import TASK, TaskStatus
from shared.errors import DomainError, FieldError
from shared.events.workflow import TaskClaimed, TaskCompleted, TaskReassigned, TaskReleased, TaskReturned
from shared.work import Work


async def claim_task(work: Work, *, task_id: UUID, official: str) -> Task:
    """Give an open task to an official.

    Emits workflow.task.claimed.v1.

    Raises TaskNotFound, TaskClaimedByAnother, IllegalMove when the task is not open.
    """
    case, task = await queries.lock_task(work.session, task_id, caller=work.caller)
    _refuse_another(task, official)
    _claim(work, case, task, official)
    return task


async def release_task(work: Work, *, task_id: UUID, official: str, reason: str) -> Task:
    """Take an unfinished task back from its official, for anyone of its unit and role to claim.

    Emits workflow.task.released.v1.

    Raises TaskNotFound, TaskClaimedByAnother, IllegalMove when the task is not claimed.
    """
    case, task = await queries.lock_task(work.session, task_id, caller=work.caller)
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
    task.official = None
    return task


async def reassign_task(work: Work, *, task_id: UUID, official: str, reason: str) -> Task:
    """Give a claimed task to another official.

    Emits workflow.task.reassigned.v1.

    Raises TaskNotFound, IllegalMove when the task is not claimed.
    """
    case, task = await queries.lock_task(work.session, task_id, caller=work.caller)
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
    task.official = official
    return task


async def complete_task(
    work: Work, *, task_id: UUID, official: str, note: str, completed_at: datetime | None = None
) -> Task:
    """Finish a task; an open one is claimed first. What comes after it opens, or the case is completed.

    completed_at is when the work was done, if that is entered after the fact: not in the future, not before the task
    was opened or the clock last ran again.
    Emits workflow.task.completed.v1 (before it workflow.task.claimed.v1 for an open task), then
    workflow.task.opened.v1, workflow.case.payment_awaited.v1 or workflow.case.completed.v1.

    Raises TaskNotFound, IllegalMove, CasePaused, TaskClaimedByAnother, CompletionTimeInvalid; then nothing was changed.
    """
    case, task = await queries.lock_task(work.session, task_id, caller=work.caller)
    _refuse_unworkable(case, task, official, action="complete")
    at = _completion(work, case, task, completed_at)
    if task.status == TaskStatus.OPEN:
        _claim(work, case, task, official)
    completed = TaskCompleted(
        task_id=task.id,
        step_key=task.step_key,
        step_name=task.step_name,
        unit=task.unit,
        official=official,
        note=note,
        opened_at=task.opened_at,
        due_at=task.due_at,
        completed_at=at,
    )
    work.move(task, TASK, "complete", completed)
    task.note, task.completed_at, task.recorded_at = note, at, work.now
    await flow.advance(work, case, at=at)
    return task


@dataclass(frozen=True, slots=True)
class Completion:
    """One of many tasks to finish."""

    task_id: UUID
    official: str
    note: str


async def complete_tasks(work: Work, completions: Sequence[Completion]) -> list[Task | DomainError]:
    """Finish many tasks in one transaction; each comes out as the finished task or as what refuses it.

    complete_task decides before it changes anything, so one that is refused leaves the others as they are.
    """
    await queries.lock_cases_of_tasks(work.session, [one.task_id for one in completions])
    outcomes: list[Task | DomainError] = []
    for one in completions:
        try:
            done = await complete_task(work, task_id=one.task_id, official=one.official, note=one.note)
        except DomainError as refusal:
            outcomes.append(refusal)
        else:
            outcomes.append(done)
    return outcomes


async def return_task(work: Work, *, task_id: UUID, official: str, reason: str) -> Task:
    """Send a task back to the steps before it, which open again; it opens again itself when they are done.

    An open task is claimed first. What parallel branches have done stands.
    Emits workflow.task.returned.v1 and workflow.task.opened.v1 for each step before it that was done.

    Raises TaskNotFound, IllegalMove, CasePaused, TaskClaimedByAnother, NothingBefore.
    """
    case, task = await queries.lock_task(work.session, task_id, caller=work.caller)
    _refuse_unworkable(case, task, official, action="return")
    if not task.after:
        raise NothingBefore(f"Step {task.step_key} is a first step.", step_key=task.step_key)
    if task.status == TaskStatus.OPEN:
        _claim(work, case, task, official)
    at = flow.moment(work, case)
    returned = TaskReturned(
        task_id=task.id,
        step_key=task.step_key,
        step_name=task.step_name,
        official=official,
        reason=reason,
        returned_at=at,
    )
    work.move(task, TASK, "return", returned)
    for earlier in case.before(task):
        if earlier.status == TaskStatus.DONE:
            flow.open_task(work, earlier, action="reopen", at=at)
    return task


def _claim(work: Work, case: Case, task: Task, official: str) -> None:
    claimed = TaskClaimed(
        task_id=task.id,
        step_key=task.step_key,
        step_name=task.step_name,
        unit=task.unit,
        official=official,
        claimed_at=flow.moment(work, case),
    )
    work.move(task, TASK, "claim", claimed)
    task.official = official


def _refuse_unworkable(case: Case, task: Task, official: str, *, action: str) -> None:
    if task.status != TaskStatus.OPEN:
        TASK.edge(TaskStatus(task.status), action)
    if case.paused_since is not None:
        raise CasePaused(
            f"Dossier {case.dossier_code} is {case.status} since {case.paused_since.isoformat()}.",
            case_status=case.status,
            paused_since=case.paused_since,
        )
    _refuse_another(task, official)


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
