"""Bringing in the national catalogue over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import Query

from services.intake import operations, queries
from services.intake.operations.sources import read_procedures, rows_of
from services.intake.schemas.cursor import cursor_of, cursor_parts, unknown_cursor
from services.intake.schemas.imports import ImportBody, ImportLine, ImportPage, ImportView, ReportView
from shared.http import SessionDep, WorkDep, needs, router
from shared.identifiers import dossier_day
from shared.work import Work

imports = router("catalogue", prefix="/catalogue/imports")

WRITE = "catalogue:write"


@imports.post("", summary="Bring in procedures", dependencies=[needs(WRITE)])
async def import_procedures(work: WorkDep, body: ImportBody) -> ReportView:
    """Bring in procedures of the national catalogue; the same again changes nothing.

    Everything in the body is one transaction. What is odd about a row is named in the report with what was decided;
    refused is only a row that names no procedure.
    """
    report, readings = operations.sift(read_procedures(rows_of(body.procedures)))

    @asynccontextmanager
    async def this_one() -> AsyncIterator[Work]:
        yield work

    await operations.import_procedures(
        this_one, report, readings, day=dossier_day(work.now), write=not body.dry_run, progress=lambda _done, _all: None
    )
    if not body.dry_run:
        operations.note_import(work, source=body.source, rows=body.procedures, report=report)
    differences = report.differences if body.dry_run else []
    return ReportView.model_validate({**report.as_json(), "differences": differences})


@imports.get("", summary="List imports", dependencies=[needs(WRITE)])
async def list_imports(
    session: SessionDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> ImportPage:
    """List what was brought in, latest first."""
    found = await queries.list_imports(session, limit=limit + 1, after=_after(cursor))
    following = cursor_of(str(found[limit - 1].id)) if len(found) > limit else None
    return ImportPage(items=[ImportLine.model_validate(one) for one in found[:limit]], next_cursor=following)


@imports.get("/{import_id}", summary="Read an import", dependencies=[needs(WRITE)])
async def get_import(session: SessionDep, import_id: UUID) -> ImportView:
    """Return an import with its report."""
    return ImportView.model_validate(await queries.get_import(session, import_id))


def _after(cursor: str | None) -> UUID | None:
    parts = cursor_parts(cursor, 1)
    try:
        return UUID(parts[0]) if parts else None
    except ValueError as problem:
        raise unknown_cursor() from problem
