"""What follows by itself: steps open, the fee is awaited, the clock stands and runs, the case is completed."""

from datetime import UTC, datetime

from services.workflow import queries
from services.workflow.models import Case, ClockEntry, Task
from services.workflow.operations import clock
from services.workflow.states import CASE, TASK, ClockKind, PauseReason, TaskStatus
from shared.events.workflow import CaseCompleted, CasePaymentAwaited, CaseResumed, TaskOpened
from shared.work import Work
from shared.worktime import WorkingCalendar, load_calendar

CALENDAR = "vn"

TO_OPEN = frozenset({TaskStatus.WAITING, TaskStatus.RETURNED})
TAKING = {
    PauseReason.SUPPLEMENT: "take_supplement",
    PauseReason.PAYMENT: "take_payment",
    PauseReason.STOP: "resume",
}


def calendar() -> WorkingCalendar:
    """Return the calendar that cases run by."""
    return load_calendar(CALENDAR)


async def advance(work: Work, case: Case, *, at: datetime) -> None:
    """Open every step whose steps before are done; await the fee where one needs it; complete when all are done.

    `at` is when the last of them was done. A join opens at the latest end among its branches.
    """
    if all(task.status == TaskStatus.DONE for task in case.tasks):
        await _complete(work, case)
        return
    ready = [task for task in case.tasks if _is_ready(case, task)]
    unpaid = [task for task in ready if task.awaits_payment and case.fee_outstanding_vnd]
    for task in ready:
        if task not in unpaid:
            ends = (earlier.completed_at for earlier in case.before(task) if earlier.completed_at)
            open_task(work, task, action="open", at=max([at, *ends]))
    if unpaid:
        _await_payment(work, case, at=max(at, _newest(case)))


def _is_ready(case: Case, task: Task) -> bool:
    return task.status in TO_OPEN and all(earlier.status == TaskStatus.DONE for earlier in case.before(task))


def open_task(work: Work, task: Task, *, action: str, at: datetime) -> None:
    """Let a step be worked on from a moment; its due date follows from its working minutes."""
    task.official = task.completed_at = task.recorded_at = task.note = None
    task.opened_at = at
    task.due_at = calendar().add(at, task.minutes).astimezone(UTC)
    opened = TaskOpened(
        task_id=task.id,
        step_key=task.step_key,
        step_name=task.step_name,
        unit=task.unit,
        role=task.role,
        opened_at=at,
        due_at=task.due_at,
    )
    work.move(task, TASK, action, opened)


def _await_payment(work: Work, case: Case, *, at: datetime) -> None:
    awaited = CasePaymentAwaited(amount_vnd=case.fee_outstanding_vnd, paused_at=at)
    work.move(case, CASE, "await_payment", awaited)
    stand_still(work, case, PauseReason.PAYMENT, at=at)


async def _complete(work: Work, case: Case) -> None:
    completed_at = max(task.completed_at for task in case.tasks if task.completed_at)
    case.completed_at = completed_at
    await work.session.flush()
    ledger = await queries.list_clock(work.session, case.dossier_code)
    completed = CaseCompleted(
        completed_at=completed_at,
        due_at=case.due_at,
        on_time=case.on_time,
        pauses=clock.pauses(ledger),
    )
    work.move(case, CASE, "complete", completed)


def enter_clock(work: Work, case: Case, kind: ClockKind, reason: str, *, at: datetime) -> None:
    """Add a line to the ledger of a case's clock for the event just told."""
    case.clock_entries += 1
    case.clock_at = at
    entry = ClockEntry(
        case=case,
        nth=case.clock_entries,
        kind=kind,
        at=at,
        reason=reason,
        event_id=work.telling.events[-1].id,
        calendar_version=calendar().version,
        due_at=case.due_at,
    )
    work.session.add(entry)


def stand_still(work: Work, case: Case, reason: PauseReason, *, at: datetime) -> None:
    """Stop the clock; the event that says so was just told."""
    case.paused_since, case.pause_reason = at, reason
    enter_clock(work, case, ClockKind.PAUSE, reason, at=at)


def run_again(work: Work, case: Case, reason: PauseReason, *, at: datetime, resumed_by: str | None = None) -> datetime:
    """Let the clock run again; return from when: never before it stopped.

    The due dates of the case and of its tasks in hand move by the pause. Emits workflow.case.resumed.v1.

    Raises IllegalMove when the case does not stand still for this reason.
    """
    CASE.edge(CASE.statuses(case.status), TAKING[reason])
    paused_at = case.paused_since or case.clock_at
    at = max(at, paused_at)
    previous = case.due_at
    if previous is not None:
        unit = case.term.unit if case.term else None
        case.due_at = clock.due_after_pause(previous, paused_at, at, calendar=calendar(), unit=unit)
    pause = calendar().between(paused_at, at)
    for task in case.tasks:
        if task.is_in_hand() and task.due_at is not None:
            task.due_at = calendar().add(task.due_at, pause).astimezone(UTC)
    case.paused_since = case.pause_reason = None
    resumed = CaseResumed(
        after=reason, resumed_at=at, previous_due_at=previous, due_at=case.due_at, resumed_by=resumed_by
    )
    work.move(case, CASE, TAKING[reason], resumed)
    enter_clock(work, case, ClockKind.RESUME, reason, at=at)
    return at


def moment(work: Work, case: Case) -> datetime:
    """Return the moment of an action taken now: never before what the case has recorded already.

    Other services' times come from other machines' clocks, which may be ahead of ours.
    """
    return max(work.now, _newest(case))


def _newest(case: Case) -> datetime:
    times = (at for task in case.tasks for at in (task.opened_at, task.completed_at) if at is not None)
    return max([case.clock_at, *times])
