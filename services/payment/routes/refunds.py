"""HTTP in: money on its way back."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Request

from services.payment import queries
from services.payment.models import Refund
from services.payment.operations import refunds
from services.payment.operations.refunds import Destination
from services.payment.routes.access import OFFICE, Filter, Paged, ReaderDep, WindowDep
from services.payment.schemas import FailureRequest, Page, RefundRequest, RefundView, TransferRequest, page
from services.payment.states import RefundReason, RefundStatus
from shared.http import SessionDep, WorkDep, needs, router

refund_routes = router("refunds", prefix="/refunds")
ROUTERS: Sequence[APIRouter] = (refund_routes,)


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


@refund_routes.post("", status_code=201, dependencies=[needs("refunds:write", OFFICE)], response_model=RefundView)
async def request_refund(work: WorkDep, body: RefundRequest) -> Refund:
    """Ask for the refund of a payment that settled its fee, whole or in part, on a legal basis.

    What settled nothing goes back by itself. All refunds of a payment together are never more than the payment.
    """
    return await refunds.refund_payment(
        work,
        payment_id=body.payment_id,
        amount_vnd=body.amount_vnd,
        reason=RefundReason(body.reason),
        legal_basis=body.legal_basis,
    )


@refund_routes.post("/{refund_id}/send", dependencies=[needs("refunds:write")], response_model=RefundView)
async def send_refund(
    request: Request, work: WorkDep, refund_id: UUID, body: TransferRequest, background: BackgroundTasks
) -> Refund:
    """Record that money was sent back, for the first time or after it failed, then also to another account.

    With the method `provider` it is the provider that took the money (vnpay) who carries it back: the refund is then
    done or failed by itself.
    """
    to = Destination(
        method=body.method,
        transfer_reference=body.transfer_reference,
        account_number=body.account_number,
        account_bank=body.account_bank,
        account_name=body.account_name,
        desk_shift_id=body.desk_shift_id,
    )
    sent = await refunds.send_refund(work, refund_id=refund_id, to=to)
    background.add_task(request.app.state.asker.wake)
    return sent


@refund_routes.post("/{refund_id}/done", dependencies=[needs("refunds:write")], response_model=RefundView)
async def finish_refund(work: WorkDep, refund_id: UUID) -> Refund:
    """Record that the money has arrived."""
    return await refunds.finish_refund(work, refund_id=refund_id)


@refund_routes.post("/{refund_id}/fail", dependencies=[needs("refunds:write")], response_model=RefundView)
async def fail_refund(work: WorkDep, refund_id: UUID, body: FailureRequest) -> Refund:
    """Record that the money came back, on its way or days after it had arrived; it can be sent again."""
    return await refunds.fail_refund(work, refund_id=refund_id, reason=body.reason)
