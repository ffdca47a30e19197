"""HTTP in: what the national portal itself asks before it lets somebody pay there."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.payment import queries
from services.payment.platform.messages import Debt, DebtQuestion
from shared.http import CallerDep, SessionDep, needs, problem_responses

lookup_routes = APIRouter(prefix="/payments/lookups", tags=["payments"], responses=problem_responses(401, 403, 422))
ROUTERS: Sequence[APIRouter] = (lookup_routes,)


@lookup_routes.post("/national", dependencies=[needs("portal")], response_model_by_alias=True)
async def look_up_debt(session: SessionDep, caller: CallerDep, question: DebtQuestion) -> Debt:
    """Answer dptracuuthanhtoanhs: error_code 1 must pay, 0 nothing to pay, -1 not known or not accepted yet.

    It changes nothing, so it needs no Idempotency-Key.
    """
    dossier = await queries.find_dossier(session, question.code)
    if dossier is None or not caller.may_see(dossier.agency_code):
        return Debt.unknown(question.code)
    return Debt.of(question.code, await queries.list_due_fees(session, question.code))
