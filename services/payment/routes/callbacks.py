"""HTTP in: what providers tell by themselves. No tokens here: signatures are the credentials."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel

from services.payment.errors import ProviderNotOffered
from services.payment.platform import bank, messages
from services.payment.platform.confirming import take_notice
from services.payment.platform.messages import Reply, Report
from services.payment.platform.national import Platform
from services.payment.states import Outcome, Provider
from shared.db import is_outage
from shared.http import problem_responses

BODY_MAX = 64 * 1024
callback_routes = APIRouter(prefix="/payments/callbacks", tags=["payments"])
ROUTERS: Sequence[APIRouter] = (callback_routes,)

_NATIONAL: Mapping[Outcome, str] = {
    Outcome.WRONG_HASH: "MaXacThuc không đúng",
    Outcome.MALFORMED: "Bản tin không đúng định dạng",
    Outcome.UNKNOWN_REFERENCE: "Không có mã tham chiếu này",
    Outcome.TRANSACTION_REUSED: "Mã giao dịch đã dùng cho thanh toán khác",
}
"""What the platform is told with "99"; everything else is taken, and it need not tell it again."""


class VnpayReply(BaseModel):
    """Our answer to an IPN; VNPAY tells it again unless the code is 00 or 02."""

    RspCode: str
    Message: str


class BankReply(BaseModel):
    """Our answer to a push; the bank tells it again unless the code is 00."""

    code: str
    message: str


_CONFIRMED, _AGAIN = (
    VnpayReply(RspCode="00", Message="Confirm Success"),
    VnpayReply(RspCode="99", Message="Unknown error"),
)
_KNOWN = VnpayReply(RspCode="02", Message="Order already confirmed")
_VNPAY: Mapping[Outcome, VnpayReply] = {
    Outcome.UNKNOWN_REFERENCE: VnpayReply(RspCode="01", Message="Order not found"),
    Outcome.DUPLICATE: _KNOWN,
    Outcome.TOO_LATE: _KNOWN,
    # The money is recorded and goes back, whatever VNPAY makes of this.
    Outcome.WRONG_AMOUNT: VnpayReply(RspCode="04", Message="Invalid amount"),
    Outcome.WRONG_HASH: VnpayReply(RspCode="97", Message="Fail checksum"),
    Outcome.MALFORMED: _AGAIN,
    Outcome.TRANSACTION_REUSED: _AGAIN,
}
_BANK: Mapping[Outcome, BankReply] = {
    Outcome.WRONG_HASH: BankReply(code="97", message="wrong signature"),
    Outcome.MALFORMED: BankReply(code="99", message="malformed"),
    Outcome.TRANSACTION_REUSED: BankReply(code="99", message="this transaction paid another attempt"),
}


@callback_routes.post("/national", response_model_by_alias=True, responses=problem_responses(422, 503))
async def confirm(request: Request, report: Report) -> Reply:
    """Take the platform's CONFIRM (v1.0.6). No token: MaXacThuc is its credential.

    Answered "00" once its effect is committed, and again for every repetition; "99" when it cannot be taken.
    """
    state = request.app.state
    platform: Platform = state.gateways.by_provider[Provider.NATIONAL_PLATFORM]
    reading = platform.read(report.model_dump(by_alias=True))
    refusal = _NATIONAL.get(await take_notice(state.database, state.gateways, reading))
    return platform.reply(
        code=messages.REFUSED if refusal else messages.TAKEN,
        description=refusal or "Thành công",
        reference=report.reference,
        key_used=reading.notice.key_used,
    )


@callback_routes.get("/vnpay", responses=problem_responses(409))
async def ipn(request: Request) -> VnpayReply:
    """Take VNPAY's IPN (2.1.0), all of it in the query. No token: vnp_SecureHash is its credential.

    00 taken, 01 no such order, 02 told before, 04 another amount than asked (recorded, its refund is requested),
    97 wrong vnp_SecureHash, 99 anything else: tell it again.
    """
    state = request.app.state
    vnpay = state.gateways.by_provider.get(Provider.VNPAY)
    if vnpay is None:
        raise ProviderNotOffered("VNPAY is not set up here.", provider=Provider.VNPAY)
    try:
        outcome = await take_notice(state.database, state.gateways, vnpay.read(dict(request.query_params)))
    except Exception as problem:
        if not is_outage(problem):
            raise
        return _AGAIN
    return _VNPAY.get(outcome, _CONFIRMED)


@callback_routes.post("/vietqr", responses=problem_responses(409))
async def push(
    request: Request, signature: Annotated[str, Header(alias=bank.SIGNATURE, max_length=128)] = ""
) -> BankReply:
    """Take the bank's push of one credit. No token: X-Signature, HMAC-SHA256 over the body, is its credential.

    A credit that names no attempt of ours is taken as well, and waits for a person.
    """
    state = request.app.state
    gateway = state.gateways.by_provider.get(Provider.VIETQR)
    if gateway is None:
        raise ProviderNotOffered("Transfers are not set up here.", provider=Provider.VIETQR)
    body = await request.body()
    reading = gateway.read({bank.BODY: body[:BODY_MAX], bank.SIGNED: signature})
    outcome = await take_notice(state.database, state.gateways, reading)
    return _BANK.get(outcome, BankReply(code="00", message="taken"))
