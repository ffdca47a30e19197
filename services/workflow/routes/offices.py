"""HTTP in: who stands in for whom, who works where, what other agencies are asked, what people were told."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from services.workflow import queries
from services.workflow.operations import consultations as consultation_verbs
from services.workflow.operations import delegations as delegation_verbs
from services.workflow.operations import rights
from services.workflow.queries import accounts, worklists
from services.workflow.queries import consultations as asked
from services.workflow.routes.parameters import READ, WORK, Cursor, DossierCode, Limit, Username, Word
from services.workflow.schemas.offices import (
    AnswerRequest,
    AssignmentView,
    ConsultationList,
    ConsultationPage,
    ConsultationView,
    ConsultRequest,
    DelegateRequest,
    DelegationList,
    DelegationView,
    EndDelegationRequest,
    NoticePage,
    NoticeView,
    OfficialDetail,
    OfficialPage,
    OfficialView,
    WaiveRequest,
)
from shared import clock
from shared.bodies import Moment
from shared.http import CallerDep, SessionDep, WorkDep, router

delegations = router("delegations", prefix="/delegations")
officials = router("officials", prefix="/officials")
consultations = router("consultations")
notices = router("notices", prefix="/notices")


@delegations.post("", dependencies=[WORK], status_code=201)
async def delegate(work: WorkDep, body: DelegateRequest) -> DelegationView:
    """Let an official or a unit do another official's tasks for some time."""
    return DelegationView.model_validate(await delegation_verbs.delegate(work, **body.model_dump()))


@delegations.get("", dependencies=[READ])
async def list_delegations(
    session: SessionDep,
    caller: CallerDep,
    official: Word = None,
    at: Moment | None = None,
    limit: Limit = 50,
) -> DelegationList:
    """List delegations from or to an official, the newest first; with `at` those that hold at that moment."""
    found = await accounts.list_delegations(session, caller=caller, official=official, at=at, limit=limit)
    return DelegationList(items=[DelegationView.model_validate(one) for one in found])


@delegations.post("/{delegation_id}/end", dependencies=[WORK])
async def end_delegation(work: WorkDep, delegation_id: UUID, body: EndDelegationRequest) -> DelegationView:
    """End a delegation now; what was done under it stands."""
    ended = await delegation_verbs.end_delegation(
        work, delegation_id=delegation_id, ended_by=body.ended_by, reason=body.reason
    )
    return DelegationView.model_validate(ended)


@officials.get("", dependencies=[READ])
async def list_officials(
    session: SessionDep,
    caller: CallerDep,
    *,
    agency: Word = None,
    unit: Word = None,
    limit: Limit = 50,
    cursor: Annotated[str, Query(max_length=200, description="next_cursor of the part before")] = "",
) -> OfficialPage:
    """List the active officials of an agency, or of one of its units as they are today."""
    day = rights.today(clock.now())
    found = await accounts.list_officials(
        session, caller=caller, agency=agency, unit=unit, day=day, after=cursor, limit=limit + 1
    )
    items = [OfficialView.model_validate(one) for one in found[:limit]]
    return OfficialPage(items=items, next_cursor=items[-1].username if len(found) > limit else None)


@officials.get("/{username}", dependencies=[READ])
async def get_official(session: SessionDep, caller: CallerDep, username: Username) -> OfficialDetail:
    """Show an official with all that they hold and held."""
    found = await accounts.get_official(session, username, caller=caller)
    held = [AssignmentView.model_validate(one) for one in found.assignments]
    return OfficialDetail(**OfficialView.model_validate(found.account).model_dump(), assignments=held)


@consultations.post("/tasks/{task_id}/consult", dependencies=[WORK], status_code=201)
async def consult(work: WorkDep, task_id: UUID, body: ConsultRequest) -> ConsultationList:
    """Ask other agencies side by side; the task is not completed before each has answered or is waived."""
    made = await consultation_verbs.consult(
        work,
        task_id=task_id,
        agencies=body.agencies,
        question=body.question,
        documents=[document.model_dump(mode="json") for document in body.documents],
        respond_by=body.respond_by,
        official=body.official,
    )
    return ConsultationList(items=[ConsultationView.model_validate(one) for one in made])


@consultations.get("/cases/{dossier_code}/consultations", dependencies=[READ])
async def list_of_case(session: SessionDep, caller: CallerDep, dossier_code: DossierCode) -> ConsultationList:
    """List what other agencies were asked about a case."""
    await queries.get_case(session, dossier_code, caller=caller)
    found = await asked.list_of_case(session, dossier_code)
    return ConsultationList(items=[ConsultationView.model_validate(one) for one in found])


@consultations.get("/consultations", dependencies=[READ])
async def list_awaited(
    session: SessionDep,
    caller: CallerDep,
    *,
    agency: Word = None,
    late: bool | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ConsultationPage:
    """List the questions that await an answer of your agency, the nearest deadline first."""
    page = queries.Page(limit=limit, cursor=cursor)
    items, next_cursor = await asked.list_awaited(session, caller=caller, agency=agency, late=late, page=page)
    return ConsultationPage(items=[ConsultationView.model_validate(one) for one in items], next_cursor=next_cursor)


@consultations.get("/consultations/{consultation_id}", dependencies=[READ])
async def get_consultation(session: SessionDep, caller: CallerDep, consultation_id: UUID) -> ConsultationView:
    """Show a question to the agency that asked or was asked."""
    found = await asked.get_consultation(session, consultation_id, caller=caller)
    return ConsultationView.model_validate(found)


@consultations.post("/consultations/{consultation_id}/answer", dependencies=[WORK])
async def answer(work: WorkDep, consultation_id: UUID, body: AnswerRequest) -> ConsultationView:
    """Answer as the agency that was asked; also late."""
    answered = await consultation_verbs.answer(
        work, consultation_id=consultation_id, opinion=body.opinion, text=body.text, official=body.official
    )
    return ConsultationView.model_validate(answered)


@consultations.post("/consultations/{consultation_id}/waive", dependencies=[WORK])
async def waive(work: WorkDep, consultation_id: UUID, body: WaiveRequest) -> ConsultationView:
    """Go on without an answer, for a reason that is kept."""
    waived = await consultation_verbs.waive(
        work, consultation_id=consultation_id, official=body.official, reason=body.reason
    )
    return ConsultationView.model_validate(waived)


@notices.get("", dependencies=[READ])
async def list_notices(
    session: SessionDep,
    caller: CallerDep,
    *,
    agency: Word = None,
    unit: Word = None,
    official: Word = None,
    addressee: Word = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> NoticePage:
    """List what was told about nearing and missed dates, the oldest first; each date is told of once a level."""
    page = queries.Page(limit=limit, cursor=cursor)
    items, next_cursor = await worklists.list_notices(
        session, caller=caller, agency=agency, unit=unit, official=official, addressee=addressee, page=page
    )
    return NoticePage(items=[NoticeView.model_validate(one) for one in items], next_cursor=next_cursor)
