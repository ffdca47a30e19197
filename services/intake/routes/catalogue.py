"""The catalogue: public, answered from memory."""

from typing import Annotated

from fastapi import Depends, Query, Request

from services.intake import queries
from services.intake.models import Level
from services.intake.queries import Catalogue
from services.intake.schemas.catalogue import (
    AgencyView,
    FieldView,
    ProcedurePage,
    ProcedureView,
    procedure_line,
    procedure_view,
)
from services.intake.schemas.cursor import cursor_of, cursor_parts
from shared import clock
from shared.http import router
from shared.identifiers import AgencyCode, dossier_day

LIST_MAX = 200

catalogue = router("catalogue")


async def _current(request: Request) -> Catalogue:
    return request.app.state.catalogue


CatalogueDep = Annotated[Catalogue, Depends(_current)]
"""The catalogue as this process knows it."""


@catalogue.get("/procedures", summary="Search procedures")
async def list_procedures(
    known: CatalogueDep,
    q: Annotated[str, Query(max_length=200, description="Words of code or name; accents and case do not matter")] = "",
    field: Annotated[str | None, Query(max_length=40)] = None,
    agency: Annotated[AgencyCode | None, Query(description="What this agency, or one below it, receives")] = None,
    level: Level | None = None,
    limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> ProcedurePage:
    """List the procedures in force today, in order of code."""
    (after,) = cursor_parts(cursor, 1) or ("",)
    found = queries.list_procedures(
        known,
        day=dossier_day(clock.now()),
        words=q,
        field=field,
        agency=agency,
        level=level,
        after=after,
        limit=limit + 1,
    )
    following = cursor_of(found[limit - 1].code) if len(found) > limit else None
    return ProcedurePage(items=[procedure_line(one, known.fields) for one in found[:limit]], next_cursor=following)


@catalogue.get("/procedures/{code}", summary="Read a procedure")
async def get_procedure(known: CatalogueDep, code: str) -> ProcedureView:
    """Return the version in force today with components, fees by channel and agencies; the newest if none is."""
    day = dossier_day(clock.now())
    entry = queries.get_procedure(known, code, day=day)
    return procedure_view(entry, known.versions_of(code), known.fields, day=day)


@catalogue.get("/agencies", summary="List agencies")
async def list_agencies(known: CatalogueDep) -> list[AgencyView]:
    """List the agencies that receive dossiers, past ones included."""
    return [AgencyView.model_validate(one.model_dump()) for one in known.agencies.values()]


@catalogue.get("/fields", summary="List fields of procedures")
async def list_fields(known: CatalogueDep) -> list[FieldView]:
    """List the fields (lĩnh vực) of procedures."""
    return [FieldView(code=code, name=name) for code, name in known.fields.items()]
