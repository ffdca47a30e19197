"""What follows by itself: steps open, the fee is awaited, the clock stands and runs, the case is completed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from services.workflow import queries
from services.workflow.errors import CalendarEnds, OutcomeInvalid
from services.workflow.models import Case, ClockEntry, Task
from services.workflow.operations import branching, clock, consultations
from services.workflow.operations.branching import Fact, Survey, Way
from services.workflow.states import CASE, TASK, ClockKind, PauseReason, TaskStatus
from shared.errors import FieldError
from shared.events.values import Decision, DueDateReason
from shared.events.workflow import (
    CaseCompleted,
    CaseDueDateChanged,
    CasePaymentAwaited,
    CaseResumed,
    TaskOpened,
    TaskPlanned,
    TaskSkipped,
)
from shared.work import Work
from shared.worktime import OutsideCalendarError, WorkingCalendar

TO_OPEN = frozenset({TaskStatus.WAITING, TaskStatus.RETURNED})
SETTLED = frozenset({TaskStatus.DONE, TaskStatus.SKIPPED})
TO_SKIP = frozenset({TaskStatus.WAITING, TaskStatus.OPEN, TaskStatus.CLAIMED, TaskStatus.RETURNED})
TAKING = {
    PauseReason.SUPPLEMENT: "take_supplement",
    PauseReason.PAYMENT: "take_payment",
    PauseReason.STOP: "resume",
}


def calendar_of(work: Work, case: Case) -> WorkingCalendar:
    """Return the calendar that a case runs by; locking the case has brought it here."""
    return queries.known_calendar(work.session, case.calendar_code, case.calendar_version)


@contextmanager
def covered() -> Iterator[None]:
    """Turn a date beyond the calendar's years into the refusal CalendarEnds."""
    try:
        yield
    except OutsideCalendarError as problem:
        raise CalendarEnds(str(problem)) from problem


async def advance(work: Work, case: Case, *, at: datetime) -> None:
    """Decide what can be decided and open every step whose turn it is; await the fee; complete when all is settled.

    `at` is when the last step was done. A join opens at the latest end among its branches. Steps on ways that are not
    taken are skipped, those skipped before are planned again when a return led to another choice.
    """
    survey = Survey(case)
    taken = survey.decide()
    if taken:
        case.decisions = [one | {"taken": taken[one["key"]]} for one in case.decisions]
        _follow(work, case, survey, at=at)
        skipped = [task for task in case.tasks if task.status == TaskStatus.SKIPPED]
        await consultations.cancel(work, skipped, reason="Hồ sơ được giải quyết theo hướng khác.")
    if all(task.status in SETTLED for task in case.tasks):
        await _complete(work, case, at=at)
        return
    ready = [task for task in case.tasks if task.status in TO_OPEN and survey.way(task.step_key) == Way.TAKEN]
    unpaid = [task for task in ready if task.awaits_payment and case.fee_outstanding_vnd]
    for task in ready:
        if task not in unpaid:
            ends = (earlier.completed_at for earlier in case.before(task) if earlier.completed_at)
            open_task(work, task, action="open", at=max([at, *ends]))
    if unpaid:
        _await_payment(work, case, at=max(at, _newest(case)))


def _follow(work: Work, case: Case, survey: Survey, *, at: datetime) -> None:
    for task in case.tasks:
        way = survey.way(task.step_key)
        if way == Way.CLOSED and task.status in TO_SKIP:
            skipped = TaskSkipped(task_id=task.id, step_key=task.step_key, step_name=task.step_name, skipped_at=at)
            work.move(task, TASK, "skip", skipped)
            task.official = None
        elif way == Way.TAKEN and task.status == TaskStatus.SKIPPED:
            plan_task(work, task)


def plan_task(work: Work, task: Task) -> None:
    """Let a step wait for its turn; emits workflow.task.planned.v1."""
    planned = TaskPlanned(
        task_id=task.id, step_key=task.step_key, step_name=task.step_name, unit=task.unit, role=task.role
    )
    work.move(task, TASK, "plan", planned)


def choose(work: Work, case: Case, task: Task, *, outcome: str | None, facts: Mapping[str, Fact], at: datetime) -> None:
    """Check that a step can be completed with an outcome and facts: what follows is decided and within the calendar.

    Raises OutcomeInvalid, FactNeeded, CalendarEnds; nothing is changed.
    """
    _check_outcome(task, outcome)
    _check_facts(case, facts)
    survey = Survey(case, {task.step_key: outcome}, facts)
    survey.decide()
    at = max(at, _newest(case))
    with covered():
        for other in case.tasks:
            if other.status in TO_OPEN | {TaskStatus.SKIPPED} and survey.way(other.step_key) == Way.TAKEN:
                calendar_of(work, case).add(at, other.minutes)


def _check_outcome(task: Task, outcome: str | None) -> None:
    if outcome in task.outcomes or (outcome is None and not task.outcomes):
        return
    allowed = ", ".join(task.outcomes)
    if not task.outcomes:
        message = FieldError("outcome", "This step leaves no choice: send none.", "Bước này không có lựa chọn.")
    else:
        message = FieldError("outcome", f"Choose one of: {allowed}.", f"Cần chọn một trong: {allowed}.")
    raise OutcomeInvalid(errors=[message], outcomes=task.outcomes)


def _check_facts(case: Case, facts: Mapping[str, Fact]) -> None:
    asked = branching.facts_asked([Decision.model_validate(one) for one in case.decisions]) if facts else {}
    errors = [
        FieldError(
            f"facts.{name}",
            f"The process asks for {', '.join(asked) or 'no facts'}, compared with values such as {asked.get(name)!r}.",
            "Thông tin này không được quy trình yêu cầu hoặc sai kiểu giá trị.",
        )
        for name, value in facts.items()
        if name not in asked or not branching.same_kind(value, asked[name])
    ]
    if errors:
        raise OutcomeInvalid("The process has no use for these facts.", errors=errors)


def open_task(work: Work, task: Task, *, action: str, at: datetime) -> None:
    """Let a step be worked on from a moment; its due date follows from its working minutes."""
    case = queries.case_on_desk(work.session, task.dossier_code)
    task.official = task.acting_for = task.completed_at = task.recorded_at = task.note = task.outcome = None
    task.late_reason = task.minutes_late = None
    task.escalation_level = 0
    task.opened_at = at
    with covered():
        task.due_at = calendar_of(work, case).add(at, task.minutes).astimezone(UTC)
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


async def _complete(work: Work, case: Case, *, at: datetime) -> None:
    completed_at = max([task.completed_at for task in case.tasks if task.completed_at], default=at)
    case.completed_at = completed_at
    await work.session.flush()
    ledger = await queries.list_clock(work.session, case.dossier_code)
    completed = CaseCompleted(
        completed_at=completed_at,
        due_at=case.due_at,
        on_time=case.on_time,
        pauses=clock.pauses(ledger),
        entered_late=case.entered_late,
    )
    work.move(case, CASE, "complete", completed)


def enter_clock(work: Work, case: Case, kind: ClockKind, reason: str, *, at: datetime, note: str | None = None) -> None:
    """Add a line to the ledger of a case's clock for the event just told."""
    case.clock_entries += 1
    if kind in {ClockKind.START, ClockKind.PAUSE, ClockKind.RESUME}:
        case.clock_at = at
    entry = ClockEntry(
        case=case,
        nth=case.clock_entries,
        kind=kind,
        at=at,
        reason=reason,
        event_id=work.telling.events[-1].id,
        note=note,
        calendar_version=case.calendar_version,
        due_at=case.due_at,
    )
    work.session.add(entry)


def promise_anew(
    work: Work, case: Case, *, due_at: datetime, because: DueDateReason, reason: str, changed_by: str
) -> None:
    """Set a case's due date to another one for a reason that is told; the ledger keeps it.

    A date moved by the calendar follows from the ledger; any other is a new promise from which later pauses count.
    Emits workflow.case.due_date_changed.v1.
    """
    at = moment(work, case)
    changed = CaseDueDateChanged(
        due_at=due_at,
        previous_due_at=case.due_at,
        because=because,
        reason=reason,
        changed_by=changed_by,
        calendar_version=case.calendar_version,
        calculated_at=at,
    )
    work.emit(changed, subject=case.dossier_code)
    case.due_at = due_at.astimezone(UTC)
    kind = ClockKind.RECALCULATE if because == DueDateReason.CALENDAR else ClockKind.SET
    enter_clock(work, case, kind, because, at=at, note=reason)


def stand_still(work: Work, case: Case, reason: PauseReason, *, at: datetime) -> None:
    """Stop the clock; the event that says so was just told."""
    case.paused_since, case.pause_reason = at, reason
    enter_clock(work, case, ClockKind.PAUSE, reason, at=at)


def run_again(work: Work, case: Case, reason: PauseReason, *, at: datetime, resumed_by: str | None = None) -> datetime:
    """Let the clock run again; return from when: never before it stopped.

    The due dates of the case and of its tasks in hand move by the pause. Emits workflow.case.resumed.v1.

    Raises IllegalMove when the case does not stand still for this reason, CalendarEnds.
    """
    CASE.edge(CASE.statuses(case.status), TAKING[reason])
    paused_at = case.paused_since or case.clock_at
    at = max(at, paused_at)
    previous, calendar = case.due_at, calendar_of(work, case)
    with covered():
        if previous is not None:
            unit = clock.terms_of(case).unit
            case.due_at = clock.due_after_pause(previous, paused_at, at, calendar=calendar, unit=unit)
        pause = calendar.between(paused_at, at)
        for task in case.tasks:
            if task.is_in_hand() and task.due_at is not None:
                task.due_at = calendar.add(task.due_at, pause).astimezone(UTC)
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
