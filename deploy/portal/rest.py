"""The portal's doors of 2026: OAuth and REST (DOMAIN.md §1.8). Another tongue, the same memory, faults and judgement.

Paths, methods, HTTP statuses and the code of success are assumed: one vendor's list names calls and fields only.
"""

import hashlib
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Request, Response

from deploy.portal import exchange
from deploy.portal.exchange import Call, Entry, json_response, record_call, record_rows
from deploy.portal.faults import LOGIN, PUSHES, Fault
from deploy.portal.ledger import stamp
from deploy.portal.parts import portal_of
from deploy.portal.receiving import CORRECTED, receive_dossiers, receive_progress, text_of
from deploy.portal.rest_held import held_words, holds, id_of, keep_words
from deploy.portal.rest_words import from_hoso, to_progress, to_state, to_words
from deploy.portal.services import SHARE, Asked
from deploy.portal.sessions import is_open, open_session, same_login
from deploy.portal.visit import Visit, read_object, serve

PREFIX = "/rest/v1"
PUSH, PROGRESS, LOOK_UP, LIST, NEXT, UPLOAD = (
    "DongBoHoSoMC",
    "CapNhatTienDoHoSoMC",
    "TraCuuHoSo",
    "LayDanhSachHoSo",
    "LaySoHoSoTiepTheo",
    "TaiTepLen",
)
STATUS_OF = {
    exchange.OK: 200,
    exchange.INVALID: 422,
    exchange.UNKNOWN_DOSSIER: 404,
    exchange.EXISTS: 409,
    exchange.ILLEGAL_STEP: 422,
    exchange.REFUSED: 422,
    exchange.BUSY: 503,
    exchange.NO_SESSION: 401,
    exchange.BAD_LOGIN: 401,
    exchange.UNKNOWN_SERVICE: 404,
    exchange.MALFORMED: 400,
}
FILE_BYTES_MAX = 20 * 1024 * 1024
Body = Mapping[str, object]

router = APIRouter(prefix=PREFIX, tags=["rest"])


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: a code, words, and what was asked for."""

    code: int
    message: str
    data: object = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """One call of the dialect: what it is called here, and what it means in the legacy words."""

    name: str
    means: str
    code: str = ""
    """The dossier's code, as far as the call names it."""
    updating: bool | None = None


Act = Callable[[sqlite3.Connection, Call, Mapping[int, Fault]], Told]
BUSY = Told(exchange.BUSY, "Hệ thống đang bận, vui lòng thử lại sau")
NO_TOKEN = Told(exchange.NO_SESSION, "Mã truy cập không tồn tại hoặc đã hết hạn")
UNKNOWN = Told(exchange.UNKNOWN_DOSSIER, "Hồ sơ chưa có trên Cổng")


@router.post("/oauth2/token")
async def token(request: Request) -> Response:
    """Give a token: grant_type=client_credentials, client_id, client_secret as a form."""
    portal = portal_of(request)
    visit = Visit(request, portal, LOGIN, await portal.menu.draw(LOGIN, ()))
    form = {name: values[-1] for name, values in parse_qs((await request.body()).decode()).items()}

    async def work() -> Response:
        asked = form.get("grant_type") == "client_credentials"
        known = asked and same_login(portal, form.get("client_id", ""), form.get("client_secret", ""))
        return _written(visit, await portal.ledger.run(lambda db: _token(db, visit, known=known)))

    return await serve(visit, work, lambda: _written(visit, BUSY))


@router.post("/hoso")
async def create(request: Request) -> Response:
    """TaoHoSo: a dossier, which is then "Mới đăng ký" (1) → IdHoSo."""
    body = await read_object(request) or {}
    code = text_of(body, "MaHoSo")

    def act(db: sqlite3.Connection, call: Call, faults: Mapping[int, Fault]) -> Told:
        row = to_words(body) | to_state({"TrangThai": 1})
        return _judged(db, call, row, faults, updating=False)

    return await _converse(request, Spoken("TaoHoSo", PUSH, code, updating=False), act)


@router.put("/hoso/{number}")
async def change(request: Request, number: str) -> Response:
    """CapNhatHoSo: a dossier's words anew; it stays where it stands."""
    body = await read_object(request) or {}
    code = text_of(body, "MaHoSo")

    def act(db: sqlite3.Connection, call: Call, faults: Mapping[int, Fault]) -> Told:
        if not holds(db, code, number):
            return UNKNOWN
        words, state = to_words(body), held_words(db, code)[1]
        if state.get("TrangThaiHoSo"):
            return _judged(db, call, words | state, faults, updating=True)
        keep_words(db, code, words)
        entry = Entry(code, None, CORRECTED.outcome, CORRECTED.code, CORRECTED.message, orjson.dumps(words))
        record_rows(db, call, [entry])
        return Told(exchange.OK, CORRECTED.message, {"IdHoSo": number, "MaHoSo": code})

    return await _converse(request, Spoken("CapNhatHoSo", PUSH, code, updating=True), act)


@router.post("/hoso/CapNhatTrangThai")
async def tell_status(request: Request) -> Response:
    """CapNhatTrangThai: a status that was reached, its dates, and fees and results with 5, 6 and 9."""
    body = await read_object(request) or {}
    code = text_of(body, "MaHoSo")

    def act(db: sqlite3.Connection, call: Call, faults: Mapping[int, Fault]) -> Told:
        if not holds(db, code, text_of(body, "IdHoSo")):
            return UNKNOWN
        return _judged(db, call, held_words(db, code)[0] | to_state(body), faults, updating=True)

    return await _converse(request, Spoken("CapNhatTrangThai", PUSH, code, updating=True), act)


@router.post("/hoso/CapNhatTienTrinh")
async def tell_progress(request: Request) -> Response:
    """CapNhatTienTrinh: who brought a dossier to a status, when."""
    body = await read_object(request) or {}

    def act(db: sqlite3.Connection, call: Call, faults: Mapping[int, Fault]) -> Told:
        answer = receive_progress(db, call, [to_progress(body)], faults)
        return _of_row(answer.result[0])

    return await _converse(request, Spoken("CapNhatTienTrinh", PROGRESS, text_of(body, "MaHoSo")), act)


@router.get("/hoso")
async def find(request: Request, MaHoSo: str = "", sauMaHoSo: str = "", soLuong: int = 1000) -> Response:  # noqa: N803 - the wire's names
    """TraCuuHoSo by MaHoSo: the dossier or null; without it LayDanhSachHoSo."""

    def act(db: sqlite3.Connection, call: Call, faults: Mapping[int, Fault]) -> Told:
        del faults
        if not MaHoSo:
            return Told(exchange.OK, "Thành công", _listed(db, sauMaHoSo, soLuong))
        found = _shown(db, MaHoSo)
        record_rows(db, call, [Entry(MaHoSo, None, "found" if found else "unknown", exchange.OK, "", b"")])
        return Told(exchange.OK, "Thành công", found)

    return await _converse(request, Spoken(*(("TraCuuHoSo", LOOK_UP) if MaHoSo else (LIST, LIST)), MaHoSo), act)


@router.get("/hoso/so-tiep-theo")
async def next_number(request: Request, MaTTHC: str = "") -> Response:  # noqa: N803 - the wire's name
    """LaySoHoSoTiepTheo: a number of the portal's own for a dossier of a procedure."""

    def act(db: sqlite3.Connection, call: Call, faults: Mapping[int, Fault]) -> Told:
        del db, faults
        if not MaTTHC:
            return Told(exchange.MALFORMED, "Thiếu MaTTHC")
        return Told(
            exchange.OK, "Thành công", {"SoHoSo": f"G22.99.99-{call.received_at[2:10].replace('-', '')}-{call.seq:07}"}
        )

    return await _converse(request, Spoken(NEXT, NEXT), act)


@router.post("/tep")
async def upload(request: Request) -> Response:
    """TaiTepLen: the body is the file, X-Ten-Tep its name in percent-encoding → IdTepTin, HashTepTin."""
    content = await request.body()
    digest = hashlib.sha256(content).hexdigest()

    def act(db: sqlite3.Connection, call: Call, faults: Mapping[int, Fault]) -> Told:
        del call, faults
        if not 1 <= len(content) <= FILE_BYTES_MAX:
            return Told(exchange.MALFORMED, "Tệp rỗng hoặc quá lớn")
        name = request.headers.get("x-ten-tep", "")
        db.execute(
            "insert into file (hash, name, content) values (?, ?, ?) on conflict do nothing", (digest, name, content)
        )
        return Told(exchange.OK, "Thành công", {"IdTepTin": digest[:32], "HashTepTin": digest})

    return await _converse(request, Spoken(UPLOAD, UPLOAD), act)


@router.get("/danhmuc/{name}")
async def catalogue(request: Request, name: str, maTTHC: str = "") -> Response:  # noqa: N803 - the wire's name
    """Give a list of the catalogue by its name in the legacy words; assumed, §1.8 lists none."""
    portal = portal_of(request)

    def act(db: sqlite3.Connection, call: Call, faults: Mapping[int, Fault]) -> Told:
        service = SHARE.get(name)
        if service is None:
            return Told(exchange.UNKNOWN_SERVICE, f"Không có danh mục {name}")
        answer = service(db, call, Asked({"maTTHC": maTTHC}, (), faults, portal.catalogue, 1))
        return Told(exchange.OK, answer.message, answer.result)

    return await _converse(request, Spoken(name, name), act)


async def _converse(request: Request, spoken: Spoken, act: Act) -> Response:
    portal = portal_of(request)
    fired = await portal.menu.draw(spoken.means, [spoken.code])
    updating = None if spoken.updating is None else str(spoken.updating)
    visit = Visit(request, portal, spoken.name, fired, "", updating)

    async def work() -> Response:
        faults: Mapping[int, Fault] = {}
        if spoken.means in PUSHES:
            faults = await portal.menu.draw_rows(spoken.means, [spoken.code], creating=spoken.updating is False)
        return _written(visit, await portal.ledger.run(lambda db: _acted(db, visit, spoken, act, faults)))

    return await serve(visit, work, lambda: _written(visit, BUSY))


def _acted(db: sqlite3.Connection, visit: Visit, spoken: Spoken, act: Act, faults: Mapping[int, Fault]) -> Told:
    call = visit.call(db)
    given = visit.request.headers.get("authorization", "").removeprefix("Bearer ")
    if visit.befallen_by("expired_session"):
        db.execute("delete from session where id = ?", (given,))
    if not is_open(db, given, visit.portal.settings.portal_session_s):
        told = NO_TOKEN
    else:
        try:
            # The call is named as it was spoken, what it told as it is meant: one history for both dialects.
            told = act(db, replace(call, service=spoken.means), faults)
        except (ValueError, TypeError, AttributeError) as problem:
            told = Told(exchange.MALFORMED, f"Bản tin sai cấu trúc: {problem}")
    record_call(db, call, "answered" if told.code == exchange.OK else "failed", told.code, told.message)
    return told


def _judged(
    db: sqlite3.Connection, call: Call, row: dict[str, object], faults: Mapping[int, Fault], *, updating: bool
) -> Told:
    answer = receive_dossiers(db, call, [row], faults, updating=updating)
    return _of_row(answer.result[0])


def _of_row(row: Mapping[str, object]) -> Told:
    code, number = str(row["MaHoSo"]), int(str(row["error_code"]))
    if number != exchange.OK:
        return Told(number, str(row["message"]))
    return Told(exchange.OK, str(row["message"]), {"IdHoSo": id_of(code), "MaHoSo": code})


def _shown(db: sqlite3.Connection, code: str) -> dict[str, object] | None:
    if not holds(db, code, id_of(code)):
        return None
    words, state = held_words(db, code)
    return {**from_hoso(words | state), "IdHoSo": id_of(code), "MaHoSo": code}


def _listed(db: sqlite3.Connection, after: str, most: int) -> list[dict[str, object]]:
    found = db.execute(
        "select code, status from dossier where code > ? and status is not null order by code limit ?",
        (after, max(0, min(most, 1000))),
    )
    return [{"MaHoSo": row["code"], "IdHoSo": id_of(row["code"]), "TrangThai": int(row["status"])} for row in found]


def _token(db: sqlite3.Connection, visit: Visit, *, known: bool) -> Told:
    call = visit.call(db)
    life_s = visit.portal.settings.portal_session_s
    told = Told(exchange.BAD_LOGIN, "client_id hoặc client_secret không đúng")
    if known:
        given = {
            "access_token": secrets.token_urlsafe(24),
            "expires_in": int(life_s),
            "token_type": "Bearer",
            "scope": "hoso",
        }
        told = Told(exchange.OK, "Thành công", given)
        open_session(db, str(given["access_token"]), life_s, stamp())
    record_call(db, call, "answered" if known else "failed", told.code, told.message)
    return told


def _written(visit: Visit, told: Told) -> Response:
    code = visit.portal.codes.one(told.code, quirky=visit.befallen_by("quirky_codes") is not None)
    return json_response({"code": code, "message": told.message, "data": told.data}, STATUS_OF[told.code])
