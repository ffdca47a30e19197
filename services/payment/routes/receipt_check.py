"""HTTP in: the public check of a receipt, as JSON or, for who scans its QR picture, as a page."""

from functools import cache
from importlib.resources import files
from typing import Annotated

import jinja2
from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import HTMLResponse

from services.payment import queries
from services.payment.models import Receipt
from services.payment.schemas.receipts import ReceiptCheck, ReceiptState
from services.payment.states import ReceiptKind
from shared.clock import VN
from shared.http import SessionDep, problem_responses
from shared.printing import dong, short_moment

STATES = {
    ReceiptState.VALID: "Biên lai có hiệu lực",
    ReceiptState.CANCELLED: "Biên lai đã bị hủy",
    ReceiptState.REPLACED: "Biên lai đã được thay thế",
    ReceiptState.IS_CANCELLATION: "Đây là biên lai hủy",
    ReceiptState.UNKNOWN: "Không có biên lai nào mang mã này",
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
}

check_routes = APIRouter(prefix="/verify-receipt", tags=["receipts"], responses=problem_responses(422, 503))
ROUTERS = (check_routes,)


@check_routes.get(
    "/{check_code}",
    response_model=ReceiptCheck,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
async def check_receipt(
    session: SessionDep,
    check_code: Annotated[str, Path(min_length=8, max_length=32, pattern="^[A-Z2-7]+$", examples=["MZXW6YTBOI2HKZJ4"])],
    sha256: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")] = None,
    accept: Annotated[str, Header(max_length=1000, description="text/html for a page, anything else for JSON")] = "",
) -> Response:
    """Check a receipt by the code beneath its QR picture, without a login; with `sha256`, its document as well."""
    receipt = await queries.find_receipt_by_code(session, check_code)
    found = await _known(session, receipt, sha256) if receipt else _said(ReceiptState.UNKNOWN)
    if "text/html" in accept:
        return HTMLResponse(_template().render(found=found, dong=dong, shown=short_moment), headers=_HEADERS)
    return Response(found.model_dump_json(), media_type="application/json", headers=_HEADERS)


async def _known(session: SessionDep, receipt: Receipt, sha256: str | None) -> ReceiptCheck:
    counter = await queries.find_counter(session, receipt.id)
    document = await queries.find_document(session, receipt.id)
    issuer = await queries.find_issuer(session, receipt.issuer_code, receipt.issued_at.astimezone(VN).date())
    said = _said(_state(receipt, counter))
    said.form_number, said.series, said.number = receipt.form_number, receipt.series, receipt.number
    said.issuer_code, said.issuer_name = receipt.issuer_code, issuer.name if issuer else None
    said.amount_vnd, said.issued_at = receipt.amount_vnd, receipt.issued_at
    said.out_of_force_since = counter.issued_at if counter else None
    said.sha256 = document.sha256 if document else None
    if sha256 is not None:
        said.document = "same" if sha256 == said.sha256 else "different"
    return said


def _said(state: ReceiptState) -> ReceiptCheck:
    return ReceiptCheck(state=state, state_vi=STATES[state])


def _state(receipt: Receipt, counter: Receipt | None) -> ReceiptState:
    if receipt.kind == ReceiptKind.CANCELLATION:
        return ReceiptState.IS_CANCELLATION
    if counter is None:
        return ReceiptState.VALID
    return ReceiptState.CANCELLED if counter.kind == ReceiptKind.CANCELLATION else ReceiptState.REPLACED


@cache
def _template() -> jinja2.Template:
    source = files("services.payment.routes").joinpath("receipt_check.html").read_text("utf-8")
    return jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(source)
