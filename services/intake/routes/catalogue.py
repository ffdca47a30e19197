"""Procedures and their fields: public to read, searched in the database."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from services.intake import operations, queries
from services.intake.models import Level
from services.intake.queries import Catalogue, ProcedureFilter
from services.intake.schemas.catalogue import (
    Expiry,
    FieldView,
    ProcedurePage,
    ProcedureView,
    procedure_line,
    procedure_view,
)
from services.intake.schemas.cursor import cursor_of, cursor_parts
from shared import clock
from shared.http import SessionDep, WorkDep, needs, router
from shared.identifiers import AgencyCode, dossier_day, is_within

LIST_MAX = 200
CodePath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.\-]{1,60}$", examples=["1.004222"])]

catalogue = router("catalogue")


async def _current(request: Request) -> Catalogue:
    return request.app.state.catalogue


CatalogueDep = Annotated[Catalogue, Depends(_current)]
"""The catalogue as this process knows it."""


@catalogue.get("/procedures", summary="Search procedures")
async def list_procedures(
    session: SessionDep,
    known: CatalogueDep,
    *,
    q: Annotated[str, Query(max_length=200, description="Words of code, name or field; accents do not matter")] = "",
    field: Annotated[str | None, Query(max_length=40)] = None,
    agency: Annotated[AgencyCode | None, Query(description="What this agency, or one below it, receives")] = None,
    level: Level | None = None,
    history: Annotated[bool, Query(description="Also what is no longer, or not yet, in force")] = False,
    limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> ProcedurePage:
    """List the procedures in force today, in order of code."""
    (after,) = cursor_parts(cursor, 1) or ("",)
    day = dossier_day(clock.now())
    wanted = ProcedureFilter(words=q, field=field, level=level, history=history)
    if agency:
        below = [one for one in known.agencies.values() if is_within(one.code, agency) and one.receives_on(day)]
        heirs = known.successors(agency, day)
        codes = {agency, *(one.code for one in (*below, *heirs)), *known.predecessors(agency, day)}
        levels = frozenset(one.level for one in (*below, *heirs))
        wanted = ProcedureFilter(words=q, field=field, level=level, history=history, agencies=codes, levels=levels)
    found = await queries.list_procedures(session, wanted, day=day, after=after, limit=limit + 1)
    following = cursor_of(found[limit - 1][0]) if len(found) > limit else None
    # Brought in a moment ago by another process: this one knows it within its poll.
    entries = [known.find_version(code, version) for code, version in found[:limit]]
    items = [procedure_line(entry, known.fields, day=day) for entry in entries if entry]
    return ProcedurePage(items=items, next_cursor=following)


@catalogue.get("/procedures/{code}", summary="Read a procedure")
async def get_procedure(
    known: CatalogueDep,
    code: Annotated[str, Path(max_length=60, examples=["1.004222"])],
    version: Annotated[int | None, Query(ge=1, le=10**6, description="An earlier one")] = None,
) -> ProcedureView:
    """Return the version in force today with components, fees by channel and agencies; the newest if none is."""
    day = dossier_day(clock.now())
    return procedure_view(known, queries.get_procedure(known, code, day=day, version=version), day=day)


@catalogue.post("/procedures/{code}/expire", dependencies=[needs("catalogue:write")])
async def expire_procedure(work: WorkDep, code: CodePath, body: Expiry) -> ProcedureView:
    """End a procedure: after its last day no dossier is taken and no list shows it; what runs goes on."""
    await operations.expire_procedure(work, code=code, last_day=body.last_day)
    known = await queries.load_catalogue(work.session)
    day = dossier_day(work.now)
    return procedure_view(known, queries.get_procedure(known, code, day=day), day=day)


@catalogue.get("/fields", summary="List fields of procedures")
async def list_fields(known: CatalogueDep) -> list[FieldView]:
    """List the fields (lĩnh vực) of procedures."""
    return [FieldView(code=code, name=name) for code, name in known.fields.items()]
