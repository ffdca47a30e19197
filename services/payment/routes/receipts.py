"""HTTP in: receipts, their documents, and who issues them."""

from uuid import UUID

from fastapi import Request, Response

from services.payment import queries
from services.payment.models import Receipt
from services.payment.operations import issuers, receipts
from services.payment.operations.receipts import Correction
from services.payment.routes.access import AgencyPath, Filter, Paged, ReaderDep, WindowDep
from services.payment.schemas import Page, page
from services.payment.schemas.receipts import (
    CancellationRequest,
    IssuingImport,
    IssuingImported,
    IssuingView,
    ReceiptView,
    ReplacementRequest,
)
from services.payment.slips.receipts import get_document as document_of
from shared import clock
from shared.bodies import Day
from shared.clock import VN
from shared.http import SessionDep, WorkDep, needs, router
from shared.work import open_work

CHECK_PATH = "/api/v1/verify-receipt/"

receipt_routes = router("receipts", prefix="/receipts")
issuing_routes = router("receipts", prefix="/receipt-issuers")


@receipt_routes.get("", dependencies=[needs()], response_model=Page[ReceiptView])
async def list_receipts(
    session: SessionDep,
    caller: ReaderDep,
    window: WindowDep,
    dossier_code: Filter = None,
    issuer_code: Filter = None,
    series: Filter = None,
) -> Paged:
    """List receipts, of one dossier, issuer or series when given."""
    found = await queries.list_receipts(
        session, caller, window, dossier_code=dossier_code, issuer_code=issuer_code, series=series
    )
    return page(found, window.limit)


@receipt_routes.get("/{receipt_id}", dependencies=[needs()], response_model=ReceiptView)
async def get_receipt(session: SessionDep, caller: ReaderDep, receipt_id: UUID) -> Receipt:
    """Get a receipt."""
    return await queries.get_receipt(session, receipt_id, caller)


@receipt_routes.get(
    "/{receipt_id}/document",
    dependencies=[needs()],
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "The receipt, signed by its issuer"}},
)
async def get_document(request: Request, caller: ReaderDep, receipt_id: UUID) -> Response:
    """Get a receipt as signed PDF: made when it is first asked for, the same bytes ever after."""
    state = request.app.state
    async with open_work(state.database, caller) as work:
        receipt = await queries.get_receipt(work.session, receipt_id, caller)
        document = await document_of(work, receipt, state.seals, check_url=state.settings.issuer + CHECK_PATH)
    name = f"{receipt.issuer_code}-{receipt.series}-{receipt.number:07d}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "ETag": f'"{document.sha256}"'}
    return Response(document.content, media_type="application/pdf", headers=headers)


@receipt_routes.post(
    "/{receipt_id}/cancel", status_code=201, dependencies=[needs("ledger:write")], response_model=ReceiptView
)
async def cancel_receipt(work: WorkDep, receipt_id: UUID, body: CancellationRequest) -> Receipt:
    """Take a receipt out of force: returns the cancelling one, which has a number of its own."""
    return await receipts.cancel_receipt(work, receipt_id=receipt_id, reason=body.reason)


@receipt_routes.post(
    "/{receipt_id}/replace", status_code=201, dependencies=[needs("ledger:write")], response_model=ReceiptView
)
async def replace_receipt(work: WorkDep, receipt_id: UUID, body: ReplacementRequest) -> Receipt:
    """Put a receipt that names its payer rightly in the place of one that does not: returns the new one."""
    correction = Correction(body.payer_name, body.payer_address)
    return await receipts.replace_receipt(work, receipt_id=receipt_id, reason=body.reason, correction=correction)


@issuing_routes.post("/import", dependencies=[needs("ledger:write")], response_model=IssuingImported)
async def import_issuing(work: WorkDep, body: IssuingImport) -> issuers.Imported:
    """Take in issuers, delegations and treasury accounts, all or none; what is in force is never changed."""
    return await issuers.import_issuing(
        work,
        issuers=[row.model_dump() for row in body.issuers],
        delegations=[row.model_dump() for row in body.delegations],
        treasury_accounts=[row.model_dump() for row in body.treasury_accounts],
    )


@issuing_routes.get("/{agency_code}", dependencies=[needs()], response_model=IssuingView)
async def get_issuing(
    session: SessionDep, caller: ReaderDep, agency_code: AgencyPath, on: Day | None = None
) -> IssuingView:
    """Get who issues an agency's receipts on a day (today), in which forms, and where its money goes."""
    day = on or clock.now().astimezone(VN).date()
    issuing = await queries.get_issuing_of(session, agency_code, day, caller)
    issuer = await queries.find_issuer(session, issuing.issuer_code, day)
    return IssuingView(
        agency_code=agency_code,
        on=day,
        issuer_code=issuing.issuer_code,
        issuer_name=issuer.name if issuer else None,
        forms=[
            {"covers": form.covers, "form_number": form.form_number, "letters": form.letters} for form in issuing.forms
        ],
        treasury_account=await queries.find_treasury_account(session, agency_code, day),
    )


ROUTERS = (receipt_routes, issuing_routes)
