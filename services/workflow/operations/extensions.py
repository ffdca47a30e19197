"""The verb of extension: give the applicant a later date with an apology (form 04), within the rule in force."""

from datetime import datetime, timedelta

from services.workflow import queries
from services.workflow.errors import CasePaused, ExtensionInvalid, ExtensionsUsedUp, ExtensionTooLate, NoDueDate
from services.workflow.models import Case
from services.workflow.operations import flow, rights, slips
from services.workflow.operations.rules import ExtensionRule
from services.workflow.states import CaseStatus
from shared.errors import FieldError, IllegalMove
from shared.events.values import DueDateReason
from shared.work import Work
from shared.worktime import WorkingCalendar


async def extend_case(
    work: Work, *, dossier_code: str, due_at: datetime, reason: str, official: str, rule: ExtensionRule | None
) -> Case:
    """Promise a later date; the apology letter is kept and the ledger says who moved the date and why.

    Emits workflow.case.due_date_changed.v1.

    Raises CaseNotFound, NotCompetent, IllegalMove when the case has ended, CasePaused, NoDueDate, ExtensionsUsedUp,
    ExtensionTooLate, ExtensionInvalid; then nothing was changed.
    """
    case = await queries.lock_case(work.session, dossier_code, caller=work.caller)
    rights.refuse_strangers_to_case(work, case)
    previous = _extensible(case)
    calendar = flow.calendar_of(work, case)
    legal_basis = _refuse_against_rule(work, case, previous, rule)
    _refuse_invalid(previous, due_at, calendar)
    flow.promise_anew(work, case, due_at=due_at, because=DueDateReason.EXTENSION, reason=reason, changed_by=official)
    case.extensions, case.escalation_level = case.extensions + 1, 0
    slips.issue_slip(
        work,
        case,
        "04",
        issued_by=official,
        reason=reason,
        previous_due_at=previous,
        due_at=due_at,
        legal_basis=legal_basis,
        times=case.extensions,
    )
    return case


def _extensible(case: Case) -> datetime:
    if not case.is_under_way():
        raise IllegalMove(f"The case is {case.status}: its date is no longer moved.", status_now=case.status)
    if case.status != CaseStatus.RUNNING:
        raise CasePaused(
            f"Dossier {case.dossier_code} is {case.status}: its date moves when the clock runs again.",
            case_status=case.status,
            paused_since=case.paused_since,
        )
    if case.due_at is None:
        raise NoDueDate(f"Dossier {case.dossier_code} has no due date.")
    return case.due_at


def _refuse_against_rule(work: Work, case: Case, due_at: datetime, rule: ExtensionRule | None) -> str:
    """Return the legal basis of the extension."""
    if rule is None or case.extensions >= rule.times_max:
        most = rule.times_max if rule else 0
        raise ExtensionsUsedUp(
            f"Extended {case.extensions} times; the rule in force allows {most}.",
            extensions=case.extensions,
            times_max=most,
        )
    last_day = rights.today(due_at) - timedelta(days=rule.notice_days)
    if rights.today(work.now) > last_day:
        raise ExtensionTooLate(
            f"Due on {rights.today(due_at)}: the last day to extend was {last_day} ({rule.legal_basis}).",
            last_day=last_day,
            notice_days=rule.notice_days,
        )
    return rule.legal_basis


def _refuse_invalid(previous: datetime, due_at: datetime, calendar: WorkingCalendar) -> None:
    errors = []
    if due_at <= previous:
        message = f"Must be later than {previous.isoformat()}."
        errors.append(FieldError("due_at", message, "Phải sau ngày hẹn trả hiện tại."))
    elif rights.today(calendar.end_of_day(rights.today(due_at))) != rights.today(due_at):
        errors.append(FieldError("due_at", "Must be a working day.", "Phải là ngày làm việc."))
    if errors:
        raise ExtensionInvalid(errors=errors)
