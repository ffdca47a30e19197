"""HTTP in: the rules that lift fees."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter

from services.payment import queries
from services.payment.models import Exemption
from services.payment.operations import exemptions
from services.payment.routes.access import Filter, Paged, ReaderDep, WindowDep
from services.payment.schemas import Page, page
from services.payment.schemas.exemptions import EndRequest, ExemptionRequest, ExemptionView
from shared.bodies import Day
from shared.http import SessionDep, WorkDep, needs, router

exemption_routes = router("exemptions", prefix="/exemptions")
ROUTERS: Sequence[APIRouter] = (exemption_routes,)


@exemption_routes.get("", dependencies=[needs()], response_model=Page[ExemptionView])
async def list_rules(
    session: SessionDep,
    caller: ReaderDep,
    window: WindowDep,
    code: Filter = None,
    in_force_on: Day | None = None,
) -> Paged:
    """List rules of exemption, of one code, or in force on a day; they are public law, every agency sees all."""
    del caller
    return page(await queries.list_rules(session, window, code=code, in_force_on=in_force_on), window.limit)


@exemption_routes.post("", status_code=201, dependencies=[needs("catalogue:write")], response_model=ExemptionView)
async def add_rule(work: WorkDep, body: ExemptionRequest) -> Exemption:
    """Add a rule, or the next version of one: versions of a code never overlap."""
    return await exemptions.add_rule(
        work,
        code=body.code,
        name=body.name,
        legal_basis=body.legal_basis,
        kinds=body.kinds,
        procedures=body.procedures,
        agency_code=body.agency_code,
        percent=body.percent,
        valid_from=body.valid_from,
        valid_to=body.valid_to,
    )


@exemption_routes.post("/{exemption_id}/end", dependencies=[needs("catalogue:write")], response_model=ExemptionView)
async def end_rule(work: WorkDep, exemption_id: UUID, body: EndRequest) -> Exemption:
    """Set the last day of a rule; what it lifted stays lifted."""
    return await exemptions.end_rule(work, exemption_id=exemption_id, valid_to=body.valid_to)
