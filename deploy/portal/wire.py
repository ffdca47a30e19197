"""The adapter's three doors, in the portal's legacy words: /auth, /integration, /share (DOMAIN.md §1.1)."""

import secrets
import sqlite3

from fastapi import APIRouter, Request, Response

from deploy.portal import exchange
from deploy.portal.exchange import Answer, json_response, record_call
from deploy.portal.faults import LOGIN, PUSHES
from deploy.portal.ledger import stamp
from deploy.portal.parts import Portal, portal_of
from deploy.portal.receiving import codes_of, text_of
from deploy.portal.services import INTEGRATION, SHARE, Asked, Service
from deploy.portal.sessions import is_open, open_session, same_login
from deploy.portal.visit import Visit, read_object, serve

SYSTEM_BUSY = Answer(exchange.BUSY, "Hệ thống đang bận, vui lòng thử lại sau")
NO_DESTINATION = Answer(exchange.NO_DESTINATION, "Thiếu tiêu đề dstcode")
MALFORMED = Answer(exchange.MALFORMED, "Bản tin phải là một đối tượng JSON có session, madonvi và service")
NO_SESSION = Answer(exchange.NO_SESSION, "Phiên làm việc không tồn tại hoặc đã hết hạn")
BAD_LOGIN = Answer(exchange.BAD_LOGIN, "Tên đăng nhập hoặc mật khẩu không đúng")

router = APIRouter(tags=["adapter"])


@router.post("/auth")
async def log_in(request: Request) -> Response:
    """Open a session: {"username", "password"} → {"error_code", "session"}."""
    portal = portal_of(request)
    visit = Visit(request, portal, LOGIN, await portal.menu.draw(LOGIN, ()))
    body = await read_object(request) or {}

    async def work() -> Response:
        opened = "dstcode" in request.headers and _may_log_in(portal, body)
        answer = await portal.ledger.run(lambda db: _open_session(db, visit, opened=opened))
        return _written(visit, answer if "dstcode" in request.headers else NO_DESTINATION)

    return await serve(visit, work, lambda: _written(visit, SYSTEM_BUSY))


@router.post("/integration")
async def integrate(request: Request) -> Response:
    """Push and search: DongBoHoSoMC, CapNhatTienDoHoSoMC, TraCuuHoSo."""
    return await _converse(request, INTEGRATION)


@router.post("/share")
async def share(request: Request) -> Response:
    """Catalogues: LayThuTuc, LayDanhSachTTHC, LayDanhMucCoQuan, LayDanhMucLinhVuc."""
    return await _converse(request, SHARE)


async def _converse(request: Request, services: dict[str, Service]) -> Response:
    portal, envelope = portal_of(request), await read_object(request) or {}
    service = text_of(envelope, "service")
    data = envelope.get("data")
    rows: list[object] = data if isinstance(data, list) else []
    dossiers = codes_of(rows) or [text_of(envelope, "mahoso")]
    fired = await portal.menu.draw(service, dossiers)
    updating = envelope.get("isUpdating")
    visit = Visit(
        request, portal, service, fired, text_of(envelope, "madonvi"), None if updating is None else str(updating)
    )

    async def work() -> Response:
        row_faults = (
            {}
            if service not in PUSHES
            else await portal.menu.draw_rows(service, dossiers, creating=updating == "False")
        )
        asked = Asked(envelope, rows, row_faults, portal.catalogue, portal.settings.portal_batch_max)
        return _written(visit, await portal.ledger.run(lambda db: _answer(db, visit, services.get(service), asked)))

    return await serve(visit, work, lambda: _written(visit, SYSTEM_BUSY))


def _answer(db: sqlite3.Connection, visit: Visit, service: Service | None, asked: Asked) -> Answer:
    call = visit.call(db)
    session = text_of(asked.envelope, "session")
    if visit.befallen_by("expired_session"):
        db.execute("delete from session where id = ?", (session,))
    if "dstcode" not in visit.request.headers:
        answer = NO_DESTINATION
    elif not (session and visit.service and visit.unit):
        answer = MALFORMED
    elif not is_open(db, session, visit.portal.settings.portal_session_s):
        answer = NO_SESSION
    elif service is None:
        answer = Answer(exchange.UNKNOWN_SERVICE, f"Không có dịch vụ {visit.service} ở địa chỉ này")
    else:
        answer = service(db, call, asked)
    record_call(db, call, "answered" if answer.code == exchange.OK else "failed", answer.code, answer.message)
    return answer


def _written(visit: Visit, answer: Answer) -> Response:
    return json_response(visit.portal.codes.envelope(answer, quirky=visit.befallen_by("quirky_codes") is not None))


def _may_log_in(portal: Portal, body: dict[str, object]) -> bool:
    return same_login(portal, text_of(body, "username"), text_of(body, "password"))


def _open_session(db: sqlite3.Connection, visit: Visit, *, opened: bool) -> Answer:
    call = visit.call(db)
    answer = BAD_LOGIN
    if opened:
        answer = Answer(exchange.OK, "Đăng nhập thành công", session=secrets.token_urlsafe(24))
        open_session(db, str(answer.session), visit.portal.settings.portal_session_s, stamp())
    record_call(db, call, "answered" if opened else "failed", answer.code, answer.message)
    return answer
