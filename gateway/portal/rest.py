"""The portal's REST dialect of 2026: OAuth, one dossier a call, answers that are believed only when they are definite.

Source: one vendor's words (DOMAIN §1.8), see rest_words. ASSUMED are paths, methods and HTTP statuses (the table
PATHS), 0 or 200 as the code of success, that an answer about a dossier names it, and CapNhatHoSo, by which a dossier's
words change without a status. A token is renewed before it ends, and once when the portal no longer takes it.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import orjson

from gateway.portal.client import Told, ask
from gateway.portal.numbers import Known, Numbers, known_as
from gateway.portal.port import EXISTS_WORDS, PortalSaidNo, PortalUnclear, RowAnswer, Words
from gateway.portal.rest_words import STATUS, Parts, parts_of, progress_of, to_hoso
from shared import clock

PATHS = {
    "token": "/rest/v1/oauth2/token",
    "TaoHoSo": "/rest/v1/hoso",
    "CapNhatHoSo": "/rest/v1/hoso/{number}",
    "CapNhatTrangThai": "/rest/v1/hoso/CapNhatTrangThai",
    "CapNhatTienTrinh": "/rest/v1/hoso/CapNhatTienTrinh",
    "TraCuuHoSo": "/rest/v1/hoso",
    "LaySoHoSoTiepTheo": "/rest/v1/hoso/so-tiep-theo",
    "TaiTepLen": "/rest/v1/tep",
    "DanhMuc": "/rest/v1/danhmuc/{name}",
}
MARGIN_S = 30
UNCLEAR_IN_A_ROW_MAX = 4
"""After so many unclear answers in a row the rest of a chunk waits for its next turn."""
_DONE_WORDS = "thành công"
_SUCCESS = frozenset({0, 200})
_TRY_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that the portal keeps."""

    file_id: str
    sha256: str


@dataclass(slots=True)
class _Chunk:
    """What came of the dossiers of one call of the port."""

    answers: dict[str, RowAnswer] = field(default_factory=dict)
    definite: int = 0
    unclear_in_a_row: int = 0
    problem: PortalUnclear | PortalSaidNo | None = None
    over: bool = False
    noted: dict[str, Known] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)


class RestPortal:
    """Speaks to the portal's REST API, several dossiers at a time."""

    shows: frozenset[str] | None = frozenset()
    """§1.8 gives no HoSo back as it was told: by this dialect statuses are compared, and no words."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        numbers: Numbers,
        *,
        url: str,
        client_id: str,
        client_secret: str,
        concurrency: int = 8,
    ) -> None:
        self.http = http
        self.numbers = numbers
        self.url = url.rstrip("/")
        self.concurrency = concurrency
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._token: str | None = None
        self._renew_at = 0.0
        self._renewing = asyncio.Lock()

    async def send_dossiers(self, messages: Sequence[Words], *, updating: bool) -> dict[str, RowAnswer]:
        """Tell dossiers (HoSo) by TaoHoSo, CapNhatHoSo and CapNhatTrangThai, whatever differs from what is held.

        Raises PortalUnclear, PortalSaidNo when no dossier got a definite answer.
        """
        known = await self.numbers.find([str(message["MaHoSo"]) for message in messages]) if updating else {}

        async def tell(chunk: _Chunk, message: Words) -> RowAnswer:
            parts = parts_of(message)
            if updating:
                return await self._update(chunk, parts, known.get(parts.code))
            return await self._create(chunk, parts)

        return await self._tell_each(messages, tell)

    async def send_progress(self, messages: Sequence[Words]) -> dict[str, RowAnswer]:
        """Tell progress (TienDo) by CapNhatTienTrinh; answers as send_dossiers."""
        known = await self.numbers.find([str(message["MaHoSo"]) for message in messages])

        async def tell(_: _Chunk, message: Words) -> RowAnswer:
            code = str(message["MaHoSo"])
            number = {"IdHoSo": known[code].number} if code in known else {}
            return _row(await self._call("POST", PATHS["CapNhatTienTrinh"], progress_of(message) | number), code)

        return await self._tell_each(messages, tell)

    async def look_up(self, code: str) -> Words | None:
        """Return the HoSo that the portal holds, None when it definitely has none; what it holds is noted."""
        found = await self._find(code)
        if found is None:
            await self.numbers.forget([code])
            return None
        hoso, known = found
        await self.numbers.keep([known])
        return hoso

    async def list_held(self, *, after: str = "", limit: int = 1000) -> Sequence[Words]:
        """Return {MaHoSo, TrangThaiHoSo} of the dossiers that the portal holds, by code, behind `after` (assumed)."""
        query = {"sauMaHoSo": after, "soLuong": str(limit)}
        rows = _rows(await self._call("GET", PATHS["TraCuuHoSo"], query=query))
        return [{"MaHoSo": row.get("MaHoSo"), STATUS: str(row.get("TrangThai"))} for row in rows]

    async def list_catalogue(self, name: str) -> Sequence[Words]:
        """Return a list of the portal's catalogue (assumed: §1.8 names none)."""
        return _rows(await self._call("GET", PATHS["DanhMuc"].format(name=quote(name, safe=""))))

    async def find_procedure(self, code: str) -> Words | None:
        """Return a procedure with its details, None when the portal definitely has none."""
        rows = _rows(await self._call("GET", PATHS["DanhMuc"].format(name="LayThuTuc"), query={"maTTHC": code}))
        return rows[0] if rows else None

    async def next_number(self, procedure_code: str) -> str:
        """Return the next number that the portal gives a dossier of a procedure."""
        data = _data(await self._call("GET", PATHS["LaySoHoSoTiepTheo"], query={"MaTTHC": procedure_code}))
        if not isinstance(data, dict) or not data.get("SoHoSo"):
            raise PortalUnclear("LaySoHoSoTiepTheo without a number")
        return str(data["SoHoSo"])

    async def upload(self, name: str, content: bytes) -> Upload:
        """Let the portal keep a file. Raises PortalUnclear also when the hash it answers with is not the file's."""
        headers = {"Content-Type": "application/octet-stream", "X-Ten-Tep": quote(name, safe="")}
        data = _data(await self._call("POST", PATHS["TaiTepLen"], content=content, headers=headers))
        digest = hashlib.sha256(content).hexdigest()
        if not isinstance(data, dict) or not data.get("IdTepTin") or data.get("HashTepTin") != digest:
            raise PortalUnclear("TaiTepLen without the file's own hash")
        return Upload(str(data["IdTepTin"]), digest)

    async def _create(self, chunk: _Chunk, parts: Parts) -> RowAnswer:
        told = await self._call("POST", PATHS["TaoHoSo"], parts.dossier)
        answer = _row(told, parts.code)
        if not answer.accepted:
            return answer
        number = told.body["data"].get("IdHoSo")
        if not number:
            raise PortalUnclear("TaoHoSo without IdHoSo")
        begun = Known(parts.code, str(number), parts.dossier_digest, parts.lists_digest)
        chunk.noted[parts.code] = replace(begun, state_digest=parts.state_digest if parts.beginning else None)
        return answer if parts.beginning else await self._tell_state(chunk, parts, begun)

    async def _update(self, chunk: _Chunk, parts: Parts, known: Known | None) -> RowAnswer:
        """Tell what differs from what the portal acknowledged last; the status if nothing does."""
        if known is None:
            found = await self._find(parts.code)
            if found is None:
                return RowAnswer(accepted=False, exists=False, reason="404: the portal has no such dossier")
            known = chunk.noted[parts.code] = found[1]
        lists_changed = known.lists_digest != parts.lists_digest
        if known.dossier_digest != parts.dossier_digest or (lists_changed and not parts.with_lists):
            path = PATHS["CapNhatHoSo"].format(number=quote(known.number, safe=""))
            answer = self._noting_gone(chunk, _row(await self._call("PUT", path, parts.dossier), parts.code), parts)
            if not answer.accepted:
                return answer
            known = chunk.noted[parts.code] = replace(
                known, dossier_digest=parts.dossier_digest, lists_digest=parts.lists_digest
            )
            if known.state_digest == parts.state_digest:
                return answer
        return await self._tell_state(chunk, parts, known)

    async def _tell_state(self, chunk: _Chunk, parts: Parts, known: Known) -> RowAnswer:
        told = await self._call("POST", PATHS["CapNhatTrangThai"], {"IdHoSo": known.number, **parts.state})
        answer = self._noting_gone(chunk, _row(told, parts.code), parts)
        if answer.accepted:
            chunk.noted[parts.code] = known_as(parts, known.number)
        return answer

    @staticmethod
    def _noting_gone(chunk: _Chunk, answer: RowAnswer, parts: Parts) -> RowAnswer:
        if answer.reason.startswith(f"{HTTPStatus.NOT_FOUND:d}:"):
            chunk.gone.add(parts.code)
            chunk.noted.pop(parts.code, None)
        return answer

    async def _find(self, code: str) -> tuple[Words, Known] | None:
        told = await self._call("GET", PATHS["TraCuuHoSo"], query={"MaHoSo": code})
        data = _data(told)
        if data is None:
            return None
        if not isinstance(data, dict) or data.get("MaHoSo") != code or not data.get("IdHoSo"):
            raise PortalUnclear("TraCuuHoSo about another dossier")
        try:
            hoso = to_hoso(data)
            return hoso, known_as(parts_of(hoso), str(data["IdHoSo"]))
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise PortalUnclear("TraCuuHoSo in other words") from problem

    async def _tell_each(
        self, messages: Sequence[Words], tell: Callable[[_Chunk, Words], Awaitable[RowAnswer]]
    ) -> dict[str, RowAnswer]:
        """Tell dossiers side by side; what was acknowledged is noted whatever happens to the others."""
        chunk, free = _Chunk(), asyncio.Semaphore(self.concurrency)

        async def one(message: Words) -> None:
            async with free:
                if not chunk.over:
                    await _told_one(chunk, str(message["MaHoSo"]), tell(chunk, message))

        try:
            async with asyncio.TaskGroup() as group:
                for message in messages:
                    group.create_task(one(message))
        finally:
            await self.numbers.keep(list(chunk.noted.values()))
            await self.numbers.forget(chunk.gone)
        if chunk.problem is not None and not chunk.definite:
            raise chunk.problem
        return chunk.answers

    async def _call(
        self,
        method: str,
        path: str,
        body: Words | None = None,
        *,
        query: dict[str, str] | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Told:
        """Send a call with a token; a token that is no longer taken is renewed once."""
        sent = content if body is None else orjson.dumps(body)
        for last in (False, True):
            token = await self._open_token()
            own = {"Content-Type": "application/json"} | (headers or {}) | {"Authorization": f"Bearer {token}"}
            told = await ask(self.http, method, self.url + path, headers=own, body=sent, query=query)
            if told.status != HTTPStatus.UNAUTHORIZED:
                return _definite(told)
            if self._token == token:
                self._token = None
            if last:
                raise PortalSaidNo(str(told.body.get("code")), str(told.body.get("message")))
        raise AssertionError("unreachable: the second answer is returned or refused")

    async def _open_token(self) -> str:
        async with self._renewing:
            if self._token is None or clock.monotonic() >= self._renew_at:
                self._token = None
                self._token, life_s = await self._ask_token()
                self._renew_at = clock.monotonic() + max(life_s - MARGIN_S, life_s / 2)
            return self._token

    async def _ask_token(self) -> tuple[str, float]:
        form = urlencode({"grant_type": "client_credentials", **self._credentials}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        told = _definite(await ask(self.http, "POST", self.url + PATHS["token"], headers=headers, body=form))
        data = told.body.get("data")
        if _number(told) not in _SUCCESS or not isinstance(data, dict) or not data.get("access_token"):
            raise PortalSaidNo(str(told.body.get("code")), "the login was refused")
        try:
            return str(data["access_token"]), float(data.get("expires_in") or 0)
        except (TypeError, ValueError) as problem:
            raise PortalUnclear("a token without its life") from problem


async def _told_one(chunk: _Chunk, code: str, telling: Awaitable[RowAnswer]) -> None:
    try:
        chunk.answers[code] = await telling
    except (PortalUnclear, PortalSaidNo) as problem:
        chunk.problem = chunk.problem or problem
        chunk.unclear_in_a_row += 1
        chunk.over = chunk.over or isinstance(problem, PortalSaidNo) or chunk.unclear_in_a_row >= UNCLEAR_IN_A_ROW_MAX
        chunk.answers[code] = RowAnswer(accepted=False, exists=False, reason=str(problem))
    else:
        chunk.definite += 1
        chunk.unclear_in_a_row = 0


def _number(told: Told) -> int | None:
    try:
        return int(str(told.body["code"]).strip())
    except (KeyError, ValueError):
        return None


def _definite(told: Told) -> Told:
    """Return an answer that says yes or no. Raises PortalUnclear for any other."""
    if told.status >= HTTPStatus.INTERNAL_SERVER_ERROR or told.status in _TRY_AGAIN:
        raise PortalUnclear(f"HTTP {told.status}: {told.body.get('code')}")
    if "code" not in told.body or not (told.status == HTTPStatus.UNAUTHORIZED or told.body.get("message")):
        raise PortalUnclear(f"HTTP {told.status} without code and message")
    if HTTPStatus.MULTIPLE_CHOICES <= told.status < HTTPStatus.BAD_REQUEST:
        raise PortalUnclear(f"HTTP {told.status}, sent elsewhere")
    return told


def _row(told: Told, code: str) -> RowAnswer:
    """Return the answer about one dossier. Raises PortalUnclear for a yes that does not name it."""
    message = str(told.body.get("message"))
    reason = f"{told.status}: {told.body.get('code')} {message}"
    if told.status == HTTPStatus.CONFLICT or (EXISTS_WORDS in message.lower() and _DONE_WORDS not in message.lower()):
        return RowAnswer(accepted=False, exists=True, reason=reason)
    if told.status >= HTTPStatus.BAD_REQUEST or _number(told) not in _SUCCESS:
        return RowAnswer(accepted=False, exists=False, reason=reason)
    data = told.body.get("data")
    if not isinstance(data, dict) or data.get("MaHoSo") != code:
        raise PortalUnclear("a yes that does not name the dossier")
    return RowAnswer(accepted=True, exists=False, reason=reason)


def _data(told: Told) -> Any:  # noqa: ANN401 - whatever was asked for
    """Return what a question brought; None only when the portal says so. Raises PortalSaidNo, PortalUnclear."""
    if told.status >= HTTPStatus.BAD_REQUEST or _number(told) not in _SUCCESS:
        raise PortalSaidNo(str(told.body.get("code")), str(told.body.get("message")))
    if "data" not in told.body:
        raise PortalUnclear("an answer without data")
    return told.body["data"]


def _rows(told: Told) -> Sequence[Words]:
    rows = _data(told)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PortalUnclear("an answer without a list of rows")
    return rows
