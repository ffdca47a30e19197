"""HTTP in: attempts to pay."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Query, Request, Response

from services.payment import queries
from services.payment.errors import BillNotThere, QrNotThere
from services.payment.models import Payment
from services.payment.operations import attempts, money
from services.payment.platform import vietqr
from services.payment.platform.port import Refused, Unclear
from services.payment.routes.access import OFFICE, DossierCode, Paged, ReaderDep, WindowDep
from services.payment.schemas import Page, PaymentRequest, PaymentView, ProvidersView, page
from services.payment.states import Provider
from shared.errors import Unavailable
from shared.http import SessionDep, WorkDep, needs, router

payment_routes = router("payments", prefix="/payments")
ROUTERS: Sequence[APIRouter] = (payment_routes,)


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
    """Open an attempt to pay a fee with a provider, or record cash taken at the counter.

    A new attempt has no pay_url yet (by transfer: no qr_payload): get the payment until it is there, usually some
    hundredths of a second later. While an attempt is open, the same one is returned: there is never a second link that
    could be paid. Another way of paying needs the open attempt to be cancelled first. Cash needs the scope
    dossiers:decide as well, settles the fee at once and ends an open attempt.
    """
    state = request.app.state
    if body.provider == Provider.CASH:
        work.caller.require(OFFICE)
        return await money.pay_cash(
            work, fee_id=body.fee_id, routing=state.gateways.routing, desk_shift_id=body.desk_shift_id
        )
    payment, opened = await attempts.open_attempt(
        work,
        fee_id=body.fee_id,
        provider=body.provider,
        return_url=str(body.return_url) if body.return_url else None,
        life=timedelta(seconds=state.settings.attempt_life_s),
        routing=state.gateways.routing,
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


@payment_routes.get("/providers", dependencies=[needs()], response_model=ProvidersView)
async def list_providers(
    request: Request, caller: ReaderDep, agency_code: Annotated[str, Query(min_length=3, max_length=32)]
) -> ProvidersView:
    """Tell which ways of paying an agency offers."""
    del caller
    return ProvidersView(agency_code=agency_code, providers=request.app.state.gateways.routing.offered(agency_code))


@payment_routes.get("/{payment_id}", dependencies=[needs()], response_model=PaymentView)
async def get_payment(session: SessionDep, caller: ReaderDep, payment_id: UUID) -> Payment:
    """Get an attempt: how it can be paid while it is open, and how it ended."""
    return await queries.get_payment(session, payment_id, caller)


@payment_routes.post("/{payment_id}/cancel", dependencies=[needs("payments:write")], response_model=PaymentView)
async def cancel_payment(work: WorkDep, payment_id: UUID) -> Payment:
    """End an open attempt, so that the fee can be paid another way; money that still comes for it goes back."""
    return await attempts.cancel_attempt(work, payment_id=payment_id)


@payment_routes.get(
    "/{payment_id}/qr",
    dependencies=[needs()],
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}, "image/png": {}}, "description": "The QR code"}},
)
async def get_qr(
    session: SessionDep,
    caller: ReaderDep,
    payment_id: UUID,
    picture: Annotated[vietqr.Picture, Query(alias="format")] = "svg",
) -> Response:
    """Get the QR code of an open attempt by transfer, as a picture that every banking app of NAPAS reads."""
    payment = await queries.get_payment(session, payment_id, caller)
    if payment.qr_payload is None:
        raise QrNotThere("Only an open attempt by vietqr has one; a new one has it some hundredths of a second later.")
    return Response(vietqr.picture(payment.qr_payload, picture), media_type=vietqr.MEDIA[picture])


@payment_routes.get(
    "/{payment_id}/bill",
    dependencies=[needs()],
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "The provider's own receipt"}},
)
async def get_bill(request: Request, caller: ReaderDep, payment_id: UUID) -> Response:
    """Get the provider's own receipt of a payment that succeeded, as PDF; only the national platform gives one."""
    state = request.app.state
    async with state.database.session() as session:
        payment = await queries.get_payment(session, payment_id, caller)
    if payment.provider != Provider.NATIONAL_PLATFORM:
        raise BillNotThere("Only the national platform gives a bill: see this payment's receipt.")
    try:
        bill = await state.gateways.by_provider[Provider.NATIONAL_PLATFORM].bill(payment)
    except Unclear as problem:
        raise Unavailable("The payment platform does not answer now; try again.") from problem
    if isinstance(bill, Refused):
        raise BillNotThere("The platform has no bill for a payment without money.")
    return Response(bill, media_type="application/pdf")
