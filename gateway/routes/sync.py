"""What others pull: the feed of changes in commit order, and a dossier's timeline."""

import asyncio
from typing import Annotated

from fastapi import Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.models import Change, DossierView, PortalDossier
from gateway.queries import Selection
from gateway.schemas import (
    ChangeOut,
    ChangesPage,
    DifferenceOut,
    DossierTimeline,
    SnapshotItem,
    SnapshotPage,
    Sync,
    TimelineOut,
)
from gateway.states import LABELS_VI, PortalStatus
from shared.caller import Caller
from shared.http import CallerDep, DossierPath, SessionDep, needs, problem_responses
from shared.http import router as make_router

WAIT_MAX_S = 30
router = make_router("sync", prefix="/api/v1")


async def _selection(
    caller: CallerDep,
    agency: Annotated[
        str | None, Query(max_length=40, description="Of this agency and those below it alone", examples=["H32.14"])
    ] = None,
    procedure: Annotated[
        str | None, Query(max_length=40, description="Of this procedure alone", examples=["1.004222"])
    ] = None,
) -> Selection:
    return Selection.of(caller, agency, procedure)


SelectionDep = Annotated[Selection, Depends(_selection)]


@router.get("/sync/changes", dependencies=[needs("sync:read")], responses=problem_responses(410))
async def changes(
    request: Request,
    selection: SelectionDep,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=queries.PAGE_MAX)] = 200,
    wait_s: Annotated[float, Query(ge=0, le=WAIT_MAX_S)] = 0,
) -> ChangesPage:
    """List changes after a cursor, every one exactly once, in the order committed; waits for the next when asked to."""
    after = queries.from_cursor(cursor, selection)
    database, woken = request.app.state.database, request.app.state.folded_something
    deadline = asyncio.get_running_loop().time() + wait_s
    while True:
        waiter = woken.next()
        async with database.session() as session:
            rows = await queries.list_changes(session, selection, after=after, limit=limit)
            last = rows[-1].position if rows else after
        left = deadline - asyncio.get_running_loop().time()
        if rows or left <= 0:
            items = [change_out(row, selection.mark) for row in rows]
            return ChangesPage(items=items, next_cursor=queries.to_cursor(last, selection.mark))
        await asyncio.wait([waiter], timeout=left)


@router.get("/sync/snapshot", dependencies=[needs("sync:read")], responses=problem_responses(410))
async def snapshot(
    session: SessionDep,
    selection: SelectionDep,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=queries.PAGE_MAX)] = 200,
) -> SnapshotPage:
    """List the dossiers as they are now: read to the end, then `/sync/changes` from `changes_cursor`.

    What changed while you read is told there, again if a page showed it already; taken in order, the end is the truth.
    """
    if cursor:
        began, after = queries.from_snapshot_cursor(cursor, selection)
    else:
        # Read before any state: what is committed later has a later position, whatever the pages show of it.
        began, after = await queries.last_position(session), ""
    rows = await queries.list_snapshot(session, selection, after=after, limit=limit)
    following = queries.to_snapshot_cursor(began, selection, rows[-1][0].code) if len(rows) == limit else None
    return SnapshotPage(
        items=[_present(view, position, selection) for view, position in rows],
        next_cursor=following,
        changes_cursor=queries.to_cursor(began, selection.mark),
    )


def _present(view: DossierView, position: int, selection: Selection) -> SnapshotItem:
    return SnapshotItem(
        cursor=queries.to_cursor(position, selection.mark),
        dossier_code=view.code,
        agency_code=view.agency_code,
        procedure_code=view.procedure_code,
        portal_status=view.portal_status,
        version=view.version,
        due_at=view.facts.get("due_at"),
    )


@router.get("/dossiers/{code}/timeline", dependencies=[needs("dossiers:read")])
async def timeline(session: SessionDep, caller: CallerDep, code: DossierPath) -> DossierTimeline:
    """Show who did what when, and the status the national portal shows."""
    told = await read_timeline(session, await queries.get_view(session, caller, code))
    return told.model_copy(update={"sync": await read_sync(session, caller, code)})


async def read_sync(session: AsyncSession, caller: Caller, code: str) -> Sync:
    """Return what the national portal was told of a dossier, and what was found otherwise there."""
    held = await session.get(PortalDossier, code)
    found = await queries.list_differences(session, caller, code=code)
    return Sync(
        told_status=held.told_status if held else None,
        told_at=held.told_at if held else None,
        compared_at=held.compared_at if held else None,
        differences=[DifferenceOut.model_validate(one) for one in found],
    )


async def read_timeline(session: AsyncSession, view: DossierView) -> DossierTimeline:
    """Return a view with its events."""
    entries = await queries.list_timeline(session, view.code)
    return DossierTimeline(
        code=view.code,
        agency_code=view.agency_code,
        procedure_code=view.procedure_code,
        portal_status=view.portal_status,
        portal_label_vi=LABELS_VI[PortalStatus(view.portal_status)],
        due_at=view.facts.get("due_at"),
        items=[
            TimelineOut(
                nth=entry.nth,
                event_id=str(entry.event_id),
                type=entry.type,
                source=entry.source,
                happened_at=entry.happened_at,
                folded_at=entry.folded_at,
                portal_status=entry.portal_status,
                portal_label_vi=LABELS_VI[PortalStatus(entry.portal_status)] if entry.portal_status else None,
                trace_id=entry.trace_id,
                detail=entry.detail,
            )
            for entry in entries
        ],
    )


def change_out(row: Change, mark: str | None = None) -> ChangeOut:
    """Return a change as the feed tells it; `mark` binds its cursor to a selection."""
    return ChangeOut(
        cursor=queries.to_cursor(row.position, mark),
        dossier_code=row.dossier_code,
        agency_code=row.agency_code,
        procedure_code=row.procedure_code,
        event_type=row.event_type,
        happened_at=row.happened_at,
        portal_status=row.portal_status,
        version=row.version,
        deleted=row.deleted,
        detail=row.detail,
    )
