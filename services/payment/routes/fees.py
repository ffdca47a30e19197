"""HTTP in: what dossiers owe, and whether we have the money."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter

from services.payment import queries
from services.payment.models import Fee
from services.payment.operations import exemptions, fees
from services.payment.routes.access import OFFICE, DossierCode, Paged, ReaderDep, WindowDep
from services.payment.schemas import ExemptRequest, FeeView, MoneyView, Page, WaiverRequest, money_view, page
from shared.http import SessionDep, WorkDep, needs, router

fee_routes = router("fees", prefix="/fees")
ROUTERS: Sequence[APIRouter] = (fee_routes,)


@fee_routes.get("", dependencies=[needs()], response_model=Page[FeeView])
async def list_fees(session: SessionDep, caller: ReaderDep, window: WindowDep, dossier_code: DossierCode) -> Paged:
    """List what a dossier owes or owed. Needs fees:read, payments:write or refunds:write, as every list here."""
    return page(await queries.list_fees(session, caller, window, dossier_code=dossier_code), window.limit)


@fee_routes.get("/{fee_id}", dependencies=[needs()], response_model=FeeView)
async def get_fee(session: SessionDep, caller: ReaderDep, fee_id: UUID) -> Fee:
    """Get a fee."""
    return await queries.get_fee(session, fee_id, caller)


@fee_routes.get("/{fee_id}/money", dependencies=[needs()])
async def get_money(session: SessionDep, caller: ReaderDep, fee_id: UUID) -> MoneyView:
    """Tell whether we have the money for a fee, in figures and in words for the citizen."""
    fee = await queries.get_fee(session, fee_id, caller)
    return money_view(fee, await queries.money_of_fee(session, fee))


@fee_routes.post("/{fee_id}/waive", dependencies=[needs("payments:write", OFFICE)], response_model=FeeView)
async def waive_fee(work: WorkDep, fee_id: UUID, body: WaiverRequest) -> Fee:
    """Waive a fee on a legal basis; an open attempt to pay it expires."""
    return await fees.waive_fee(work, fee_id=fee_id, legal_basis=body.legal_basis)


@fee_routes.post("/{fee_id}/exempt", dependencies=[needs("payments:write", OFFICE)], response_model=FeeView)
async def exempt_fee(work: WorkDep, fee_id: UUID, body: ExemptRequest) -> Fee:
    """Apply a rule of exemption, as it was in force when the fee was assessed.

    What is due is waived or reduced and an open attempt to pay it expires; of what was paid the lifted part goes back.
    """
    return await exemptions.exempt_fee(work, fee_id=fee_id, code=body.exemption_code, evidence=body.evidence)
