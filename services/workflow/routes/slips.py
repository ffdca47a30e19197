"""HTTP in: the forms of a case as PDF."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response

from services.workflow import queries, slips
from services.workflow.models import Case, ProcessVersion, StaffedAgency
from services.workflow.queries import consultations as issued
from services.workflow.routes.parameters import READ, DossierCode
from services.workflow.schemas.offices import SlipList, SlipView
from services.workflow.slips import Heading
from shared import clock
from shared.http import CallerDep, SessionDep, router

PDF = "application/pdf"
_PDF: dict[int | str, dict[str, Any]] = {200: {"content": {PDF: {}}, "description": "The form, PDF/A-2b"}}
FormCode = Annotated[
    Literal["02", "04", "05", "06"],
    Path(description="02 supplement, 04 apology and later date, 05 stop, 06 control sheet; by their numbers of today"),
]

Nth = Annotated[int | None, Query(ge=1, le=10_000, description="Which of its kind; the newest when left out")]

printed = router("slips", prefix="/cases")


@printed.get("/{dossier_code}/slips", dependencies=[READ])
async def list_slips(session: SessionDep, caller: CallerDep, dossier_code: DossierCode) -> SlipList:
    """List the forms that were issued while a case ran; form 06 can be printed at any time."""
    await queries.get_case(session, dossier_code, caller=caller)
    found = await issued.list_slips(session, dossier_code)
    return SlipList(items=[SlipView.model_validate(slip) for slip in found])


@printed.get("/{dossier_code}/slips/{form}", dependencies=[READ], response_class=Response, responses=_PDF)
async def print_slip(
    session: SessionDep,
    caller: CallerDep,
    dossier_code: DossierCode,
    form: FormCode,
    nth: Annotated[
        int | None, Query(ge=1, le=10_000, description="Which of its kind; the newest when left out")
    ] = None,
) -> Response:
    """Print a form as it was issued, or the control sheet (06) as things stand."""
    case = await queries.get_case(session, dossier_code, caller=caller)
    heading = await _heading(session, case)
    if form == "06":
        content = await slips.control_sheet(case, heading, now=clock.now())
    else:
        content = await slips.printed(await issued.get_slip(session, dossier_code, form, nth), case, heading)
    name = f'inline; filename="{form}-{dossier_code}.pdf"'
    return Response(
        content, media_type=PDF, headers={"Content-Disposition": name, "Cache-Control": "private, no-cache"}
    )


async def _heading(session: SessionDep, case: Case) -> Heading:
    agency = await session.get(StaffedAgency, case.competent_agency_code)
    process = await session.get(ProcessVersion, (case.procedure_code, case.process_version))
    named = process.procedure_name if process else None
    return Heading(
        agency=agency.name if agency else f"Cơ quan {case.competent_agency_code}",
        procedure=f"{named} ({case.procedure_code})" if named else case.procedure_code,
    )
