"""The portal's inbound calls, in its own words."""

import hashlib

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway import queries
from gateway.portal.inbound import Lookup, PortalDossier, submission
from gateway.routes.proxy import passed_back
from gateway.upstream import Upstream
from shared.http import CallerDep, SessionDep, needs
from shared.telemetry import current_traceparent

router = APIRouter(tags=["portal"], prefix="/api/v1/portal")


@router.post("/dossiers", dependencies=[needs("portal")])
async def submitted_on_portal(request: Request, body: PortalDossier) -> Response:
    """Take a dossier a citizen submitted on the national portal; the same portal number again is the same dossier."""
    upstream: Upstream = request.app.state.upstream
    request.state.service = "intake"
    content = submission(body)
    answer = await upstream.call(
        "intake",
        "POST",
        "/portal-submissions",
        headers=[
            ("authorization", request.headers["authorization"]),
            ("idempotency-key", f"portal-{hashlib.sha256(content).hexdigest()}"),
            ("content-type", "application/json"),
            ("traceparent", current_traceparent() or ""),
        ],
        body=content,
    )
    return passed_back(answer, upstream.urls["intake"])


@router.post("/lookup", dependencies=[needs("portal")])
async def look_up(session: SessionDep, caller: CallerDep, body: Lookup) -> dict[str, object]:
    """Answer TraCuuHoSo: the status we hold of a dossier, in the portal's envelope; an empty result means unknown."""
    view = await queries.find_view(session, caller, body.mahoso)
    if view is None:
        return {"error_code": "0", "message": "Không có hồ sơ", "result": []}
    row = {"MaHoSo": view.code, "MaTTHC": view.procedure_code, "TrangThaiHoSo": str(view.portal_status)}
    return {"error_code": "0", "message": "Thành công", "result": [row]}
