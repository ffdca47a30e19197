"""HTTP in: worklists and what officials do with tasks and cases."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import AwareDatetime

from services.workflow import queries
from services.workflow.operations import cases as case_verbs
from services.workflow.operations import clock
from services.workflow.operations import tasks as task_verbs
from services.workflow.schemas import (
    BulkAnswer,
    BulkOutcome,
    BulkRequest,
    CaseDetail,
    CasePage,
    CaseView,
    ClaimRequest,
    CompleteRequest,
    HandOverRequest,
    ResumeRequest,
    StopRequest,
    SupplementRequest,
    TaskPage,
    TaskView,
)
from services.workflow.states import CaseStatus, TaskStatus
from shared import clock as wall
from shared.http import CallerDep, SessionDep, WorkDep, grouped, needs, router

READ, WORK = needs("tasks:read"), needs("tasks:work")

Word = Annotated[str | None, Query(min_length=1, max_length=200)]
Limit = Annotated[int, Query(ge=1, le=queries.LIST_MAX)]
Cursor = Annotated[str | None, Query(max_length=400, description="next_cursor of the part before")]
DossierCode = Annotated[str, Path(max_length=60, examples=["H32.14-260407-0001"])]

WorklistStatus = Literal[TaskStatus.OPEN, TaskStatus.CLAIMED, TaskStatus.RETURNED, TaskStatus.DONE]

tasks = router("tasks", prefix="/tasks")
cases = router("cases", prefix="/cases")


@tasks.get("", dependencies=[READ])
async def list_tasks(
    session: SessionDep,
    caller: CallerDep,
    *,
    agency: Word = None,
    unit: Word = None,
    role: Word = None,
    official: Word = None,
    status: WorklistStatus | None = None,
    due_before: AwareDatetime | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> TaskPage:
    """List opened tasks by due date, the nearest first; without a status those that are open or claimed.

    What is done is listed for a unit or an official.
    """
    wanted = queries.TaskFilter(
        agency=agency, unit=unit, role=role, official=official, status=status, due_before=due_before
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
    wanted = [task_verbs.Completion(one.task_id, one.official, one.note) for one in body.tasks]
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
        work, task_id=task_id, official=body.official, note=body.note, completed_at=body.completed_at
    )
    return TaskView.model_validate(task)


@tasks.post("/{task_id}/return", dependencies=[WORK])
async def return_task(work: WorkDep, task_id: UUID, body: HandOverRequest) -> TaskView:
    """Send a task back to the steps before it."""
    task = await task_verbs.return_task(work, task_id=task_id, official=body.official, reason=body.reason)
    return TaskView.model_validate(task)


@cases.get("", dependencies=[READ])
async def list_cases(
    session: SessionDep,
    caller: CallerDep,
    *,
    agency: Word = None,
    status: CaseStatus | None = None,
    overdue: bool = False,
    due_before: AwareDatetime | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> CasePage:
    """List cases that have a due date, the nearest first; without a status those under way.

    Overdue is a case whose clock ran past its due date: while it stands still it does not become so.
    """
    overdue_at: datetime | None = wall.now() if overdue else None
    wanted = queries.CaseFilter(agency=agency, status=status, overdue_at=overdue_at, due_before=due_before)
    page = queries.Page(limit=limit, cursor=cursor)
    items, next_cursor = await queries.list_cases(session, caller=caller, wanted=wanted, page=page)
    return CasePage(items=[CaseView.model_validate(case) for case in items], next_cursor=next_cursor)


@cases.get("/{dossier_code}", dependencies=[READ])
async def get_case(session: SessionDep, caller: CallerDep, dossier_code: DossierCode) -> CaseDetail:
    """Show a case with its tasks, the ledger of its clock, and why its due date is what it is."""
    case = await queries.get_case(session, dossier_code, caller=caller)
    ledger = list(await queries.list_clock(session, dossier_code))
    calendar = await queries.get_calendar(session, case.calendar_code, case.calendar_version)
    return CaseDetail.of(case, ledger, clock.explain(ledger, calendar, clock.terms_of(case)))


@cases.post("/{dossier_code}/request-supplement", dependencies=[WORK])
async def request_supplement(work: WorkDep, dossier_code: DossierCode, body: SupplementRequest) -> CaseView:
    """Ask the applicant for more papers; the clock stands still until they come."""
    case = await case_verbs.request_supplement(
        work,
        dossier_code=dossier_code,
        content=body.content,
        respond_by=body.respond_by,
        requested_by=body.requested_by,
    )
    return CaseView.model_validate(case)


@cases.post("/{dossier_code}/stop", dependencies=[WORK])
async def stop_case(work: WorkDep, dossier_code: DossierCode, body: StopRequest) -> CaseView:
    """Stop a running case (form 05)."""
    case = await case_verbs.stop_case(
        work,
        dossier_code=dossier_code,
        reason=body.reason,
        legal_basis=body.legal_basis,
        stopped_by=body.stopped_by,
    )
    return CaseView.model_validate(case)


@cases.post("/{dossier_code}/resume", dependencies=[WORK])
async def resume_case(work: WorkDep, dossier_code: DossierCode, body: ResumeRequest) -> CaseView:
    """Let a stopped case go on."""
    case = await case_verbs.resume_case(work, dossier_code=dossier_code, resumed_by=body.resumed_by)
    return CaseView.model_validate(case)
