"""The verbs of a case: start, supplement, stop and resume, settle its fee, withdraw."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from services.workflow import queries
from services.workflow.errors import CalendarNotFound, RespondByInvalid, SupplementNotOpen
from services.workflow.models import Case, Task
from services.workflow.operations import branching, consultations, flow, results, slips
from services.workflow.operations.branching import Fact
from services.workflow.states import CASE, TASK, CaseStatus, ClockKind, PauseReason
from shared.clock import VN
from shared.errors import CauseMissing, FieldError
from shared.events.values import Duration, Process
from shared.events.workflow import (
    CaseStarted,
    CaseStopped,
    CaseSupplementRequested,
    CaseWithdrawn,
    TaskCancelled,
    WithdrawalRefused,
)
from shared.ids import new_id
from shared.work import Work

_NOTHING_YET = {"extensions": 0, "slips": 0, "escalation_level": 0, "clock_entries": 0}


async def start_case(
    work: Work,
    *,
    dossier_code: str,
    procedure_code: str,
    procedure_version: int,
    agency_code: str,
    competent_agency_code: str | None = None,
    applicant_name: str | None = None,
    accepted_at: datetime,
    late_entry: bool,
    due_at: datetime | None,
    term: Duration | None,
    same_day: bool = False,
    calendar_code: str = "vn",
    calendar_version: str,
    fee_outstanding_vnd: int,
    facts: Mapping[str, Fact] | None = None,
) -> Case:
    """Start the case of an accepted dossier: plan every step, open those that come after none.

    The clock runs from accepted_at. The steps are the competent agency's; None: the receiving one decides itself.
    applicant_name is for slips, fee_outstanding_vnd what is collected on acceptance. The process is the one drawn for
    the procedure and that agency on that day, otherwise the one that came with the procedure's version.
    Emits workflow.case.started.v1, workflow.task.planned.v1 and .opened.v1, perhaps workflow.case.payment_awaited.v1.

    Raises CauseMissing until the procedure's version and the calendar have arrived, IllegalMove when the case was
    started before, FactNeeded, CalendarEnds.
    """
    if earlier := await queries.find_locked_case(work.session, dossier_code):
        CASE.edge(CaseStatus(earlier.status), "start")
    competent = competent_agency_code or agency_code
    process, version = await _process_of(work, procedure_code, procedure_version, competent, accepted_at)
    await _have_calendar(work, calendar_code, calendar_version)
    case = Case(
        dossier_code=dossier_code,
        agency_code=agency_code,
        competent_agency_code=competent,
        applicant_name=applicant_name,
        procedure_code=procedure_code,
        process_code=process.code,
        process_version=version,
        started_at=accepted_at.astimezone(UTC),
        late_entry=late_entry,
        entered_late=late_entry,
        expects_result=any(step.output == "result" for step in process.steps),
        due_at=due_at,
        term_amount=term.amount if term else None,
        term_unit=term.unit if term else None,
        same_day=same_day,
        calendar_code=calendar_code,
        calendar_version=calendar_version,
        facts=dict(facts or {}),
        decisions=[decision.model_dump(mode="json") | {"taken": None} for decision in process.decisions],
        fee_outstanding_vnd=fee_outstanding_vnd,
        clock_at=accepted_at,
        **_NOTHING_YET,
    )
    await _begin(work, case, process)
    return case


async def _begin(work: Work, case: Case, process: Process) -> None:
    work.session.add(case)
    queries.desk(work.session).cases[case.dossier_code] = case
    await results.take_early_result(work, case)
    started = CaseStarted(
        process_code=process.code,
        process_version=case.process_version,
        agency_code=case.agency_code,
        started_at=case.clock_at,
        due_at=case.due_at,
    )
    work.move(case, CASE, "start", started)
    at = case.clock_at
    flow.enter_clock(work, case, ClockKind.START, "acceptance", at=at)
    _plan(work, case, process)
    await flow.advance(work, case, at=at)


async def _process_of(
    work: Work, procedure_code: str, version: int, agency_code: str, accepted_at: datetime
) -> tuple[Process, int]:
    drawn = await queries.find_drawn_process(
        work.session, procedure_code, agency_code=agency_code, day=accepted_at.astimezone(VN).date()
    )
    if drawn is not None:
        return drawn.process, drawn.version
    process = await queries.find_process(work.session, procedure_code, version)
    if process is None:
        raise CauseMissing(f"version {version} of procedure {procedure_code} has not arrived")
    return process, version


async def _have_calendar(work: Work, code: str, version: str) -> None:
    try:
        await queries.load_calendars(work.session, [(code, version)])
    except CalendarNotFound as problem:
        raise CauseMissing(f"version {version} of calendar {code} is not known here") from problem


def _plan(work: Work, case: Case, process: Process) -> None:
    for position, step in enumerate(process.steps):
        task = Task(
            id=new_id(),
            dossier_code=case.dossier_code,
            position=position,
            agency_code=case.competent_agency_code,
            step_key=step.key,
            step_name=step.name,
            unit=step.unit,
            role=step.role,
            minutes=step.minutes,
            after=list(step.after),
            awaits_payment=step.awaits_payment,
            output=step.output,
            outcomes=branching.outcomes_asked(process.decisions, step.key),
            consultations_open=0,
            escalation_level=0,
        )
        case.tasks.append(task)
        flow.plan_task(work, task)


async def request_supplement(
    work: Work, *, dossier_code: str, content: str, respond_by: datetime, requested_by: str
) -> Case:
    """Ask the applicant for more papers and stop the clock until they come.

    Emits workflow.case.supplement_requested.v1.

    Raises CaseNotFound, RespondByInvalid, IllegalMove when the case does not run.
    """
    case = await queries.lock_case(work.session, dossier_code, caller=work.caller)
    if respond_by <= work.now:
        message = FieldError("respond_by", "Must be in the future.", "Hạn bổ sung phải ở tương lai.")
        raise RespondByInvalid(errors=[message])
    at, supplement_id = flow.moment(work, case), new_id()
    requested = CaseSupplementRequested(
        supplement_id=supplement_id,
        content=content,
        requested_by=requested_by,
        paused_at=at,
        respond_by=respond_by,
    )
    work.move(case, CASE, "request_supplement", requested)
    case.supplement_id, case.respond_by = supplement_id, respond_by
    flow.stand_still(work, case, PauseReason.SUPPLEMENT, at=at)
    slips.issue_slip(work, case, "02", issued_by=requested_by, content=content, respond_by=respond_by)
    return case


async def take_supplement(work: Work, *, dossier_code: str, supplement_id: UUID, answered_at: datetime) -> Case:
    """Take the applicant's answer: the clock runs again from the moment it was given.

    Emits workflow.case.resumed.v1.

    Raises CauseMissing before the case has started, SupplementNotOpen when it waits for another answer or for none.
    """
    case = await _case_of_event(work, dossier_code)
    if case.supplement_id != supplement_id:
        raise SupplementNotOpen(f"Supplement {supplement_id} is not open; the case is {case.status}.")
    flow.run_again(work, case, PauseReason.SUPPLEMENT, at=answered_at)
    case.supplement_id = case.respond_by = None
    return case


async def stop_case(work: Work, *, dossier_code: str, reason: str, legal_basis: str, stopped_by: str) -> Case:
    """Stop a running case with a reason in law (form 05); the clock stands still.

    Emits workflow.case.stopped.v1.

    Raises CaseNotFound, IllegalMove when the case does not run.
    """
    case = await queries.lock_case(work.session, dossier_code, caller=work.caller)
    at = flow.moment(work, case)
    stopped = CaseStopped(reason=reason, legal_basis=legal_basis, stopped_by=stopped_by, paused_at=at)
    work.move(case, CASE, "stop", stopped)
    flow.stand_still(work, case, PauseReason.STOP, at=at)
    slips.issue_slip(work, case, "05", issued_by=stopped_by, reason=reason, legal_basis=legal_basis)
    return case


async def resume_case(work: Work, *, dossier_code: str, resumed_by: str) -> Case:
    """Let a stopped case go on.

    Emits workflow.case.resumed.v1.

    Raises CaseNotFound, IllegalMove when the case is not stopped.
    """
    case = await queries.lock_case(work.session, dossier_code, caller=work.caller)
    flow.run_again(work, case, PauseReason.STOP, at=flow.moment(work, case), resumed_by=resumed_by)
    return case


async def settle_fee(work: Work, *, dossier_code: str, settled_at: datetime) -> Case:
    """Note that nothing collected on acceptance is outstanding; a case that waited for it goes on from that moment.

    Emits workflow.case.resumed.v1 and workflow.task.opened.v1 when the case waited, nothing otherwise.

    Raises CauseMissing before the case has started.
    """
    case = await _case_of_event(work, dossier_code)
    case.fee_outstanding_vnd = 0
    if case.status == CaseStatus.AWAITING_PAYMENT:
        at = flow.run_again(work, case, PauseReason.PAYMENT, at=settled_at)
        await flow.advance(work, case, at=at)
    return case


async def decide_withdrawal(work: Work, *, dossier_code: str, reason: str) -> Case:
    """End the case at the applicant's wish, or refuse because it has ended already: whoever commits first wins.

    Emits workflow.case.withdrawn.v1 and workflow.task.cancelled.v1 for every task not done, or
    workflow.withdrawal.refused.v1.

    Raises CauseMissing before the case has started.
    """
    case = await _case_of_event(work, dossier_code)
    if not case.is_under_way():
        ended = "đã giải quyết xong" if case.status == CaseStatus.COMPLETED else "đã được rút trước đó"
        refused = WithdrawalRefused(reason=f"Hồ sơ {ended}, không thể rút.", refused_at=work.now)
        work.emit(refused, subject=dossier_code)
        return case
    if case.status == CaseStatus.STOPPED:
        # The national portal knows no way from "stopped" to "withdrawn": the case goes on for this moment.
        flow.run_again(work, case, PauseReason.STOP, at=flow.moment(work, case))
    work.move(case, CASE, "withdraw", CaseWithdrawn(reason=reason, withdrawn_at=work.now))
    case.paused_since = case.pause_reason = case.supplement_id = case.respond_by = None
    await consultations.cancel(work, case.tasks, reason="Công dân rút hồ sơ.")
    for task in case.tasks:
        if task.status not in flow.SETTLED:
            cancelled = TaskCancelled(task_id=task.id, step_key=task.step_key, reason="Công dân rút hồ sơ.")
            work.move(task, TASK, "cancel", cancelled)
    return case


async def _case_of_event(work: Work, dossier_code: str) -> Case:
    case = await queries.find_locked_case(work.session, dossier_code)
    if case is None:
        raise CauseMissing(f"the case of dossier {dossier_code} has not started")
    return case
