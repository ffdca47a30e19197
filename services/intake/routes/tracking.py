"""Tracking: whoever has a dossier's tracking code sees its status and dates, as JSON or, in a browser, as a page."""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Annotated

import jinja2
from fastapi import APIRouter, Header, Path, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.intake import queries
from services.intake.errors import DossierNotFound
from services.intake.models import Dossier, SupplementRequest
from services.intake.schemas.tracking import Stage, TrackingView, tracking_view
from shared.http import SessionDep, problem_responses
from shared.printing import short_moment

BEHIND_GATEWAY = "/api/v1/tracking"
_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
_HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE_HEADERS = _HEADERS | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
}

tracking = APIRouter(prefix="/tracking", tags=["tracking"], responses=problem_responses(404, 422, 503))

Accept = Annotated[str, Header(max_length=1000, description="text/html for a page, anything else for JSON")]


@tracking.get("", response_class=HTMLResponse, summary="Ask for a tracking code")
async def ask(code: Annotated[str | None, Query(max_length=40)] = None) -> Response:
    """Show a page that asks for a tracking code, or go to the one that was typed."""
    if code and (plain := _plain(code)):
        return RedirectResponse(f"/tracking/{plain}", status_code=303, headers=_PAGE_HEADERS)
    return _page()


@tracking.get(
    "/{tracking_code}",
    response_model=TrackingView,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
async def track(
    session: SessionDep,
    tracking_code: Annotated[str, Path(max_length=40, examples=["7K2M-9XQD-0B3F-VN8T"])],
    accept: Accept = "",
) -> Response:
    """Show where a dossier stands and its dates, nothing personal; no login."""
    wants_page = "text/html" in accept
    try:
        dossier = await queries.get_tracked(session, _plain(tracking_code))
    except DossierNotFound:
        if wants_page:
            return _page(missing=True)
        raise
    found = tracking_view(dossier, await _asked(session, dossier))
    if wants_page:
        return _page(found)
    return Response(found.model_dump_json(), media_type="application/json", headers=_HEADERS)


async def _asked(session: SessionDep, dossier: Dossier) -> list[SupplementRequest]:
    return list(await queries.list_open_supplements(session, [dossier.code]))


def _plain(code: str) -> str:
    """Return a code as it is kept, however it was typed."""
    return re.sub(r"[^0-9A-Z]", "", code.upper()).translate(_ALIKE)


def _page(found: TrackingView | None = None, *, missing: bool = False) -> Response:
    dates = list(_dates(found)) if found else []
    page = _template().render(found=found, missing=missing, dates=dates, shown=short_moment, action=BEHIND_GATEWAY)
    return HTMLResponse(page, status_code=404 if missing else 200, headers=_PAGE_HEADERS)


def _dates(found: TrackingView) -> Iterator[tuple[str, datetime, bool]]:
    """Yield the dates there are, in order of a dossier's life, and whether one is what matters now."""
    waits = found.stage in {Stage.PROCESSING, Stage.COMPLETED}
    labelled = [
        ("Nộp hồ sơ", found.submitted_at, False),
        ("Tiếp nhận hợp lệ", found.accepted_at, False),
        ("Bổ sung trước", found.respond_by, True),
        ("Hẹn trả kết quả", found.due_at, waits),
        ("Có kết quả", found.completed_at, False),
        ("Trả kết quả", found.returned_at, False),
        ("Từ chối tiếp nhận", found.rejected_at, False),
        ("Rút hồ sơ", found.withdrawn_at, False),
        ("Hủy do nhập nhầm", found.retracted_at, False),
    ]
    return ((label, moment, now) for label, moment, now in labelled if moment is not None)


@cache
def _template() -> jinja2.Template:
    source = files("services.intake.routes").joinpath("tracking.html").read_text("utf-8")
    return jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(source)
