"""What a dossier is handed in with, and everything that can be wrong with it; no database is asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from services.intake.models import AgencyEntry, FormEntry, ProcedureEntry
from services.intake.operations.forms import validate
from services.intake.operations.papers import Paper, Situation, paper_problems
from services.intake.queries import Catalogue
from shared.caller import Caller
from shared.errors import FieldError, InvalidRequest
from shared.events.values import Channel, IdKind, Party, ReturnMethod
from shared.identifiers import (
    IdentifierError,
    check_tax_code,
    current_agency,
    dossier_day,
    parse_citizen_id,
)

LATE_ENTRY_DAYS_MAX = 30


@dataclass(frozen=True, slots=True)
class Submission:
    """What an applicant hands in, through whichever door."""

    procedure_code: str
    agency_code: str
    channel: Channel
    applicant: Party
    owner: Party | None
    """None when the applicant asks for himself."""
    return_method: ReturnMethod
    competent_agency_code: str | None = None
    """Who decides on it, when that is another agency than the receiving one."""
    form_data: Mapping[str, Any] | None = None
    """What was filled into the procedure's e-form."""
    summary: str = ""
    case_code: str | None = None
    """The procedure's case (trường hợp), where it has several."""
    papers: Sequence[Paper] = ()
    submitted_at: datetime | None = None
    """None for now."""
    late_reason: str | None = None
    """Why it is entered late."""
    origin: str = "province"
    origin_reference: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which version, at which agency and when a submission counts."""

    procedure: ProcedureEntry
    agency: AgencyEntry
    submitted_at: datetime
    competent: AgencyEntry | None = None
    """None when the receiving agency decides itself."""
    form: FormEntry | None = None
    """The version of the e-form that was filled in."""

    @property
    def day(self) -> date:
        """The day it counts as received, in Vietnam."""
        return dossier_day(self.submitted_at)


def check_submission(catalogue: Catalogue, submission: Submission, *, caller: Caller, now: datetime) -> Terms:
    """Return the terms of a submission; raises InvalidRequest naming every field that cannot be taken."""
    submitted_at = min(submission.submitted_at or now, now)
    day = dossier_day(submitted_at)
    procedure = catalogue.in_force(submission.procedure_code, day)
    agency = _agency(catalogue, submission.agency_code, caller)
    competent = _competent(catalogue, submission, agency)
    form = catalogue.form_of(submission.procedure_code, day)
    errors = [
        *_time_problems(submission, now),
        *_procedure_problems(catalogue, submission, procedure),
        *_agency_problems(catalogue, agency, procedure, competent, day),
        *_competence_problems(catalogue, submission, agency, procedure, day),
        *_form_problems(submission, form),
        *_party_problems(submission.applicant, "applicant", day),
        *_contact_problems(submission.applicant),
        *(_party_problems(submission.owner, "owner", day) if submission.owner else ()),
        *paper_problems(procedure, submission.papers, _situation(submission), now),
    ]
    if errors or procedure is None or agency is None:
        raise InvalidRequest("See errors: each names a field and what is wrong with it.", errors=errors)
    return Terms(procedure, agency, submitted_at, competent, form if submission.form_data is not None else None)


def _situation(submission: Submission) -> Situation:
    return Situation(
        case=submission.case_code,
        applicant=(submission.owner or submission.applicant).kind,
        channel=submission.channel,
        represented=submission.owner is not None and submission.owner != submission.applicant,
        answers=submission.form_data or {},
    )


def _agency(catalogue: Catalogue, code: str, caller: Caller) -> AgencyEntry | None:
    try:
        found = catalogue.agencies.get(current_agency(code))
    except IdentifierError:
        return None
    return found if found and caller.may_see(found.code) else None


def _time_problems(submission: Submission, now: datetime) -> Iterator[FieldError]:
    at = submission.submitted_at
    if at is None or submission.origin != "province":
        return
    if submission.channel is Channel.ONLINE:
        yield FieldError(
            "body.submitted_at",
            "An online dossier is submitted now; only direct and postal ones can be entered late.",
            "Hồ sơ trực tuyến tính theo thời điểm gửi; chỉ hồ sơ trực tiếp hoặc bưu chính được nhập muộn.",
        )
    if at > now:
        yield FieldError("body.submitted_at", "This lies in the future.", "Thời điểm nộp nằm trong tương lai.")
    if at < now - timedelta(days=LATE_ENTRY_DAYS_MAX):
        yield FieldError(
            "body.submitted_at",
            f"A dossier can be entered at most {LATE_ENTRY_DAYS_MAX} days late.",
            f"Chỉ được nhập muộn tối đa {LATE_ENTRY_DAYS_MAX} ngày.",
        )
    yield from late_problems(at, submission.late_reason, now)


def late_problems(at: datetime, reason: str | None, now: datetime) -> Iterator[FieldError]:
    """Yield what is missing when something is entered on a later day than it happened on: the reason."""
    if dossier_day(at) < dossier_day(now) and not reason:
        yield FieldError(
            "body.late_reason",
            "This is entered on a later day than it happened on: say why.",
            "Nhập muộn so với ngày thực tế: cần nêu lý do.",
        )


def _procedure_problems(
    catalogue: Catalogue, submission: Submission, procedure: ProcedureEntry | None
) -> Iterator[FieldError]:
    if procedure is None:
        if catalogue.versions_of(submission.procedure_code):
            yield FieldError(
                "body.procedure_code",
                "This procedure is not in force at the time of submission.",
                "Thủ tục không có hiệu lực tại thời điểm nộp.",
            )
        else:
            yield FieldError("body.procedure_code", "No procedure has this code.", "Không có thủ tục với mã này.")
        return
    if submission.channel not in procedure.channels:
        yield FieldError(
            "body.channel",
            f"This procedure is offered through: {', '.join(procedure.channels)}.",
            "Thủ tục không tiếp nhận qua kênh này.",
        )
    asking, who = (submission.owner, "owner") if submission.owner else (submission.applicant, "applicant")
    if not procedure.allows(asking.kind):
        yield FieldError(
            f"body.{who}.kind",
            f"This procedure is for: {', '.join(sorted(procedure.applicants))}.",
            "Thủ tục không áp dụng cho đối tượng này.",
        )


def _competent(catalogue: Catalogue, submission: Submission, agency: AgencyEntry | None) -> AgencyEntry | None:
    """Return who decides, if that is somebody else."""
    if submission.competent_agency_code is None:
        return None
    found = catalogue.agency(submission.competent_agency_code)
    return None if found is None or found == agency else found


def _competence_problems(
    catalogue: Catalogue,
    submission: Submission,
    agency: AgencyEntry | None,
    procedure: ProcedureEntry | None,
    day: date,
) -> Iterator[FieldError]:
    """Yield what is wrong with the agency that is to decide: dossiers are received anywhere in its province."""
    code = submission.competent_agency_code
    found = catalogue.agency(code) if code is not None else None
    if code is not None and found is None:
        message = "No agency has this code."
        yield FieldError("body.competent_agency_code", message, "Không có cơ quan giải quyết với mã này.")
    elif found and agency and found.code.split(".")[0] != agency.code.split(".")[0]:
        message = "An agency receives only for agencies of its own province."
        yield FieldError("body.competent_agency_code", message, "Chỉ tiếp nhận hộ cơ quan trong cùng tỉnh.")
    elif found and procedure and not catalogue.receives(procedure, found, day):
        message = f"This agency does not decide on this procedure on {day}."
        yield FieldError("body.competent_agency_code", message, "Cơ quan này không giải quyết thủ tục.")


def _form_problems(submission: Submission, form: FormEntry | None) -> Iterator[FieldError]:
    """Yield what is wrong with what was filled in, field by field."""
    if submission.form_data is None:
        if form and submission.channel in form.needed_through:
            message = f"Fill in the e-form {form.code} (GET /forms/{form.code})."
            yield FieldError("body.form_data", message, f"Cần điền biểu mẫu điện tử: {form.title}.")
    elif form is None:
        yield FieldError(
            "body.form_data", "This procedure has no e-form: leave it out.", "Thủ tục không có biểu mẫu điện tử."
        )
    else:
        yield from validate(form, submission.form_data)


def _agency_problems(
    catalogue: Catalogue,
    agency: AgencyEntry | None,
    procedure: ProcedureEntry | None,
    competent: AgencyEntry | None,
    day: date,
) -> Iterator[FieldError]:
    if agency is None:
        yield FieldError(
            "body.agency_code",
            "No agency that you can submit to has this code.",
            "Không có cơ quan tiếp nhận với mã này.",
        )
    elif not agency.receives_on(day):
        successor = f"; submit to its successor {' or '.join(agency.successors)}" if agency.successors else ""
        yield FieldError(
            "body.agency_code",
            f"This agency does not exist on {day}{successor}.",
            "Cơ quan không còn hoặc chưa hoạt động tại thời điểm nộp.",
        )
    elif procedure and competent is None and not catalogue.receives(procedure, agency, day):
        yield FieldError(
            "body.agency_code",
            "This agency does not receive this procedure; for another one, name it as competent_agency_code.",
            "Cơ quan này không tiếp nhận thủ tục.",
        )


def _party_problems(party: Party, who: str, today: date) -> Iterator[FieldError]:
    if (party.id_kind is None) != (party.id_number is None):
        yield FieldError(
            f"body.{who}.id_number",
            "Give id_kind and id_number together, or neither.",
            "Nhập cả loại và số giấy tờ, hoặc để trống cả hai.",
        )
    elif party.id_kind and party.id_number is not None:
        try:
            _check_number(party.id_kind, party.id_number, today)
        except IdentifierError as problem:
            yield FieldError(f"body.{who}.id_number", str(problem), problem.message_vi)


def _contact_problems(applicant: Party) -> Iterator[FieldError]:
    """Yield what is missing to reach the applicant; the national portal refuses a dossier without either."""
    if not applicant.phone and not applicant.email:
        yield FieldError(
            "body.applicant.phone",
            "Give a phone number or an e-mail address to reach the applicant by.",
            "Cần số điện thoại hoặc thư điện tử để liên hệ người nộp.",
        )


def _check_number(kind: IdKind, number: str, today: date) -> None:
    if kind is IdKind.MST:
        check_tax_code(number)
    elif parse_citizen_id(number, today=today).kind != kind:
        raise IdentifierError(f"This is no {kind.upper()} number: check id_kind.")
