"""Drafts over HTTP: saved by the system that a citizen fills them in at, and seen by that one alone."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from services.intake import operations, queries
from services.intake.errors import DraftSubmitted
from services.intake.models import Draft
from services.intake.queries import Catalogue
from services.intake.routes.catalogue import CatalogueDep
from services.intake.routes.dossiers import created
from services.intake.routes.rules import RulesDep
from services.intake.routes.tags import revisions_of, tag_of
from services.intake.schemas.answers import SubmittedView
from services.intake.schemas.cursor import cursor_of, cursor_parts, unknown_cursor
from services.intake.schemas.drafts import (
    DraftBody,
    DraftLine,
    DraftPage,
    DraftProblem,
    DraftView,
    SavedDraftBody,
    draft_view,
)
from services.intake.schemas.requests import DossierBody
from shared import clock
from shared.bodies import EntityTag
from shared.caller import Caller
from shared.errors import InvalidRequest
from shared.http import CallerDep, SessionDep, WorkDep, needs, problem_responses, router
from shared.problems import from_validation

SUBMIT = "dossiers:submit"
LIST_MAX = 200
_CHANGED = problem_responses(412)

drafts = router("drafts", prefix="/drafts")

IfMatch = Annotated[
    EntityTag | None, Header(description="ETag of the draft as you read it; when it changed since, 412")
]


@drafts.post("", status_code=201, dependencies=[needs(SUBMIT)])
async def start_draft(
    request: Request, work: WorkDep, body: DraftBody, known: CatalogueDep, response: Response
) -> DraftView:
    """Save what is filled in so far; the answer says what is missing or wrong yet."""
    draft = await operations.start_draft(work, body=body.dossier, reference=body.reference, keep=_keep(request))
    response.headers["Location"] = f"/drafts/{draft.id}"
    return _shown(draft, known, work.caller, response)


@drafts.get("", dependencies=[needs(SUBMIT)])
async def list_drafts(
    session: SessionDep,
    caller: CallerDep,
    reference: Annotated[str | None, Query(max_length=60)] = None,
    limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> DraftPage:
    """List the drafts that your system saved, latest begun first; no personal data."""
    after = _after(cursor)
    found = await queries.list_drafts(
        session, caller=caller, now=clock.now(), reference=reference, after=after, limit=limit + 1
    )
    following = cursor_of(str(found[limit - 1].id)) if len(found) > limit else None
    return DraftPage(items=[DraftLine.model_validate(one) for one in found[:limit]], next_cursor=following)


def _after(cursor: str | None) -> UUID | None:
    parts = cursor_parts(cursor, 1)
    try:
        return UUID(parts[0]) if parts else None
    except ValueError as problem:
        raise unknown_cursor() from problem


@drafts.get("/{draft_id}", dependencies=[needs(SUBMIT)])
async def get_draft(
    session: SessionDep, caller: CallerDep, draft_id: UUID, known: CatalogueDep, response: Response
) -> DraftView:
    """Take a draft up again, with what submitting it would be refused for now."""
    draft = await queries.get_draft(session, draft_id, caller=caller, now=clock.now())
    response.headers["Cache-Control"] = "private, no-cache"
    return _shown(draft, known, caller, response)


@drafts.put("/{draft_id}", dependencies=[needs(SUBMIT)], responses=_CHANGED)
async def save_draft(
    request: Request,
    work: WorkDep,
    draft_id: UUID,
    body: SavedDraftBody,
    known: CatalogueDep,
    response: Response,
    if_match: IfMatch = None,
) -> DraftView:
    """Save a draft anew, whole; its time begins again."""
    draft = await operations.save_draft(
        work, draft_id=draft_id, body=body.dossier, keep=_keep(request), revisions=revisions_of(if_match)
    )
    return _shown(draft, known, work.caller, response)


@drafts.delete("/{draft_id}", status_code=204, dependencies=[needs(SUBMIT)])
async def delete_draft(work: WorkDep, draft_id: UUID) -> Response:
    """Delete a draft for good."""
    await operations.delete_draft(work, draft_id=draft_id)
    return Response(status_code=204)


@drafts.post(
    "/{draft_id}/submit",
    status_code=201,
    response_model=SubmittedView,
    dependencies=[needs(SUBMIT)],
    responses=_CHANGED,
)
async def submit_draft(
    work: WorkDep, draft_id: UUID, known: CatalogueDep, rules: RulesDep, if_match: IfMatch = None
) -> Response:
    """Submit a draft as it stands: the answer is the dossier's, the draft keeps nothing but its code."""
    draft = await queries.lock_draft(
        work.session, draft_id, caller=work.caller, now=work.now, revisions=revisions_of(if_match)
    )
    if draft.dossier_code is not None:
        raise DraftSubmitted(dossier_code=draft.dossier_code)
    try:
        submission = DossierBody.model_validate(draft.body).submission()
    except ValidationError as problem:
        raise RequestValidationError(_located(problem)) from problem
    submitted = await operations.submit_draft(work, draft=draft, catalogue=known, submission=submission, rules=rules)
    return created(submitted, now=work.now)


def _shown(draft: Draft, known: Catalogue, caller: Caller, response: Response) -> DraftView:
    response.headers["ETag"] = tag_of(draft.revision)
    return draft_view(draft, [] if draft.dossier_code else _problems(draft, known, caller))


def _problems(draft: Draft, known: Catalogue, caller: Caller) -> list[DraftProblem]:
    try:
        submission = DossierBody.model_validate(draft.body).submission()
        operations.check_submission(known, submission, caller=caller, now=clock.now())
    except ValidationError as problem:
        refusal = from_validation(_located(problem))
    except InvalidRequest as problem:
        refusal = problem
    else:
        return []
    return [DraftProblem.model_validate(error) for error in refusal.errors]


def _located(problem: ValidationError) -> list[dict[str, object]]:
    found = problem.errors(include_url=False, include_context=False, include_input=False)
    return [{**error, "loc": ("body", *error["loc"])} for error in found]


def _keep(request: Request) -> timedelta:
    return timedelta(days=request.app.state.settings.draft_days)
