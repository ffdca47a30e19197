"""HTTP in: worklists and what officials do with tasks."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from services.workflow import queries
from services.workflow.operations import tasks as task_verbs
from services.workflow.queries import accounts, calendars
from services.workflow.routes.parameters import READ, WORK, Cursor, Limit, RulesDep, Word, earliest
from services.workflow.schemas import (
    BulkAnswer,
    BulkOutcome,
    BulkRequest,
    ClaimRequest,
    CompleteRequest,
    HandOverRequest,
    TaskPage,
    TaskView,
)
from services.workflow.states import TaskStatus
from shared import clock
from shared.bodies import Moment
from shared.http import CallerDep, SessionDep, WorkDep, grouped, router

WorklistStatus = Literal[TaskStatus.OPEN, TaskStatus.CLAIMED, TaskStatus.RETURNED, TaskStatus.DONE]

tasks = router("tasks", prefix="/tasks")


@tasks.get("", dependencies=[READ])
async def list_tasks(
    session: SessionDep,
    caller: CallerDep,
    rules: RulesDep,
    *,
    agency: Word = None,
    unit: Word = None,
    role: Word = None,
    official: Word = None,
    delegated: bool = False,
    status: WorklistStatus | None = None,
    overdue: bool = False,
    nearing: bool = False,
    due_before: Moment | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> TaskPage:
    """List opened tasks by due date, the nearest first; without a status those that are open or claimed.

    What is done is listed for a unit or an official. `delegated` adds, to an official's own tasks, those of everybody
    they stand in for now. Overdue and nearing leave out tasks whose case's clock stood still before their date.
    """
    now = clock.now()
    officials = [official] if official is not None else None
    if official is not None and delegated:
        officials = [official, *await accounts.list_delegators_of(session, official=official, at=now)]
    horizon: datetime | None = None
    if nearing:
        horizon = rules.horizon("task", now, await calendars.get_national(session))
    wanted = queries.TaskFilter(
        agency=agency,
        unit=unit,
        role=role,
        officials=officials,
        status=status,
        due_before=earliest(due_before, horizon),
        due_from=now if nearing else None,
        overdue_at=now if overdue else None,
        running_only=nearing,
    )
    page = queries.Page(limit=limit, cursor=cursor)
    items, next_cursor = await queries.list_tasks(session, caller=caller, wanted=wanted, page=page)
    return TaskPage(items=[TaskView.model_validate(task) for task in items], next_cursor=next_cursor)


@tasks.get("/{task_id}", dependencies=[READ])
async def get_task(session: SessionDep, caller: CallerDep, task_id: UUID) -> TaskView:
    """Show a task."""
    return TaskView.model_validate(await queries.get_task(session, task_id, caller=caller))


@tasks.post("/complete", dependencies=[WORK])
async def complete_tasks(work: WorkDep, body: BulkRequest) -> BulkAnswer:
    """Finish up to 200 tasks at once; one that is refused does not stop the others."""
    wanted = [task_verbs.Completion(one.task_id, one.official, one.note, one.outcome) for one in body.tasks]
    results = await task_verbs.complete_tasks(work, wanted)
    outcomes = [BulkOutcome.of(one.task_id, result) for one, result in zip(wanted, results, strict=True)]
    done = sum(outcome.done for outcome in outcomes)
    return BulkAnswer(done=done, refused=len(outcomes) - done, outcomes=outcomes)


@tasks.post("/{task_id}/claim", dependencies=[WORK])
@grouped
async def claim_task(work: WorkDep, task_id: UUID, body: ClaimRequest) -> TaskView:
    """Take an open task."""
    return TaskView.model_validate(await task_verbs.claim_task(work, task_id=task_id, official=body.official))


@tasks.post("/{task_id}/release", dependencies=[WORK])
async def release_task(work: WorkDep, task_id: UUID, body: HandOverRequest) -> TaskView:
    """Give a claimed task back to its unit; `official` is who has it."""
    task = await task_verbs.release_task(work, task_id=task_id, official=body.official, reason=body.reason)
    return TaskView.model_validate(task)


@tasks.post("/{task_id}/reassign", dependencies=[WORK])
async def reassign_task(work: WorkDep, task_id: UUID, body: HandOverRequest) -> TaskView:
    """Give a claimed task to another official."""
    task = await task_verbs.reassign_task(work, task_id=task_id, official=body.official, reason=body.reason)
    return TaskView.model_validate(task)


@tasks.post("/{task_id}/complete", dependencies=[WORK])
@grouped
async def complete_task(work: WorkDep, task_id: UUID, body: CompleteRequest) -> TaskView:
    """Finish a task; an open one is claimed on the way."""
    task = await task_verbs.complete_task(
        work,
        task_id=task_id,
        official=body.official,
        note=body.note,
        completed_at=body.completed_at,
        late_reason=body.late_reason,
        outcome=body.outcome,
        facts=body.facts,
    )
    return TaskView.model_validate(task)


@tasks.post("/{task_id}/return", dependencies=[WORK])
async def return_task(work: WorkDep, task_id: UUID, body: HandOverRequest) -> TaskView:
    """Send a task back to the steps before it."""
    task = await task_verbs.return_task(work, task_id=task_id, official=body.official, reason=body.reason)
    return TaskView.model_validate(task)
