"""HTTP in: working calendars, and why a case's due date is what it is."""

from typing import Annotated

from fastapi import Header, Path, Query, Response

from services.workflow import queries
from services.workflow.errors import CalendarInvalid, CalendarNotFound, VersionMissing
from services.workflow.operations import calendars as calendar_verbs
from services.workflow.operations import clock
from services.workflow.routes.parameters import READ, DossierCode
from services.workflow.schemas.calendars import (
    CalendarDraft,
    CalendarList,
    CalendarRequest,
    CalendarView,
    ChangePage,
    ClockView,
    MoveView,
    Preview,
    summary,
)
from shared.bodies import EntityTag
from shared.caller import Caller
from shared.errors import FieldError
from shared.http import CallerDep, SessionDep, WorkDep, needs, problem_responses, router

WRITE = needs("catalogue:write")
VERSIONS_MAX = 50
PREVIEW_MAX = 500

CalendarCode = Annotated[str, Path(max_length=60, examples=["vn"])]
Version = Annotated[str, Path(max_length=60, examples=["2026.2"])]
After = Annotated[str, Query(max_length=60, description="next_cursor of the part before")]
IfMatch = Annotated[
    EntityTag | None, Header(description="The ETag of the version that it was made from; none for a new calendar")
]
Limit = Annotated[int, Query(ge=1, le=PREVIEW_MAX)]

calendars = router("calendars", prefix="/calendars")
clocks = router("clocks", prefix="/cases")


@calendars.get("", dependencies=[READ])
async def list_calendars(session: SessionDep) -> CalendarList:
    """List the version in force of every calendar."""
    return CalendarList(items=[summary(row) for row in await queries.list_current_calendars(session)])


@calendars.get("/{code}", dependencies=[READ])
async def get_calendar(session: SessionDep, response: Response, code: CalendarCode) -> CalendarView:
    """Show the version of a calendar that is in force; its ETag goes into If-Match of the next version."""
    row = await queries.get_calendar_version(session, code)
    response.headers["ETag"] = f'"{row.version}"'
    return CalendarView.model_validate(row)


@calendars.get("/{code}/versions", dependencies=[READ])
async def list_versions(session: SessionDep, code: CalendarCode) -> CalendarList:
    """List the newest 50 versions of a calendar, the newest first."""
    rows = await queries.list_calendar_versions(session, code, limit=VERSIONS_MAX)
    return CalendarList(items=[summary(row) for row in rows])


@calendars.get("/{code}/versions/{version}", dependencies=[READ])
async def get_version(session: SessionDep, code: CalendarCode, version: Version) -> CalendarView:
    """Show a version of a calendar."""
    return CalendarView.model_validate(await queries.get_calendar_version(session, code, version))


@calendars.post("/{code}/preview", dependencies=[WRITE])
async def preview(
    work: WorkDep, caller: CallerDep, code: CalendarCode, body: CalendarDraft, limit: Limit = 200, cursor: After = ""
) -> Preview:
    """Say whose due date a calendar would move, looking at up to `limit` cases; changes nothing."""
    _same_code(code, body)
    moves, next_cursor, looked_at = await calendar_verbs.foresee(work, body.document, after=cursor, limit=limit)
    seen = [move for move in moves if caller.may_see(move.case.agency_code, move.case.competent_agency_code)]
    return Preview(items=[MoveView.of(move) for move in seen], looked_at=looked_at, next_cursor=next_cursor)


@calendars.post("/{code}/versions", dependencies=[WRITE], status_code=201, responses=problem_responses(412, 428))
async def publish(
    work: WorkDep,
    caller: CallerDep,
    code: CalendarCode,
    body: CalendarRequest,
    if_match: IfMatch = None,
) -> CalendarView:
    """Put a version of a calendar in force; cases under way follow within seconds, and the list of them is kept."""
    _same_code(code, body)
    _refuse_strangers(caller, code, body)
    known = await queries.find_current_calendar(work.session, code)
    if known is not None and if_match is None:
        raise VersionMissing(f"Read the calendar, change it, and send If-Match with its ETag (now {known.version}).")
    row = await calendar_verbs.publish_calendar(
        work,
        document=body.document,
        agencies=body.agencies,
        reason=body.reason,
        published_by=body.published_by,
        base=if_match.strip().strip('"') if if_match else None,
    )
    return CalendarView.model_validate(row)


@calendars.get("/{code}/versions/{version}/changes", dependencies=[READ])
async def list_changes(
    session: SessionDep,
    caller: CallerDep,
    code: CalendarCode,
    version: Version,
    limit: Limit = 200,
    cursor: After = "",
) -> ChangePage:
    """List the cases whose due date a version moved, from which date to which, and those with a problem."""
    row = await queries.get_calendar_version(session, code, version)
    found = await queries.list_due_date_changes(session, row, caller=caller, after=cursor, limit=limit + 1)
    return ChangePage.of(list(found), limit)


@clocks.get("/{dossier_code}/clock", dependencies=[READ])
async def get_clock(session: SessionDep, caller: CallerDep, dossier_code: DossierCode) -> ClockView:
    """Explain a due date: the ledger it follows from, each reason in words, and every span that counted or did not."""
    case = await queries.get_case(session, dossier_code, caller=caller)
    ledger = list(await queries.list_clock(session, dossier_code))
    calendar = await queries.get_calendar(session, case.calendar_code, case.calendar_version)
    terms = clock.terms_of(case)
    return ClockView.of(
        case,
        ledger,
        recomputed=clock.recompute(ledger, calendar, terms),
        provisional=case.due_at is not None and calendar.is_provisional(case.due_at),
        whys=clock.explain(ledger, calendar, terms),
        passages=clock.passages(ledger, case.due_at, calendar, terms),
    )


def _same_code(code: str, body: CalendarDraft) -> None:
    if body.document.name != code:
        message = FieldError("document.name", f"Must be {code}, the code in the address.", "Mã lịch không khớp.")
        raise CalendarInvalid(errors=[message])


def _refuse_strangers(caller: Caller, code: str, body: CalendarRequest) -> None:
    """Refuse an agency's client the calendar of others; the common one is the province's to publish."""
    provincial = caller.agency is not None and "." not in caller.agency
    own = provincial if code == queries.SHIPPED else all(caller.may_see(agency) for agency in body.agencies)
    if not own:
        raise CalendarNotFound(f"There is no calendar {code} that you may change.", calendar_code=code)
