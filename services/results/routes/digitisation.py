"""HTTP in: the plans to digitise the backlog, where they stand, and the scans."""

import base64
import re
from collections import Counter
from datetime import date
from typing import Annotated
from urllib.parse import quote, unquote
from uuid import UUID

from fastapi import Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.results import operations, queries, schemas
from services.results.errors import PlanChanged
from services.results.models import DigitisationPlan
from services.results.queries import PlanState
from services.results.schemas import digitisation as given
from services.results.storage import EXTENSIONS, Archive
from shared import clock
from shared.bodies import EntityTag
from shared.errors import FieldError, InvalidRequest
from shared.http import CallerDep, SessionDep, WorkDep, needs, problem_responses, router
from shared.identifiers import AgencyCode
from shared.work import open_work

READ, WRITE = "results:read", "results:write"
_URGENCY = (PlanState.OVERDUE, PlanState.STALLED, PlanState.LATE, PlanState.ON_TRACK, PlanState.DONE)
_REPORTED_MAX = 1000
_VERSION = re.compile(r'"([0-9]{1,9})"')

digitisation = router("digitisation", prefix="/digitisation")


@digitisation.put("/plans/{agency_code}", dependencies=[needs(WRITE)], responses=problem_responses(412))
async def set_plan(
    work: WorkDep,
    response: Response,
    agency_code: AgencyCode,
    body: given.SetPlan,
    if_match: Annotated[EntityTag | None, Header()] = None,
) -> given.PlanOut:
    """Set an agency's plan, or change the version that If-Match names; the deadline follows from the volume."""
    plan = await operations.set_plan(work, agency_code=agency_code, if_version=_version(if_match), **body.model_dump())
    response.headers["ETag"] = _etag(plan)
    return given.PlanOut.model_validate(plan)


@digitisation.get("/plans", dependencies=[needs(READ)])
async def list_plans(
    session: SessionDep, caller: CallerDep, query: Annotated[given.ListPlans, Query()]
) -> given.PlanPage:
    """List the plans of the caller's agency and those below it, each with where it stands."""
    as_of = _as_of(query)
    found = await queries.list_plans(session, caller, after=_after(query.cursor), limit=query.limit)
    done = await queries.get_done(session, as_of=as_of)
    items = [_standing(plan, done.get(plan.agency_code, queries.Done()), as_of) for plan in found]
    following = _cursor(found[-1].agency_code) if len(found) == query.limit else None
    return given.PlanPage(definition=queries.DEFINITION, items=items, next_cursor=following)


@digitisation.get("/plans/{agency_code}", dependencies=[needs(READ)])
async def get_plan(
    session: SessionDep,
    caller: CallerDep,
    response: Response,
    agency_code: AgencyCode,
    query: Annotated[given.AsOf, Query()],
) -> given.PlanProgress:
    """Tell where an agency's plan stands, and when it will be done at the present rate."""
    plan = await queries.get_plan(session, caller, agency_code=agency_code)
    as_of = _as_of(query)
    done = await queries.get_done(session, as_of=as_of)
    response.headers["ETag"] = _etag(plan)
    return _standing(plan, done.get(agency_code, queries.Done()), as_of)


@digitisation.get("/plans/{agency_code}/burn-down", dependencies=[needs(READ)])
async def burn_down(
    session: SessionDep, caller: CallerDep, agency_code: AgencyCode, query: Annotated[given.BurnDown, Query()]
) -> given.BurnDownOut:
    """Tell how the backlog shrank, beside the straight line to the deadline; at most the newest 400 points."""
    plan = await queries.get_plan(session, caller, agency_code=agency_code)
    as_of = _as_of(query)
    days = await queries.get_days(session, agency_code=agency_code, as_of=as_of)
    ends = given.period_ends(min(plan.starts_on, as_of), as_of, query.every)
    points = [given.PointOut.model_validate(point) for point in queries.burn_down(plan, days, ends)]
    return given.BurnDownOut(plan=given.PlanOut.model_validate(plan), as_of=as_of, points=points)


@digitisation.get("/report", dependencies=[needs(READ)])
async def report(session: SessionDep, caller: CallerDep, query: Annotated[given.AsOf, Query()]) -> given.Report:
    """Report the backlog of all agencies that the caller may see, those first that need somebody first."""
    as_of = _as_of(query)
    plans = await queries.list_plans(session, caller, limit=_REPORTED_MAX)
    done = await queries.get_done(session, as_of=as_of)
    items = [_standing(plan, done.get(plan.agency_code, queries.Done()), as_of) for plan in plans]
    items.sort(key=lambda one: (_URGENCY.index(one.progress.state), -one.progress.remaining))
    each = [one.progress for one in items]
    states = Counter(one.state for one in each)
    return given.Report(
        as_of=as_of,
        definition=queries.DEFINITION,
        plans=len(items),
        volume=sum(one.volume for one in each),
        done=sum(one.done - one.uncounted for one in each),
        remaining=sum(one.remaining for one in each),
        uncounted=sum(one.uncounted for one in each),
        states={state: states[state] for state in _URGENCY},
        items=items,
    )


@digitisation.get("/results", dependencies=[needs(READ)])
async def list_scans(
    session: SessionDep, caller: CallerDep, query: Annotated[given.ListScans, Query()]
) -> given.ScanPage:
    """List digitised results of the caller's agency and those below it, newest first."""
    found = await queries.list_digitised(
        session,
        caller,
        agency_code=query.agency_code,
        kind_code=query.kind_code,
        before=schemas.decode_cursor(query.cursor),
        limit=query.limit,
    )
    following = schemas.encode_cursor(found[-1].id) if len(found) == query.limit else None
    return given.ScanPage(items=[given.ScanOut.model_validate(one) for one in found], next_cursor=following)


@digitisation.get("/results/{result_id}", dependencies=[needs(READ)])
async def get_scan(session: SessionDep, caller: CallerDep, result_id: UUID) -> given.ScanOut:
    """Tell what is known of a digitised result."""
    return given.ScanOut.model_validate(await queries.get_digitised(session, caller, result_id=result_id))


@digitisation.post("/results/{result_id}/set-aside", dependencies=[needs(WRITE)])
async def set_aside(work: WorkDep, result_id: UUID, body: given.SetAside) -> given.ScanOut:
    """End a digitised result's validity: revoked on paper, or scanned wrongly. It stays readable."""
    scan = await operations.set_digitised_aside(work, result_id=result_id, reason=body.reason)
    return given.ScanOut.model_validate(scan)


@digitisation.get("/results/{result_id}/document", dependencies=[needs(READ)], response_class=StreamingResponse)
async def read_scan(
    request: Request,
    caller: CallerDep,
    result_id: UUID,
    purpose: Annotated[str, Header(alias="X-Purpose", min_length=3, max_length=200)],
) -> Response:
    """Download the scan; who reads it and why (X-Purpose, percent-encoded beyond ASCII) is kept."""
    archive: Archive = request.app.state.archive
    async with open_work(request.app.state.database, caller) as work:
        scan = await queries.get_digitised(work.session, caller, result_id=result_id)
        chunks = await archive.read(scan.sha256)
        operations.record_digitised_reading(work, result_id=result_id, purpose=unquote(purpose))
    name = quote(f"{scan.number.replace('/', '-')}.{EXTENSIONS[scan.media_type]}")
    headers = {
        "Content-Length": str(scan.size_bytes),
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(chunks, media_type=scan.media_type, headers=headers)


def _standing(plan: DigitisationPlan, done: queries.Done, as_of: date) -> given.PlanProgress:
    progress = given.ProgressOut.model_validate(queries.progress_of(plan, done, as_of=as_of))
    return given.PlanProgress(**given.PlanOut.model_validate(plan).model_dump(), progress=progress)


def _as_of(query: given.AsOf) -> date:
    """Return the day to look from. Raises InvalidRequest for one to come: nothing is known of it."""
    today = clock.now().astimezone(clock.VN).date()
    if query.as_of and query.as_of > today:
        wrong = FieldError("query.as_of", "Give today or a day before.", "Chọn hôm nay hoặc ngày trước đó.")
        raise InvalidRequest(errors=[wrong])
    return query.as_of or today


def _etag(plan: DigitisationPlan) -> str:
    return f'"{plan.version}"'


def _version(if_match: str | None) -> int | None:
    """Return the version that If-Match names. Raises PlanChanged for what is no ETag of ours."""
    if if_match is None:
        return None
    found = _VERSION.fullmatch(if_match)
    if found is None:
        raise PlanChanged("If-Match is the ETag of the plan as you read it.")
    return int(found[1])


def _cursor(agency_code: str) -> str:
    return base64.urlsafe_b64encode(agency_code.encode()).rstrip(b"=").decode()


def _after(cursor: str | None) -> str:
    """Return the agency behind which a page begins. Raises InvalidRequest for what is no cursor of ours."""
    try:
        return base64.urlsafe_b64decode(f"{cursor or ''}==").decode()
    except ValueError as problem:
        wrong = FieldError("query.cursor", "Use next_cursor of the page before.", "Con trỏ trang không hợp lệ.")
        raise InvalidRequest(errors=[wrong]) from problem
