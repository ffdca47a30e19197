"""Agencies: a tree with dates; public to read."""

from typing import Annotated

from fastapi import Path, Query

from services.intake import operations, queries
from services.intake.errors import AgencyNotFound
from services.intake.models import AgencyEntry, Level
from services.intake.queries import Catalogue
from services.intake.routes.catalogue import LIST_MAX, CatalogueDep
from services.intake.schemas.catalogue import (
    AgencyClosing,
    AgencyDetail,
    AgencyPage,
    AgencyView,
    agency_detail,
)
from services.intake.schemas.cursor import cursor_of, cursor_parts
from shared import clock
from shared.http import WorkDep, needs, router
from shared.identifiers import AgencyCode, dossier_day, is_within

agencies = router("catalogue", prefix="/agencies")

CodePath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.\-]{1,40}$", examples=["H32.14", "000.00.14.H32"])]


@agencies.get("", summary="List agencies")
async def list_agencies(
    known: CatalogueDep,
    *,
    q: Annotated[str, Query(max_length=200, description="Words of name or code; accents do not matter")] = "",
    within: Annotated[AgencyCode | None, Query(description="This agency and those below it")] = None,
    level: Level | None = None,
    history: Annotated[bool, Query(description="Also those that no longer, or do not yet, exist")] = False,
    limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = LIST_MAX,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> AgencyPage:
    """List the agencies that receive dossiers today, in order of code."""
    (after,) = cursor_parts(cursor, 1) or ("",)
    day = dossier_day(clock.now())
    words = queries.words_of(q)
    fitting = (
        one
        for one in known.agencies.values()
        if one.code > after
        and (history or one.receives_on(day))
        and (level is None or one.level is level)
        and (within is None or is_within(one.code, within))
        and all(word in known.agency_words(one.code) for word in words)
    )
    found = [one for one, _ in zip(fitting, range(limit + 1), strict=False)]
    following = cursor_of(found[limit - 1].code) if len(found) > limit else None
    return AgencyPage(items=[AgencyView(**one.model_dump()) for one in found[:limit]], next_cursor=following)


@agencies.get("/{code}", summary="Read an agency")
async def get_agency(known: CatalogueDep, code: CodePath) -> AgencyDetail:
    """Return an agency by its present or its old code, or another identifier, with who came before and after it."""
    return agency_detail(known, _get(known, code), day=dossier_day(clock.now()))


@agencies.put("/{code}", summary="Write an agency", dependencies=[needs("catalogue:write")])
async def write_agency(work: WorkDep, code: CodePath, body: AgencyEntry) -> AgencyDetail:
    """Add an agency, or replace what is known of it."""
    await operations.write_agency(work, code=code, entry=body)
    return agency_detail(await queries.load_catalogue(work.session), body, day=dossier_day(work.now))


@agencies.post("/{code}/close", summary="Close an agency", dependencies=[needs("catalogue:write")])
async def close_agency(work: WorkDep, code: CodePath, body: AgencyClosing) -> AgencyDetail:
    """Merge an agency into another or split it into several: its dossiers and results are theirs from then on."""
    closed = await operations.close_agency(work, code=code, last_day=body.last_day, successors=body.successors)
    return agency_detail(await queries.load_catalogue(work.session), closed, day=dossier_day(work.now))


def _get(known: Catalogue, code: str) -> AgencyEntry:
    found = known.agency(code)
    if found is None:
        raise AgencyNotFound
    return found
