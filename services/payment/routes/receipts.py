"""HTTP in: receipts, their documents, their public check, and who issues them."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from services.payment import queries
from services.payment.models import Receipt
from services.payment.operations import issuers, receipts
from services.payment.operations.receipts import Correction
from services.payment.routes.access import Filter, Paged, ReaderDep, WindowDep
from services.payment.schemas import Page, page
from services.payment.schemas.receipts import (
    CancellationRequest,
    IssuingImport,
    IssuingImported,
    IssuingView,
    ReceiptCheck,
    ReceiptState,
    ReceiptView,
    ReplacementRequest,
)
from services.payment.slips.receipts import get_document as document_of
from services.payment.states import ReceiptKind
from shared import clock
from shared.clock import VN
from shared.http import SessionDep, WorkDep, needs, problem_responses, router
from shared.work import open_work

CHECK_PATH = "/api/v1/verify-receipt/"
STATES = {
    ReceiptState.VALID: "Biên lai có hiệu lực",
    ReceiptState.CANCELLED: "Biên lai đã bị hủy",
    ReceiptState.REPLACED: "Biên lai đã được thay thế",
    ReceiptState.IS_CANCELLATION: "Đây là biên lai hủy",
    ReceiptState.UNKNOWN: "Không có biên lai nào mang mã này",
}

receipt_routes = router("receipts", prefix="/receipts")
issuing_routes = router("receipts", prefix="/receipt-issuers")
check_routes = router("receipts", prefix="/verify-receipt")


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


@check_routes.get("/{check_code}", response_model=ReceiptCheck, responses=problem_responses(422))
async def check_receipt(
    session: SessionDep,
    check_code: Annotated[str, Path(min_length=8, max_length=32, pattern="^[A-Z2-7]+$")],
    sha256: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
) -> ReceiptCheck:
    """Check a receipt by the code beneath its QR picture, without a login; with `sha256`, its document as well."""
    receipt = await queries.find_receipt_by_code(session, check_code)
    if receipt is None:
        return ReceiptCheck(state=ReceiptState.UNKNOWN, state_vi=STATES[ReceiptState.UNKNOWN])
    counter = await queries.find_counter(session, receipt.id)
    document = await queries.find_document(session, receipt.id)
    state = _state(receipt, counter)
    return ReceiptCheck(
        state=state,
        state_vi=STATES[state],
        form_number=receipt.form_number,
        series=receipt.series,
        number=receipt.number,
        issuer_code=receipt.issuer_code,
        amount_vnd=receipt.amount_vnd,
        issued_at=receipt.issued_at,
        out_of_force_since=counter.issued_at if counter else None,
        sha256=document.sha256 if document else None,
        document=None if sha256 is None else "same" if document and document.sha256 == sha256 else "different",
    )


def _state(receipt: Receipt, counter: Receipt | None) -> ReceiptState:
    if receipt.kind == ReceiptKind.CANCELLATION:
        return ReceiptState.IS_CANCELLATION
    if counter is None:
        return ReceiptState.VALID
    return ReceiptState.CANCELLED if counter.kind == ReceiptKind.CANCELLATION else ReceiptState.REPLACED


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
async def get_issuing(session: SessionDep, caller: ReaderDep, agency_code: str, on: date | None = None) -> IssuingView:
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


ROUTERS = (receipt_routes, issuing_routes, check_routes)
