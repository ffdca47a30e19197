"""HTTP in: fees, payments, receipts, refunds, and the platform's callback."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request, Response

from services.payment import queries
from services.payment.errors import BillNotThere
from services.payment.models import Fee, Payment, Receipt, Refund
from services.payment.operations import attempts, fees, money, refunds
from services.payment.platform.client import PlatformUnclear, Refused
from services.payment.platform.confirming import take_confirm
from services.payment.platform.messages import Reply, Report
from services.payment.queries import Window
from services.payment.schemas import (
    FailureRequest,
    FeeView,
    Page,
    PaymentRequest,
    PaymentView,
    ReceiptView,
    RefundView,
    TransferRequest,
    WaiverRequest,
    page,
    read_cursor,
)
from services.payment.schemas.fees import PAGE_DEFAULT, PAGE_MAX
from services.payment.states import Provider, RefundStatus
from shared.caller import Caller
from shared.errors import Unavailable
from shared.http import CallerDep, SessionDep, WorkDep, needs, problem_responses, router

OFFICE = "dossiers:decide"
"""Taking cash and waiving are acts of an office, not of every system that may open an attempt for a citizen."""

fee_routes = router("fees", prefix="/fees")
payment_routes = router("payments", prefix="/payments")
receipt_routes = router("receipts", prefix="/receipts")
refund_routes = router("refunds", prefix="/refunds")
callback_routes = APIRouter(prefix="/payments/callbacks", tags=["payments"])
ROUTERS: Sequence[APIRouter] = (callback_routes, fee_routes, payment_routes, receipt_routes, refund_routes)

Paged = dict[str, object]


async def _reader(caller: CallerDep) -> Caller:
    caller.require("fees:read", "payments:write", "refunds:write")
    return caller


async def _window(
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> Window:
    return Window(limit, read_cursor(cursor))


ReaderDep = Annotated[Caller, Depends(_reader)]
WindowDep = Annotated[Window, Depends(_window)]
DossierCode = Annotated[str, Query(min_length=1, max_length=64, examples=["H32.14-260407-0001"])]
Filter = Annotated[str | None, Query(max_length=64)]


@fee_routes.get("", dependencies=[needs()], response_model=Page[FeeView])
async def list_fees(session: SessionDep, caller: ReaderDep, window: WindowDep, dossier_code: DossierCode) -> Paged:
    """List what a dossier owes or owed. Needs fees:read, payments:write or refunds:write, as every list here."""
    return page(await queries.list_fees(session, caller, window, dossier_code=dossier_code), window.limit)


@fee_routes.get("/{fee_id}", dependencies=[needs()], response_model=FeeView)
async def get_fee(session: SessionDep, caller: ReaderDep, fee_id: UUID) -> Fee:
    """Get a fee."""
    return await queries.get_fee(session, fee_id, caller)


@fee_routes.post("/{fee_id}/waive", dependencies=[needs("payments:write", OFFICE)], response_model=FeeView)
async def waive_fee(work: WorkDep, fee_id: UUID, body: WaiverRequest) -> Fee:
    """Waive a fee on a legal basis; an open attempt to pay it expires."""
    return await fees.waive_fee(work, fee_id=fee_id, legal_basis=body.legal_basis)


@payment_routes.post(
    "",
    status_code=201,
    dependencies=[needs("payments:write")],
    response_model=PaymentView,
    responses={200: {"model": PaymentView, "description": "An attempt was open already: this one"}},
)
async def start_payment(
    request: Request, response: Response, work: WorkDep, body: PaymentRequest, background: BackgroundTasks
) -> Payment:
    """Open an attempt to pay a fee on the national platform, or record cash taken at the counter.

    A new attempt has no pay_url yet: get the payment until it is there, usually some hundredths of a second later.
    While an attempt is open, the same one is returned: there is never a second link that could be paid.
    Cash needs the scope dossiers:decide as well, settles the fee at once and ends an open attempt.
    """
    if body.provider == Provider.CASH:
        work.caller.require(OFFICE)
        return await money.pay_cash(work, fee_id=body.fee_id)
    state = request.app.state
    payment, opened = await attempts.open_attempt(
        work,
        fee_id=body.fee_id,
        return_url=str(body.return_url) if body.return_url else None,
        life=timedelta(seconds=state.settings.attempt_life_s),
    )
    if not opened:
        response.status_code = 200
    # Background tasks run after the answer has left, which is after the commit.
    background.add_task(state.asker.wake)
    return payment


@payment_routes.get("", dependencies=[needs()], response_model=Page[PaymentView])
async def list_payments(session: SessionDep, caller: ReaderDep, window: WindowDep, dossier_code: DossierCode) -> Paged:
    """List the attempts to pay a dossier's fees."""
    return page(await queries.list_payments(session, caller, window, dossier_code=dossier_code), window.limit)


@payment_routes.get("/{payment_id}", dependencies=[needs()], response_model=PaymentView)
async def get_payment(session: SessionDep, caller: ReaderDep, payment_id: UUID) -> Payment:
    """Get an attempt: its link while it is open, and how it ended."""
    return await queries.get_payment(session, payment_id, caller)


@payment_routes.get(
    "/{payment_id}/bill",
    dependencies=[needs()],
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "The platform's own receipt"}},
)
async def get_bill(request: Request, caller: ReaderDep, payment_id: UUID) -> Response:
    """Get the national platform's own receipt of a payment that succeeded, as PDF."""
    state = request.app.state
    async with state.database.session() as session:
        payment = await queries.get_payment(session, payment_id, caller)
    if payment.provider != Provider.NATIONAL_PLATFORM:
        raise BillNotThere("This payment was made in cash: see its receipt.")
    try:
        bill = await state.platform.bill(payment.reference)
    except PlatformUnclear as problem:
        raise Unavailable("The payment platform does not answer now; try again.") from problem
    if isinstance(bill, Refused):
        raise BillNotThere("The platform has no bill for a payment without money.")
    return Response(bill, media_type="application/pdf")


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


@refund_routes.get("", dependencies=[needs()], response_model=Page[RefundView])
async def list_refunds(
    session: SessionDep,
    caller: ReaderDep,
    window: WindowDep,
    dossier_code: Filter = None,
    status: RefundStatus | None = None,
) -> Paged:
    """List refunds, of one dossier or in one status when given."""
    found = await queries.list_refunds(session, caller, window, dossier_code=dossier_code, status=status)
    return page(found, window.limit)


@refund_routes.post("/{refund_id}/send", dependencies=[needs("refunds:write")], response_model=RefundView)
async def send_refund(work: WorkDep, refund_id: UUID, body: TransferRequest) -> Refund:
    """Record that the transfer back was ordered at the bank, for the first time or after it failed."""
    return await refunds.send_refund(work, refund_id=refund_id, transfer_reference=body.transfer_reference)


@refund_routes.post("/{refund_id}/done", dependencies=[needs("refunds:write")], response_model=RefundView)
async def finish_refund(work: WorkDep, refund_id: UUID) -> Refund:
    """Record that the money has arrived."""
    return await refunds.finish_refund(work, refund_id=refund_id)


@refund_routes.post("/{refund_id}/fail", dependencies=[needs("refunds:write")], response_model=RefundView)
async def fail_refund(work: WorkDep, refund_id: UUID, body: FailureRequest) -> Refund:
    """Record that the transfer came back."""
    return await refunds.fail_refund(work, refund_id=refund_id, reason=body.reason)


@callback_routes.post("/national", response_model_by_alias=True, responses=problem_responses(422, 503))
async def confirm(request: Request, report: Report) -> Reply:
    """Take the platform's CONFIRM (v1.0.6). No token: MaXacThuc is its credential.

    Answered "00" once its effect is committed, and again for every repetition; "99" when it cannot be taken.
    """
    return await take_confirm(request.app.state.database, request.app.state.platform, report)
