"""The portal's inbound calls, in its own words."""

from http import HTTPStatus
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.portal.answering import dossier_shown, in_envelope, in_rest_words
from gateway.portal.archive import WantedFile, WantedResults, as_answer, as_file, as_search
from gateway.portal.inbound import Lookup, PortalDossier
from gateway.routes.handing_over import hand_over
from gateway.routes.proxy import passed_back
from gateway.upstream import Upstream
from shared import clock
from shared.caller import Caller
from shared.http import CallerDep, SessionDep, needs, problem_responses
from shared.ids import new_id
from shared.telemetry import current_traceparent

router = APIRouter(
    tags=["portal"],
    prefix="/api/v1/portal",
    responses=problem_responses(400, 401, 403, 404, 409, 413, 422, 503, 504),
)


@router.post("/dossiers", dependencies=[needs("portal")])
async def submitted_on_portal(request: Request, body: PortalDossier) -> Response:
    """Take a dossier a citizen submitted on the national portal, with its files; the same number is the same dossier.

    Each file is fetched from DuongDanTaiTepTin, which must be at one of the portal's own hosts, and must hash to
    HashTepTin. 503 `portal_file_unavailable`: a file cannot be had now, no dossier was made; hand it over again.
    """
    request.state.service = "intake"
    return await hand_over(request, body)


@router.post("/lookup", dependencies=[needs("portal")])
async def look_up(session: SessionDep, caller: CallerDep, body: Lookup) -> dict[str, object]:
    """Answer TraCuuHoSo in the legacy words: status, those before it, and dates; an empty result means unknown."""
    return in_envelope(await _shown(session, caller, body.mahoso))


@router.get("/hoso", dependencies=[needs("portal")])
async def find_dossier(
    session: SessionDep, caller: CallerDep, code: Annotated[str, Query(alias="MaHoSo", min_length=1, max_length=60)]
) -> dict[str, object]:
    """Answer TraCuuHoSo in the REST words of 2026: the same, with ISO times; null data means unknown."""
    return in_rest_words(await _shown(session, caller, code))


async def _shown(session: AsyncSession, caller: Caller, code: str) -> dict[str, object] | None:
    view = await queries.find_view(session, caller, code)
    if view is None or "submitted" not in view.facts:
        return None
    told = await queries.list_debts(session, code)
    return dossier_shown(code, view.facts, view.portal_status, [(one.status, one.happened_at) for one in told])


@router.post("/results/search", dependencies=[needs("portal")])
async def search_results(request: Request, body: WantedResults) -> Response:
    """Answer KhoSoHoa: an owner's valid results, of whichever agency; who asked, and for which procedure, is kept."""
    upstream: Upstream = request.app.state.upstream
    request.state.service = "results"
    content = orjson.dumps(as_search(body, clock.now().isoformat()))
    answer = await upstream.call(
        "results", "POST", "/reuse/searches", headers=_headers(request, f"khosohoa-{new_id()}"), body=content
    )
    if answer.status != HTTPStatus.CREATED:
        return passed_back(answer, upstream.urls["results"])
    return JSONResponse(as_answer(body, answer.json()))


@router.post("/results/file", dependencies=[needs("portal")])
async def read_result(request: Request, body: WantedFile) -> Response:
    """Answer KhoSoHoa with a file, in base64, that an earlier answer named; reading it is kept."""
    upstream: Upstream = request.app.state.upstream
    request.state.service = "results"
    consent_id, _, result_id = body.DuongDan.partition("/")
    path = f"/reuse/searches/{consent_id}/documents/{result_id}"
    answer = await upstream.call("results", "GET", path, headers=_headers(request))
    if answer.status != HTTPStatus.OK:
        return passed_back(answer, upstream.urls["results"])
    return JSONResponse(as_file(answer.body))


def _headers(request: Request, key: str | None = None) -> list[tuple[str, str]]:
    headers = [
        ("authorization", request.headers["authorization"]),
        ("content-type", "application/json"),
        ("traceparent", current_traceparent() or ""),
    ]
    return [*headers, ("idempotency-key", key)] if key else headers
