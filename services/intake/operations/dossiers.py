"""Dossiers: submitted, accepted, rejected, struck off."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.intake import queries
from services.intake.errors import CalendarEnds
from services.intake.models import Dossier, RuleEntry
from services.intake.operations.codes import issue_code, new_tracking_code
from services.intake.operations.documents import HandedIn, hand_in
from services.intake.operations.notices import Notice, notices_of, owner_key, why_not_wholly_online
from services.intake.operations.reuse import answered_claims
from services.intake.operations.submission import Submission, Terms, check_submission, late_problems
from services.intake.states import DOSSIER, DossierStatus
from shared.errors import FieldError, InvalidRequest
from shared.events.intake import DossierAccepted, DossierRejected, DossierRetracted, DossierSubmitted
from shared.events.values import Channel, Duration, FeeItem, Party, ServiceLevel
from shared.work import Work
from shared.worktime import OutsideCalendarError, WorkingCalendar


@dataclass(frozen=True, slots=True)
class Submitted:
    """A dossier that was handed in, and what its submitter should know about it."""

    dossier: Dossier
    notices: Sequence[Notice] = ()
    new: bool = True
    """False when it had been handed in before under the same reference."""


async def submit_dossier(
    work: Work, *, catalogue: queries.Catalogue, submission: Submission, rules: Sequence[RuleEntry] = ()
) -> Submitted:
    """Take in what an applicant hands in and give it its code; `rules` are those to warn by.

    Everything is checked before the database is asked for anything. Emits intake.dossier.submitted.v1.
    Raises InvalidRequest naming every field that is wrong, DocumentNotUsable.
    """
    terms = check_submission(catalogue, submission, caller=work.caller, now=work.now)
    code = await issue_code(work, agency=terms.agency.code, day=terms.day)
    notices = await notices_of(work, submission=submission, terms=terms, rules=rules, code=code)
    dossier = _dossier(code, work, submission, terms)
    work.session.add(dossier)
    given = await hand_in(
        work,
        dossier_code=code,
        papers=submission.papers,
        owner=submission.owner or submission.applicant,
        names=terms.procedure.component_names,
    )
    field_name = catalogue.fields[terms.procedure.field]
    work.move(dossier, DOSSIER, "submit", _submitted(submission, terms, given, field_name))
    return Submitted(dossier, notices)


async def submit_once(
    work: Work,
    *,
    catalogue: queries.Catalogue,
    submission: Submission,
    reference: str,
    rules: Sequence[RuleEntry] = (),
) -> Submitted:
    """Take in what another system hands in under its reference.

    The same reference gives the same dossier, whatever else is sent with it. Raises as submit_dossier does.
    """
    known = await queries.find_dossier_of_origin(
        work.session, origin=submission.origin, reference=reference, caller=work.caller
    )
    if known is not None:
        return Submitted(known, new=False)
    return await submit_dossier(work, catalogue=catalogue, submission=submission, rules=rules)


async def accept_dossier(
    work: Work,
    *,
    code: str,
    accepted_by: str,
    accepted_at: datetime | None = None,
    late_reason: str | None = None,
    note: str | None = None,
    revisions: Collection[int] | None = None,
) -> Dossier:
    """Accept a dossier as valid: the clock starts and the due date is set.

    accepted_at is given when the acceptance is entered after the fact, late_reason when that is on a later day.
    Emits intake.dossier.accepted.v1, caused by the last answer about an earlier result that stands for a paper.
    Raises DossierNotFound, ChangedMeanwhile, IllegalMove, InvalidRequest (a time before the submission or in the
    future), ReuseOpen, CalendarEnds.
    """
    dossier = await queries.lock_dossier(work.session, code, caller=work.caller, revisions=revisions)
    at = checked_time(accepted_at, "accepted_at", after=dossier.submitted_at, now=work.now, late_reason=late_reason)
    DOSSIER.edge(DossierStatus(dossier.status), "accept")
    cause = await answered_claims(work, dossier) if dossier.claims_reuse else None
    dossier.acceptance_entered_at, dossier.acceptance_late_reason = work.now, late_reason
    dossier.accepted_at, dossier.accepted_by, dossier.acceptance_note = at, accepted_by, note
    dossier.late_entry = accepted_at is not None
    decides = dossier.competent_agency_code or dossier.agency_code
    dossier.calendar_code, calendar = await queries.find_calendar_of(work.session, decides)
    dossier.due_at, dossier.calendar_version = _due(dossier, at, calendar), calendar.version
    dossier.revision += 1
    return work.move(dossier, DOSSIER, "accept", _accepted(dossier, at, accepted_by), cause=cause)


async def reject_dossier(
    work: Work, *, code: str, reason: str, legal_basis: str, rejected_by: str, revisions: Collection[int] | None = None
) -> Dossier:
    """Refuse a dossier in writing, with the reason (form 03).

    Emits intake.dossier.rejected.v1. Raises DossierNotFound, ChangedMeanwhile, IllegalMove.
    """
    dossier = await queries.lock_dossier(work.session, code, caller=work.caller, revisions=revisions)
    dossier.rejected_at, dossier.rejected_by = work.now, rejected_by
    dossier.rejection_reason, dossier.rejection_legal_basis = reason, legal_basis
    dossier.revision += 1
    rejected = DossierRejected(reason=reason, legal_basis=legal_basis, rejected_at=work.now, rejected_by=rejected_by)
    return work.move(dossier, DOSSIER, "reject", rejected)


async def retract_dossier(
    work: Work, *, code: str, reason: str, retracted_by: str, revisions: Collection[int] | None = None
) -> Dossier:
    """Strike off a dossier that was entered by mistake; its code is not given again.

    Emits intake.dossier.retracted.v1. Raises DossierNotFound, ChangedMeanwhile, IllegalMove (after its acceptance).
    """
    dossier = await queries.lock_dossier(work.session, code, caller=work.caller, revisions=revisions)
    dossier.retracted_at, dossier.retracted_by, dossier.retraction_reason = work.now, retracted_by, reason
    dossier.revision += 1
    retracted = DossierRetracted(reason=reason, retracted_at=work.now, retracted_by=retracted_by)
    return work.move(dossier, DOSSIER, "retract", retracted)


def checked_time(
    given: datetime | None, name: str, *, after: datetime, now: datetime, late_reason: str | None = None
) -> datetime:
    """Return when something happened that may be entered late: `given`, or now.

    Raises InvalidRequest, also when it is entered on a later day without a reason.
    """
    if given is None:
        return now
    if given > now:
        problem = FieldError(f"body.{name}", "This lies in the future.", "Thời điểm nằm trong tương lai.")
        raise InvalidRequest(errors=[problem])
    if given < after:
        problem = FieldError(
            f"body.{name}", f"This lies before {after:%Y-%m-%dT%H:%M:%SZ}.", "Thời điểm sớm hơn việc trước đó."
        )
        raise InvalidRequest(errors=[problem])
    if problems := list(late_problems(given, late_reason, now)):
        raise InvalidRequest(errors=problems)
    return given


def _dossier(code: str, work: Work, submission: Submission, terms: Terms) -> Dossier:
    procedure = terms.procedure
    applicant = submission.applicant.model_dump(mode="json")
    reasons = why_not_wholly_online(submission, procedure)
    term = procedure.term(submission.channel)
    return Dossier(
        code=code,
        tracking_code=new_tracking_code(),
        revision=1,
        procedure_code=procedure.code,
        procedure_version=procedure.version,
        procedure_name=procedure.name,
        agency_code=terms.agency.code,
        agency_name=terms.agency.name,
        competent_agency_code=terms.competent.code if terms.competent else None,
        channel=submission.channel,
        return_method=submission.return_method,
        applicant=applicant,
        owner=submission.owner.model_dump(mode="json") if submission.owner else applicant,
        owner_key=owner_key(submission.owner or submission.applicant),
        summary=submission.summary or procedure.name,
        case_code=submission.case_code,
        form_code=terms.form.code if terms.form else None,
        form_version=terms.form.version if terms.form else None,
        form_data=dict(submission.form_data) if terms.form and submission.form_data is not None else None,
        fees=[fee.model_dump(mode="json") for fee in procedure.fees_through(submission.channel)],
        duration=term.model_dump(mode="json") if term else None,
        same_day=procedure.same_day,
        handled_as=ServiceLevel.PARTIAL if reasons else ServiceLevel.FULL_ONLINE,
        handled_because=reasons,
        claims_reuse=any(paper.reuse for paper in submission.papers),
        submitted_at=terms.submitted_at,
        entered_at=work.now,
        late_reason=submission.late_reason,
        submitted_by=work.caller.client_id,
        origin=submission.origin,
        origin_reference=submission.origin_reference,
    )


def _submitted(submission: Submission, terms: Terms, given: HandedIn, field_name: str) -> DossierSubmitted:
    procedure = terms.procedure
    return DossierSubmitted(
        procedure_code=procedure.code,
        procedure_version=procedure.version,
        procedure_name=procedure.name,
        field_code=procedure.field,
        field_name=field_name,
        agency_code=terms.agency.code,
        agency_name=terms.agency.name,
        competent_agency_code=terms.competent.code if terms.competent else None,
        channel=submission.channel,
        service_level=procedure.service_level,
        applicant=submission.applicant,
        owner=submission.owner or submission.applicant,
        summary=submission.summary or procedure.name,
        submitted_at=terms.submitted_at,
        late_entry=submission.origin == "province" and submission.submitted_at is not None,
        late_reason=submission.late_reason,
        origin=submission.origin,
        origin_reference=submission.origin_reference,
        return_method=submission.return_method,
        documents=given.documents,
        reuse=given.claims,
        fees=procedure.fees_through(submission.channel),
    )


def _accepted(dossier: Dossier, accepted_at: datetime, accepted_by: str) -> DossierAccepted:
    return DossierAccepted(
        procedure_code=dossier.procedure_code,
        procedure_version=dossier.procedure_version,
        agency_code=dossier.agency_code,
        competent_agency_code=dossier.competent_agency_code,
        channel=Channel(dossier.channel),
        accepted_at=accepted_at,
        accepted_by=accepted_by,
        due_at=dossier.due_at,
        duration=Duration.model_validate(dossier.duration) if dossier.duration else None,
        calendar_code=dossier.calendar_code or queries.SHIPPED,
        calendar_version=dossier.calendar_version or "",
        same_day=dossier.same_day,
        late_entry=bool(dossier.late_entry),
        late_reason=dossier.acceptance_late_reason,
        applicant=Party.model_validate(dossier.applicant),
        owner=Party.model_validate(dossier.owner),
        fees=tuple(FeeItem.model_validate(fee) for fee in dossier.fees),
    )


def _due(dossier: Dossier, accepted_at: datetime, calendar: WorkingCalendar) -> datetime | None:
    """Return when the result is due, None where the law sets no term; raises CalendarEnds."""
    term = Duration.model_validate(dossier.duration) if dossier.duration else None
    amount, unit = (term.amount, term.unit.value) if term else (None, None)
    try:
        due_at = calendar.promised(accepted_at, amount, unit, same_day=dossier.same_day)
        return due_at.astimezone(UTC) if due_at else None
    except (OutsideCalendarError, OverflowError, ValueError) as problem:
        raise CalendarEnds(str(problem)) from problem
