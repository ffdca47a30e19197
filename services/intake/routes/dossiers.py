"""Dossiers over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Header, Path, Query, Response

from services.intake import operations, queries
from services.intake.models import Dossier
from services.intake.queries import DossierFilter
from services.intake.routes.catalogue import CatalogueDep
from services.intake.routes.rules import RulesDep
from services.intake.routes.tags import revisions_of, tag_of
from services.intake.schemas.answers import (
    DossierPage,
    DossierState,
    DossierView,
    SubmittedView,
    dossier_line,
    dossier_state,
    dossier_view,
    submitted_view,
)
from services.intake.schemas.cursor import cursor_of, cursor_parts, unknown_cursor
from services.intake.schemas.requests import (
    AcceptBody,
    CloseBody,
    DossierBody,
    PortalDossierBody,
    RejectBody,
    RequestSupplementBody,
    RetractBody,
    SupplementBody,
    WithdrawBody,
)
from services.intake.states import DossierStatus
from shared import clock
from shared.bodies import EntityTag
from shared.http import CallerDep, SessionDep, WorkDep, grouped, needs, problem_responses, router
from shared.identifiers import AgencyCode, dossier_day
from shared.work import Work

LIST_MAX = 200
_CODE = r"^[0-9A-Za-z_.\-]{1,60}$"
_CHANGED = problem_responses(412)

dossiers = router("dossiers", prefix="/dossiers")
portal = router("portal")

CodePath = Annotated[str, Path(pattern=_CODE, examples=["H32.14-260407-0001"])]
IfMatch = Annotated[
    EntityTag | None,
    Header(description="ETag of the dossier as you read it; when it changed since, nothing is done (412)"),
]


@dossiers.post("", status_code=201, response_model=SubmittedView, dependencies=[needs("dossiers:submit")])
@grouped
async def submit_dossier(body: DossierBody, work: WorkDep, known: CatalogueDep, rules: RulesDep) -> Response:
    """Submit a dossier; the answer holds its code, and what its submitter should know."""
    submission = body.submission()
    return created(
        await operations.submit_dossier(work, catalogue=known, submission=submission, rules=rules), now=work.now
    )


@portal.post("/portal-submissions", status_code=201, response_model=SubmittedView, dependencies=[needs("portal")])
async def submit_portal_dossier(
    body: PortalDossierBody, work: WorkDep, known: CatalogueDep, rules: RulesDep
) -> Response:
    """Take in a dossier from another portal; the same origin_reference again gives the same dossier (200)."""
    submitted = await operations.submit_once(
        work, catalogue=known, submission=body.submission(), reference=body.origin_reference, rules=rules
    )
    return created(submitted, now=work.now)


def created(submitted: operations.Submitted, *, now: datetime) -> Response:
    """Return the answer to a submission: 201 for a new dossier, 200 for one that was there."""
    dossier = submitted.dossier
    headers = {"Location": f"/dossiers/{dossier.code}", "ETag": tag_of(dossier.revision)}
    body = submitted_view(submitted, now=now).model_dump_json()
    status = 201 if submitted.new else 200
    return Response(body, status_code=status, media_type="application/json", headers=headers)


@dossiers.get("", dependencies=[needs("dossiers:read")])
async def list_dossiers(
    session: SessionDep,
    caller: CallerDep,
    known: CatalogueDep,
    *,
    agency: Annotated[
        AgencyCode | None, Query(description="What this agency, those below it or those it took over have to do with")
    ] = None,
    status: DossierStatus | None = None,
    procedure: Annotated[str | None, Query(pattern=_CODE)] = None,
    supplement_overdue: Annotated[
        bool | None, Query(description="Those asked for papers that did not come in time, or not those")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> DossierPage:
    """List the dossiers you may see, latest submitted first."""
    now = clock.now()
    wanted = DossierFilter(
        agency=agency,
        predecessors=known.predecessors(agency, dossier_day(now)) if agency else (),
        status=status,
        procedure=procedure,
        supplement_overdue=supplement_overdue,
        now=now,
    )
    page = await queries.list_dossiers(session, wanted, caller=caller, limit=limit, after=_after(cursor))
    requests = await queries.list_open_supplements(session, [one.code for one in page.items])
    asked = {request.dossier_code: request for request in reversed(requests)}
    following = page.next_after
    return DossierPage(
        items=[dossier_line(one, asked.get(one.code), now=now) for one in page.items],
        next_cursor=cursor_of(following[0].isoformat(), following[1]) if following else None,
    )


def _after(cursor: str | None) -> tuple[datetime, str] | None:
    parts = cursor_parts(cursor, 2)
    if parts is None:
        return None
    try:
        return datetime.fromisoformat(parts[0]).astimezone(UTC), parts[1]
    except (ValueError, OverflowError) as problem:
        raise unknown_cursor() from problem


@dossiers.get(
    "/{code}",
    response_model=DossierView,
    responses={304: {"description": "It is as you have it"}},
    dependencies=[needs("dossiers:read")],
)
async def get_dossier(
    session: SessionDep, caller: CallerDep, code: CodePath, if_none_match: Annotated[EntityTag | None, Header()] = None
) -> Response:
    """Read a whole dossier, with what can be done now; its ETag goes into If-Match of a decision."""
    dossier = await queries.get_dossier(session, code, caller=caller)
    headers = {"ETag": tag_of(dossier.revision), "Cache-Control": "private, no-cache"}
    if if_none_match and dossier.revision in (revisions_of(if_none_match) or ()):
        return Response(status_code=304, headers=headers)
    documents = await queries.list_documents(session, code)
    view = dossier_view(dossier, documents, await queries.list_supplements(session, code), now=clock.now())
    return Response(view.model_dump_json(), media_type="application/json", headers=headers)


@dossiers.post("/{code}/accept", dependencies=[needs("dossiers:decide")], responses=_CHANGED)
async def accept_dossier(
    work: WorkDep, code: CodePath, body: AcceptBody, response: Response, if_match: IfMatch = None
) -> DossierState:
    """Accept a dossier as valid: its clock starts, and it has a due date."""
    dossier = await operations.accept_dossier(
        work,
        code=code,
        accepted_by=body.accepted_by,
        accepted_at=body.accepted_at,
        late_reason=body.late_reason,
        note=body.note,
        revisions=revisions_of(if_match),
    )
    return await _state(work, dossier, response)


@dossiers.post("/{code}/reject", dependencies=[needs("dossiers:decide")], responses=_CHANGED)
async def reject_dossier(
    work: WorkDep, code: CodePath, body: RejectBody, response: Response, if_match: IfMatch = None
) -> DossierState:
    """Refuse a dossier in writing, with the reason."""
    dossier = await operations.reject_dossier(
        work,
        code=code,
        reason=body.reason,
        legal_basis=body.legal_basis,
        rejected_by=body.rejected_by,
        revisions=revisions_of(if_match),
    )
    return await _state(work, dossier, response)


@dossiers.post("/{code}/retract", dependencies=[needs("dossiers:decide")], responses=_CHANGED)
async def retract_dossier(
    work: WorkDep, code: CodePath, body: RetractBody, response: Response, if_match: IfMatch = None
) -> DossierState:
    """Strike off a dossier that was entered by mistake, before its acceptance; whoever keeps a copy is told."""
    dossier = await operations.retract_dossier(
        work, code=code, reason=body.reason, retracted_by=body.retracted_by, revisions=revisions_of(if_match)
    )
    return await _state(work, dossier, response)


@dossiers.post("/{code}/request-supplement", dependencies=[needs("dossiers:decide")], responses=_CHANGED)
async def request_supplement(
    work: WorkDep, code: CodePath, body: RequestSupplementBody, response: Response, if_match: IfMatch = None
) -> DossierState:
    """Ask the applicant for more or better papers before the acceptance."""
    dossier = await operations.request_supplement(
        work,
        code=code,
        content=body.content,
        requested_by=body.requested_by,
        respond_within_days=body.respond_within_days,
        revisions=revisions_of(if_match),
    )
    return await _state(work, dossier, response)


@dossiers.post("/{code}/supplement", dependencies=[needs("dossiers:submit")], responses=_CHANGED)
async def provide_supplement(
    work: WorkDep, code: CodePath, body: SupplementBody, response: Response, if_match: IfMatch = None
) -> DossierState:
    """Answer the open request, made before the acceptance or while the case runs."""
    dossier = await operations.provide_supplement(
        work,
        code=code,
        papers=[document.paper_given() for document in body.documents],
        answered_at=body.answered_at,
        late_reason=body.late_reason,
        received_by=body.received_by,
        revisions=revisions_of(if_match),
    )
    return await _state(work, dossier, response)


@dossiers.post("/{code}/close", dependencies=[needs("dossiers:decide")], responses=_CHANGED)
async def close_dossier(
    work: WorkDep, code: CodePath, body: CloseBody, response: Response, if_match: IfMatch = None
) -> DossierState:
    """Give back a dossier whose applicant did not answer in time; `supplement_overdue=true` lists them."""
    dossier = await operations.close_unanswered(
        work,
        code=code,
        reason=body.reason,
        legal_basis=body.legal_basis,
        closed_by=body.closed_by,
        revisions=revisions_of(if_match),
    )
    return await _state(work, dossier, response)


@dossiers.post(
    "/{code}/withdraw",
    dependencies=[needs("dossiers:submit")],
    responses=_CHANGED | {202: {"description": "Accepted already: workflow decides", "model": DossierState}},
)
async def withdraw_dossier(
    work: WorkDep, code: CodePath, body: WithdrawBody, response: Response, if_match: IfMatch = None
) -> DossierState:
    """Give a dossier back (200), or ask for that when it is accepted already (202)."""
    dossier = await operations.withdraw_dossier(work, code=code, reason=body.reason, revisions=revisions_of(if_match))
    if dossier.status == DossierStatus.ACCEPTED:
        response.status_code = 202
    return await _state(work, dossier, response)


async def _state(work: Work, dossier: Dossier, response: Response) -> DossierState:
    response.headers["ETag"] = tag_of(dossier.revision)
    await work.session.flush()
    return dossier_state(dossier, await queries.find_open_supplement(work.session, dossier.code), now=work.now)
