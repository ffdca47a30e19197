"""Supplements: asked for by the agency, before acceptance or while the case runs, and given by the applicant."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from services.intake import queries
from services.intake.errors import CalendarEnds, NothingAsked, SupplementNotOverdue
from services.intake.models import Dossier, SupplementRequest
from services.intake.operations.documents import hand_in
from services.intake.operations.dossiers import checked_time
from services.intake.operations.papers import Paper, each_paper_problems, replacement_problems
from services.intake.states import DOSSIER, DossierStatus
from shared.errors import CauseMissing, InvalidRequest
from shared.events.intake import DossierRejected, DossierSupplemented, DossierSupplementRequested, SupplementProvided
from shared.events.values import Party
from shared.ids import new_id
from shared.work import Work
from shared.worktime import OutsideCalendarError, WorkingCalendar


async def request_supplement(
    work: Work,
    *,
    code: str,
    content: str,
    requested_by: str,
    respond_within_days: int,
    revisions: Collection[int] | None = None,
) -> Dossier:
    """Ask the applicant for more or better papers before acceptance (form 02).

    The answer is due at the end of work on the day so many calendar days later, or on the next working day.
    Emits intake.dossier.supplement_requested.v1.
    Raises DossierNotFound, ChangedMeanwhile, IllegalMove, CalendarEnds.
    """
    dossier = await queries.lock_dossier(work.session, code, caller=work.caller, revisions=revisions)
    _, calendar = await queries.find_calendar_of(work.session, dossier.competent_agency_code or dossier.agency_code)
    request = SupplementRequest(
        id=new_id(),
        dossier_code=code,
        content=content,
        requested_by=requested_by,
        requested_at=work.now,
        respond_by=_respond_by(work.now, respond_within_days, calendar),
    )
    work.session.add(request)
    dossier.revision += 1
    requested = DossierSupplementRequested(
        supplement_id=request.id,
        content=content,
        requested_at=request.requested_at,
        requested_by=requested_by,
        respond_by=request.respond_by,
    )
    return work.move(dossier, DOSSIER, "request_supplement", requested)


def _respond_by(now: datetime, days: int, calendar: WorkingCalendar) -> datetime:
    try:
        return calendar.due(now, days, "day").astimezone(UTC)
    except (OutsideCalendarError, OverflowError) as problem:
        raise CalendarEnds(str(problem)) from problem


async def record_request(
    work: Work,
    *,
    code: str,
    supplement_id: UUID,
    content: str,
    requested_by: str,
    requested_at: datetime,
    respond_by: datetime,
    cause: UUID,
) -> SupplementRequest:
    """Remember that workflow asked for a supplement to a running case. Raises CauseMissing for an unknown dossier."""
    dossier = await work.session.get(Dossier, code)
    if dossier is None:
        raise CauseMissing("the dossier is not here yet")
    request = SupplementRequest(
        id=supplement_id,
        dossier_code=code,
        cause=cause,
        content=content,
        requested_by=requested_by,
        requested_at=requested_at,
        respond_by=respond_by,
    )
    work.session.add(request)
    dossier.revision += 1
    return request


async def provide_supplement(
    work: Work,
    *,
    code: str,
    papers: Sequence[Paper],
    answered_at: datetime | None = None,
    late_reason: str | None = None,
    received_by: str | None = None,
    revisions: Collection[int] | None = None,
) -> Dossier:
    """Take the applicant's answer to the oldest request that is open.

    answered_at is given when the answer is entered after the fact, late_reason when that is on a later day;
    received_by is who took the papers, where somebody did.
    Emits intake.dossier.supplemented.v1, or intake.supplement.provided.v1 when workflow asked.
    Raises DossierNotFound, ChangedMeanwhile, IllegalMove, NothingAsked, DocumentNotUsable, InvalidRequest.
    """
    if errors := list(each_paper_problems(papers, work.now)):
        raise InvalidRequest(errors=errors)
    dossier = await queries.lock_dossier(work.session, code, caller=work.caller, revisions=revisions)
    DOSSIER.edge(DossierStatus(dossier.status), "supplement")
    request = await queries.find_open_supplement(work.session, code)
    if request is None:
        raise NothingAsked
    if any(paper.replaces for paper in papers):
        handed_in = {document.id for document in await queries.list_documents(work.session, code)}
        if errors := list(replacement_problems(papers, handed_in)):
            raise InvalidRequest(errors=errors)
    at = checked_time(answered_at, "answered_at", after=request.requested_at, now=work.now, late_reason=late_reason)
    request.answered_at = at
    given = await hand_in(work, dossier_code=code, papers=papers, owner=Party.model_validate(dossier.owner))
    dossier.claims_reuse = dossier.claims_reuse or bool(given.claims)
    dossier.revision += 1
    if request.cause is None:
        answer = DossierSupplemented(
            supplement_id=request.id,
            answered_at=at,
            received_by=received_by,
            documents=given.documents,
            reuse=given.claims,
        )
        return work.move(dossier, DOSSIER, "supplement", answer)
    provided = SupplementProvided(
        supplement_id=request.id,
        answered_at=at,
        received_by=received_by,
        documents=given.documents,
        reuse=given.claims,
    )
    return work.move(dossier, DOSSIER, "supplement", provided, cause=request.cause)


async def close_unanswered(
    work: Work, *, code: str, reason: str, legal_basis: str, closed_by: str, revisions: Collection[int] | None = None
) -> Dossier:
    """Give a dossier back whose applicant did not answer in time; an official decides it, no clock does.

    Emits intake.dossier.rejected.v1. Raises DossierNotFound, ChangedMeanwhile, IllegalMove, SupplementNotOverdue.
    """
    dossier = await queries.lock_dossier(work.session, code, caller=work.caller, revisions=revisions)
    DOSSIER.edge(DossierStatus(dossier.status), "close")
    request = await queries.find_open_supplement(work.session, code)
    if request is None or request.respond_by >= work.now:
        respond_by = request.respond_by.isoformat() if request else None
        raise SupplementNotOverdue("Wait until respond_by has passed.", respond_by=respond_by)
    dossier.rejected_at, dossier.rejected_by = work.now, closed_by
    dossier.rejection_reason, dossier.rejection_legal_basis = reason, legal_basis
    dossier.revision += 1
    rejected = DossierRejected(reason=reason, legal_basis=legal_basis, rejected_at=work.now, rejected_by=closed_by)
    return work.move(dossier, DOSSIER, "close", rejected)
