"""HTTP in: processes drawn in a modeller or written as JSON."""

import asyncio
from collections import Counter
from typing import Annotated, Any

from fastapi import Body, Path, Query, Response

from services.workflow import queries
from services.workflow.errors import ProcessRefused
from services.workflow.operations import processes as verbs
from services.workflow.routes.parameters import READ, Limit, Word
from services.workflow.schemas.processes import (
    ImportAnswer,
    ImportItem,
    ImportOutcome,
    ImportRequest,
    ProcessBody,
    ProcessPage,
    ProcessSummary,
    ProcessView,
)
from shared.errors import FieldError
from shared.http import SessionDep, WorkDep, needs, router
from shared.work import Work

WRITE = needs("catalogue:write")
VERSIONS_MAX = 50
XML = "application/xml"

Code = Annotated[str, Path(max_length=100, examples=["QT-1.013225-H32.14"])]
Version = Annotated[int, Path(ge=1, le=1_000_000)]
After = Annotated[str, Query(max_length=100, description="next_cursor of the part before")]
DryRun = Annotated[bool, Query(description="Only say what would come of it")]
By = Annotated[str, Query(min_length=1, max_length=200, description="The official who imports it")]
File = Annotated[bytes, Body(media_type=XML, description="A BPMN 2.0 file", max_length=1_000_000)]

_KEPT: dict[int | str, dict[str, Any]] = {200: {"description": "Nothing new was kept", "model": ImportOutcome}}

processes = router("processes", prefix="/processes")


@processes.get("", dependencies=[READ])
async def list_processes(
    session: SessionDep,
    *,
    procedure: Word = None,
    agency: Word = None,
    q: Word = None,
    limit: Limit = 50,
    cursor: After = "",
) -> ProcessPage:
    """List processes by code, each in its newest version; `q` stands in the code or name."""
    rows = await queries.list_processes(
        session, procedure_code=procedure, agency_code=agency, words=q, after=cursor, limit=limit + 1
    )
    items = [ProcessSummary.model_validate(row) for row in rows[:limit]]
    return ProcessPage(items=items, next_cursor=items[-1].code if len(rows) > limit else None)


@processes.post("", dependencies=[WRITE], status_code=201, responses=_KEPT)
async def create_process(
    work: WorkDep, response: Response, body: ProcessBody, imported_by: By, *, dry_run: DryRun = False
) -> ImportOutcome:
    """Keep a process given as JSON, as a new version of its code; the same one again changes nothing (200)."""
    item = await asyncio.to_thread(verbs.read_written, body.code, body.definition())
    return await _one(work, response, item, imported_by, dry_run=dry_run)


@processes.post("/bpmn", dependencies=[WRITE], status_code=201, responses=_KEPT)
async def create_from_bpmn(
    work: WorkDep, response: Response, file: File, imported_by: By, *, dry_run: DryRun = False
) -> ImportOutcome:
    """Keep a process drawn in a BPMN modeller; what cannot be taken is named with element, line and reason."""
    item = await asyncio.to_thread(verbs.read_file, "file", file)
    return await _one(work, response, item, imported_by, dry_run=dry_run)


@processes.post("/import", dependencies=[WRITE])
async def import_processes(work: WorkDep, body: ImportRequest) -> ImportAnswer:
    """Keep up to 200 processes at once; each is decided by itself."""
    items = await asyncio.to_thread(lambda: [_item(one) for one in body.items])
    outcomes = await verbs.import_processes(work, items, imported_by=body.imported_by, dry_run=body.dry_run)
    counts = Counter(outcome.kind for outcome in outcomes)
    return ImportAnswer(
        created=counts["created"],
        unchanged=counts["unchanged"],
        refused=counts["refused"],
        outcomes=[ImportOutcome.of(outcome) for outcome in outcomes],
    )


@processes.get("/{code}", dependencies=[READ])
async def get_process(session: SessionDep, code: Code) -> ProcessView:
    """Show the newest version of a process."""
    return ProcessView.of(await queries.get_process_version(session, code))


@processes.get("/{code}/versions", dependencies=[READ])
async def list_versions(session: SessionDep, code: Code) -> ProcessPage:
    """List the newest 50 versions of a process, the newest first."""
    await queries.get_process_version(session, code)
    rows = await queries.list_process_versions(session, code, limit=VERSIONS_MAX)
    return ProcessPage(items=[ProcessSummary.model_validate(row) for row in rows], next_cursor=None)


@processes.get("/{code}/versions/{version}", dependencies=[READ])
async def get_version(session: SessionDep, code: Code, version: Version) -> ProcessView:
    """Show a version of a process."""
    return ProcessView.of(await queries.get_process_version(session, code, version))


@processes.get(
    "/{code}/versions/{version}/bpmn",
    dependencies=[READ],
    response_class=Response,
    responses={200: {"content": {XML: {"schema": {"type": "string"}}}}},
)
async def export(
    session: SessionDep,
    code: Code,
    version: Version,
    *,
    redraw: Annotated[bool, Query(description="Draw it anew instead of giving back the file it came from")] = False,
) -> Response:
    """Give a version as a BPMN 2.0 file with its diagram."""
    row = await queries.get_process_version(session, code, version)
    content = await asyncio.to_thread(lambda: verbs.export(row, redraw=redraw))
    name = f"process-v{version}.bpmn"
    return Response(content, media_type=XML, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _item(one: ImportItem) -> verbs.Item:
    if one.process is not None:
        return verbs.read_written(one.name, one.process.definition())
    return verbs.read_file(one.name, (one.bpmn or "").encode())


async def _one(work: Work, response: Response, item: verbs.Item, imported_by: str, *, dry_run: bool) -> ImportOutcome:
    (outcome,) = await verbs.import_processes(work, [item], imported_by=imported_by, dry_run=dry_run)
    if outcome.kind == "refused":
        errors = [
            FieldError(f"{one.kind} {one.element_id}".strip(), str(one), one.message_vi) for one in outcome.findings
        ]
        raise ProcessRefused("Nothing was kept.", errors=errors)
    if outcome.kind == "unchanged" or dry_run:
        response.status_code = 200
    return ImportOutcome.of(outcome)
