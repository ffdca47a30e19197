"""The portal's catalogue beside ours: pulls, differences, and what people decide on them."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from gateway import queries
from gateway.operations.deciding import apply_diff, dismiss_diff
from gateway.operations.intake_catalogue import IntakeCatalogue, IntakeRefused
from gateway.operations.pulling import ask_pull
from gateway.routes.proxy import passed_back
from gateway.schemas import AppliedDiff, DiffOut, DiffPage, DismissBody, PullBody, PullOut
from gateway.upstream import Upstream
from shared.http import CallerDep, SessionDep, WorkDep, needs, problem_responses
from shared.http import router as make_router

PREFIX = "/api/v1/portal/catalogue"
WRITE = "catalogue:write"
Number = Annotated[int, Path(ge=1, lt=2**63)]


async def _reader(caller: CallerDep) -> None:
    caller.require("ops:read", WRITE)


READER = Depends(_reader)
router = make_router("portal", prefix=PREFIX)
deciding = APIRouter(prefix=PREFIX, tags=["portal"])


@router.post("/pulls", status_code=202, dependencies=[needs(WRITE)])
async def pull_catalogue(work: WorkDep, caller: CallerDep, body: PullBody) -> PullOut:
    """Ask for the portal's lists now; one that waits already is that pull. GET /pulls/{id} tells how it ended."""
    pull = await ask_pull(work.session, by=caller.client_id, accept_smaller=body.accept_smaller)
    return PullOut.model_validate(pull)


@router.get("/pulls", dependencies=[READER])
async def list_pulls(session: SessionDep, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> list[PullOut]:
    """List pulls, the newest first."""
    return [PullOut.model_validate(one) for one in await queries.list_pulls(session, limit)]


@router.get("/pulls/{pull_id}", dependencies=[READER])
async def get_pull(session: SessionDep, pull_id: UUID) -> PullOut:
    """Show one pull and how it ended."""
    return PullOut.model_validate(await queries.get_pull(session, pull_id))


@router.get("/diffs", dependencies=[READER])
async def list_diffs(
    session: SessionDep,
    *,
    state: Literal["open", "applied", "dismissed", "settled"] | None = None,
    kind: Literal["new", "changed", "ended"] | None = None,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> DiffPage:
    """List how the portal's catalogue differs from the province's, oldest first."""
    found = await queries.list_diffs(session, state=state, kind=kind, after=after, limit=limit + 1)
    items = [DiffOut.model_validate(one) for one in found[:limit]]
    return DiffPage(items=items, next_after=items[-1].id if len(found) > limit else None)


@router.get("/diffs/{diff_id}", dependencies=[READER])
async def get_diff(session: SessionDep, diff_id: Number) -> DiffOut:
    """Show one difference, field by field."""
    return DiffOut.model_validate(await queries.get_diff(session, diff_id))


@deciding.post(
    "/diffs/{diff_id}/apply",
    dependencies=[needs(WRITE)],
    response_model=AppliedDiff,
    responses=problem_responses(401, 403, 404, 409, 503, 504),
)
async def apply(
    request: Request, caller: CallerDep, diff_id: Number, *, dry_run: bool = False
) -> AppliedDiff | Response:
    """Bring a difference into the province's catalogue, or with dry_run say what that would do; nothing is deleted.

    Intake's own import does it, with your rights; the same call again is 409 `diff_decided`.
    """
    upstream: Upstream = request.app.state.upstream
    intake = IntakeCatalogue(upstream, lambda: request.headers["authorization"])
    try:
        diff, report = await apply_diff(
            request.app.state.database, intake, diff_id=diff_id, by=caller.client_id, dry_run=dry_run
        )
    except IntakeRefused as refusal:
        return passed_back(refusal.answer, upstream.urls["intake"])
    return AppliedDiff(diff=DiffOut.model_validate(diff), report=report)


@router.post("/diffs/{diff_id}/dismiss", dependencies=[needs(WRITE)])
async def dismiss(work: WorkDep, caller: CallerDep, diff_id: Number, body: DismissBody) -> DiffOut:
    """Leave the province's catalogue as it is, with the reason; the same difference does not come up again."""
    diff = await dismiss_diff(work.session, diff_id=diff_id, by=caller.client_id, note=body.note)
    return DiffOut.model_validate(diff)
