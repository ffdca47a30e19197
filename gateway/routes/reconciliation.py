"""Comparing with the national portal: runs and their reports, differences, telling a dossier anew."""

import csv
import io
from typing import Annotated, Literal

from fastapi import Depends, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.models import PortalRun
from gateway.operations import reconciling
from gateway.operations.reconciling.acts import Anew
from gateway.routes.ops import not_kept
from gateway.schemas import Because, DifferenceOut, Ratio, RedriveBody, Redriven, RunCountOut, RunOut, RunReport
from gateway.schemas.reconciliation import IN_STEP, SYNCED
from shared.http import CallerDep, SessionDep, WorkDep, needs
from shared.http import router as make_router

router = make_router("portal sync", prefix="/api/v1/ops/portal")
LOOK, ACT = [needs("ops:read"), Depends(not_kept)], [needs("ops:act"), Depends(not_kept)]
Number = Annotated[int, Path(ge=1, le=2**62)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Code = Annotated[str, Path(max_length=60)]
Kind = Literal["missing_there", "missing_here", "status_differs", "content_differs", "order_differs"]


@router.post("/reconciliations", status_code=202, dependencies=ACT)
async def reconcile(work: WorkDep) -> RunOut:
    """Compare with the portal now; while a run waits or is on, the answer is that one. Follow it by its id."""
    run = await reconciling.request_run(work.session, asked_by=work.caller.client_id, now=work.now)
    return RunOut.model_validate(run)


@router.get("/reconciliations", dependencies=LOOK)
async def list_reconciliations(session: SessionDep, limit: Limit = 30) -> list[RunOut]:
    """List the latest runs, newest first."""
    return [RunOut.model_validate(run) for run in await queries.list_runs(session, limit)]


@router.get("/reconciliations/{run_id}", dependencies=LOOK)
async def read_reconciliation(session: SessionDep, run_id: Number) -> RunReport:
    """Show a run's report: every ratio with what it is made of, and the counts of both sides."""
    return await _report(session, await queries.get_run(session, run_id))


@router.get(
    "/reconciliations/{run_id}/counts",
    dependencies=LOOK,
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def read_counts(session: SessionDep, run_id: Number) -> Response:
    """Return a run's counts by day, agency and status as CSV (UTF-8 with BOM, as spreadsheets want it)."""
    run = await queries.get_run(session, run_id)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(RunCountOut.model_fields)
    for row in await queries.list_run_counts(session, run.id):
        writer.writerow([getattr(row, name) for name in RunCountOut.model_fields])
    headers = {"Content-Disposition": f'attachment; filename="doi-soat-{run.id}.csv"', "Cache-Control": "no-store"}
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


async def _report(session: AsyncSession, run: PortalRun) -> RunReport:
    as_of = run.finished_at or run.started_at or run.asked_at
    return RunReport(
        **RunOut.model_validate(run).model_dump(),
        dossiers_in_step=Ratio(numerator=run.in_step, denominator=run.compared, definition=IN_STEP, as_of=as_of),
        dossiers_synced=Ratio(
            numerator=run.dossiers_synced or 0,
            denominator=run.dossiers_accepted or 0,
            definition=SYNCED,
            as_of=as_of,
            since=run.period_from,
        ),
        counts=[RunCountOut.model_validate(row) for row in await queries.list_run_counts(session, run.id)],
    )


@router.get("/differences", dependencies=LOOK)
async def list_differences(
    session: SessionDep,
    caller: CallerDep,
    *,
    standing: bool | None = None,
    kind: Kind | None = None,
    dossier: Annotated[str | None, Query(max_length=60)] = None,
    limit: Limit = 200,
) -> list[DifferenceOut]:
    """List what was found otherwise, newest first; `standing=true` leaves out what is settled or explained."""
    found = await queries.list_differences(session, caller, code=dossier, kind=kind, standing=standing, limit=limit)
    return [DifferenceOut.model_validate(one) for one in found]


@router.post("/differences/{difference_id}/redrive", dependencies=ACT)
async def redrive_difference(work: WorkDep, difference_id: Number, body: Because) -> DifferenceOut:
    """Tell the portal anew what settles a difference; it is settled when the portal then says the same."""
    difference = await reconciling.redrive_difference(work, difference_id=difference_id, reason=body.reason)
    return DifferenceOut.model_validate(difference)


@router.post("/differences/{difference_id}/explain", dependencies=ACT)
async def explain_difference(work: WorkDep, difference_id: Number, body: Because) -> DifferenceOut:
    """Close a difference that is right as it is, with the reason; it comes back when the portal's answer changes it."""
    difference = await reconciling.explain(work, difference_id=difference_id, reason=body.reason)
    return DifferenceOut.model_validate(difference)


@router.post("/dossiers/{code}/redrive", dependencies=ACT)
async def redrive_dossier(work: WorkDep, code: Code, body: RedriveBody) -> Redriven:
    """Tell the portal a dossier anew: all its statuses in order, or its HoSo alone; made from what is known now."""
    messages = await reconciling.redrive_dossier(
        work, code=code, what=Anew(body.what), first=body.first, reason=body.reason
    )
    return Redriven(dossier_code=code, messages=messages)
