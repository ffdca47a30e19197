"""Slips over HTTP: PDF/A in Vietnamese, on the forms of the dossier's day."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.intake import queries, slips
from services.intake.errors import PeriodTooLong
from services.intake.models import Dossier
from services.intake.routes.catalogue import CatalogueDep
from services.intake.routes.dossiers import CodePath
from services.intake.slips import FormCode, Office
from shared import clock
from shared.bodies import Day
from shared.errors import FieldError, InvalidRequest, NotFound
from shared.http import CallerDep, SessionDep, needs, router
from shared.identifiers import AgencyCode, dossier_day

READ = "dossiers:read"
REGISTER_DAYS_MAX = 31
REGISTER_ROWS_MAX = 1000
PDF = "application/pdf"
_PDF: dict[int | str, dict[str, Any]] = {200: {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}}

printed = router("slips")


@printed.get("/dossiers/{code}/slips/{form}", dependencies=[needs(READ)], response_class=Response, responses=_PDF)
async def print_slip(
    request: Request,
    session: SessionDep,
    caller: CallerDep,
    known: CatalogueDep,
    code: CodePath,
    form: Annotated[FormCode, Path(description="Its number of today; the slip carries that of the dossier's day")],
) -> Response:
    """Print form 01 (receipt, due date and why), 02 (request for a supplement), 03 (refusal) or 07 (its line)."""
    dossier = await queries.get_dossier(session, code, caller=caller)
    office = slips.office_of(known, dossier.agency_code, dossier.agency_name, dossier.competent_agency_code)
    url = f"{request.app.state.settings.issuer}/api/v1/tracking/{dossier.tracking_code}"
    content = await _content(session, dossier, form, office, url)
    return _pdf(content, f"{form}-{code}")


async def _content(session: AsyncSession, dossier: Dossier, form: FormCode, office: Office, url: str) -> bytes:
    if form is FormCode.RECEIPT:
        documents = await queries.list_documents(session, dossier.code)
        calendar = await queries.get_calendar(session, dossier.calendar_code, dossier.calendar_version)
        return await slips.receipt(dossier, documents, calendar=calendar, office=office, tracking_url=url)
    if form is FormCode.SUPPLEMENT:
        asked = await queries.list_supplements(session, dossier.code)
        return await slips.supplement(dossier, asked[-1] if asked else None, office=office, tracking_url=url)
    if form is FormCode.REFUSAL:
        return await slips.refusal(dossier, office=office, tracking_url=url)
    day = dossier_day(dossier.submitted_at)
    names = {dossier.competent_agency_code or "": office.competent} if office.competent else {}
    at = dossier.submitted_at
    return await slips.register([dossier], office=office, names=names, first=day, last=day, printed_at=at)


@printed.get("/registers/{agency}", dependencies=[needs(READ)], response_class=Response, responses=_PDF)
async def print_register(
    session: SessionDep,
    caller: CallerDep,
    known: CatalogueDep,
    agency: AgencyCode,
    first: Annotated[Day, Query(description="The first day, in Vietnam")],
    last: Annotated[Day | None, Query(description="The last day; the first one unless given")] = None,
) -> Response:
    """Print form 07: the register of what an agency itself received, a month and a thousand dossiers at most."""
    end = last or first
    if not first <= end <= first + timedelta(days=REGISTER_DAYS_MAX):
        problem = FieldError(
            "query.last", f"Give at most {REGISTER_DAYS_MAX} days, in order.", "Khoảng ngày chưa hợp lệ."
        )
        raise InvalidRequest(errors=[problem])
    found = await queries.list_received(
        session,
        agency=agency,
        caller=caller,
        start=_midnight(first),
        end=_midnight(end + timedelta(days=1)),
        limit=REGISTER_ROWS_MAX + 1,
    )
    if not found and not caller.may_see(agency):
        raise NotFound("There is no register of this agency for you to see.")
    if len(found) > REGISTER_ROWS_MAX:
        raise PeriodTooLong(f"More than {REGISTER_ROWS_MAX} dossiers came in: ask for fewer days.")
    entry = known.agencies.get(agency)
    office = slips.office_of(known, agency, entry.name if entry else agency)
    deciding = {one.competent_agency_code for one in found if one.competent_agency_code}
    names = {code: known.agencies[code].name for code in deciding if code in known.agencies}
    at = clock.now()
    content = await slips.register(found, office=office, names=names, first=first, last=end, printed_at=at)
    return _pdf(content, f"07-{agency}-{first}")


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=clock.VN)


def _pdf(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"', "Cache-Control": "private, no-cache"}
    return Response(content, media_type=PDF, headers=headers)
