"""HTTP in: an owner's results with consent, how often they stand for papers, who read what, what is damaged."""

from datetime import datetime, time, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from services.results import operations, queries, schemas
from services.results.routes.archive import READ, attachment_headers
from services.results.storage import Archive
from shared import clock
from shared.clock import VN
from shared.http import CallerDep, SessionDep, WorkDep, needs, needs_one_of, router
from shared.work import open_work

REUSE = ("results:reuse", "portal")
"""Either right lets a system look for results of any agency with their owner's consent."""
ARTICLE = "reused_of_fully_digitised"
INDICATOR = "reused_of_submitted"

reuse = router("reuse", prefix="/reuse")
statistics = router("statistics", prefix="/statistics")
accesses = router("results", prefix="/results")
watch = router("ops", prefix="/ops")


@reuse.post("/searches", status_code=201, dependencies=[needs_one_of(*REUSE)])
async def find_with_consent(request: Request, work: WorkDep, body: schemas.ReuseSearch) -> schemas.ReuseFound:
    """Find an owner's valid results, whichever agency's; consent and purpose are kept, reading is open for a time."""
    consent = operations.Consenting(
        by=body.consent.by,
        at=body.consent.at,
        text=body.consent.text,
        purpose=body.purpose,
        dossier_code=body.dossier_code,
    )
    kept, found = await operations.find_with_consent(
        work,
        owner_id_number=body.owner_id_number,
        kind_codes=body.kind_codes,
        consent=consent,
        hours=request.app.state.settings.consent_hours,
    )
    items = [schemas.ReusableOut.model_validate(one) for one in found]
    return schemas.ReuseFound(id=kept.id, valid_until=kept.valid_until, items=items)


@reuse.get(
    "/searches/{consent_id}/documents/{result_id}",
    response_class=StreamingResponse,
    dependencies=[needs_one_of(*REUSE)],
)
async def read_with_consent(request: Request, caller: CallerDep, consent_id: UUID, result_id: UUID) -> Response:
    """Download a result that a search with consent found; kept with the consent's purpose."""
    async with open_work(request.app.state.database, caller) as work:
        found = await operations.read_with_consent(work, consent_id=consent_id, result_id=result_id)
        archive: Archive = request.app.state.archive
        chunks = await archive.read(found.sha256)
    headers = attachment_headers(
        found.id, number=found.number, sha256=found.sha256, size_bytes=found.size_bytes, media_type=found.media_type
    )
    return StreamingResponse(chunks, media_type=found.media_type, headers=headers)


@statistics.get("/reuse", dependencies=[needs(READ)])
async def reuse_statistics(
    session: SessionDep, caller: CallerDep, window: Annotated[schemas.Window, Query()]
) -> schemas.ReuseStatistics:
    """Compute how often earlier results stood for papers, from facts: two shares, each with what it was made from."""
    counted = await queries.count_reuse(
        session,
        caller,
        since=datetime.combine(window.since, time(), VN),
        until=datetime.combine(window.until + timedelta(days=1), time(), VN),
        agency_code=window.agency_code,
    )
    return schemas.ReuseStatistics(
        since=window.since,
        until=window.until,
        agency_code=window.agency_code or caller.agency,
        as_of=clock.now(),
        ratios=[
            schemas.ratio(ARTICLE, counted.fully_digitised_reused, counted.fully_digitised),
            schemas.ratio(INDICATOR, counted.reused, counted.dossiers),
        ],
    )


@accesses.get("/accesses", dependencies=[needs(READ)])
async def list_accesses(
    session: SessionDep, caller: CallerDep, query: Annotated[schemas.ListAccesses, Query()]
) -> schemas.AccessPage:
    """List who read documents of the caller's agency and those below it, why and by what right, newest first."""
    found = await queries.list_accesses(
        session,
        result_id=query.result_id,
        client_id=query.client_id,
        agency=caller.agency or "",
        since=query.since,
        before=int(query.cursor) if query.cursor else None,
        limit=query.limit,
    )
    following = str(found[-1][0].id) if len(found) == query.limit else None
    return schemas.AccessPage(items=[schemas.access(access, result) for access, result in found], next_cursor=following)


@watch.get("/archive", dependencies=[needs("ops:read")])
async def archive_state(session: SessionDep, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> schemas.ScrubOut:
    """Tell how far the archive has read itself, and which files are missing or damaged."""
    last = await queries.find_last_round(session)
    findings = await queries.list_findings(session, limit=limit)
    return schemas.ScrubOut(
        started_at=last.started_at if last else None,
        ended_at=last.ended_at if last else None,
        files=last.files if last else 0,
        bytes_read=last.bytes_read if last else 0,
        findings=[schemas.FindingOut.model_validate(one) for one in findings],
    )
