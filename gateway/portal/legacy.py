"""The portal's legacy dialect: session, envelopes, and answers that are believed only when they are definite.

Source: the legacy adapter API of the national portal (POST JSON: {session, madonvi, service, …} →
{error_code, message, result}), as two senders in public use speak it. Codes arrive as 0, "0" or "00".
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

import aiohttp
import orjson

from gateway.portal.client import ask
from gateway.portal.port import EXISTS_WORDS, PortalSaidNo, PortalUnclear, RowAnswer, Words

AUTH_PATH, PUSH_PATH, SHARE_PATH = "/auth", "/integration", "/share"
_DONE_WORDS, _SESSION_WORDS = "thành công", "phiên"


class LegacyPortal:
    """Speaks to the portal's adapter; renews the session once on an authentication error."""

    shows: frozenset[str] | None = None
    list_service = "LayDanhSachHoSo"

    def __init__(
        self, http: aiohttp.ClientSession, *, url: str, username: str, password: str, unit: str, dstcode: str
    ) -> None:
        self.http = http
        self.url = url.rstrip("/")
        self.unit = unit
        self._credentials = {"username": username, "password": password}
        self._headers = {"dstcode": dstcode, "Accept": "application/json", "Charset": "utf-8"}
        self._session: str | None = None
        self._logging_in = asyncio.Lock()

    async def send_dossiers(self, messages: Sequence[Words], *, updating: bool) -> dict[str, RowAnswer]:
        """Send HoSo by DongBoHoSoMC; return the answer for each code the portal answered for.

        Raises PortalUnclear, PortalSaidNo.
        """
        return await self._push({"service": "DongBoHoSoMC", "isUpdating": str(updating), "data": list(messages)})

    async def send_progress(self, messages: Sequence[Words]) -> dict[str, RowAnswer]:
        """Send TienDo by CapNhatTienDoHoSoMC; answers as send_dossiers."""
        return await self._push({"service": "CapNhatTienDoHoSoMC", "data": list(messages)})

    async def look_up(self, code: str) -> Words | None:
        """Return what the portal holds of a dossier (TraCuuHoSo), None when it definitely has none."""
        found = await self._rows(PUSH_PATH, {"service": "TraCuuHoSo", "mahoso": code})
        return found[0] if found else None

    async def list_held(self, *, after: str = "", limit: int = 1000) -> Sequence[Words]:
        """Return {MaHoSo, TrangThaiHoSo} of what the portal holds of this unit, by code, behind `after`.

        LayDanhSachHoSo is assumed: no source names the service by which a province lists its dossiers.
        """
        return await self._rows(PUSH_PATH, {"service": self.list_service, "sauMaHoSo": after, "soLuong": str(limit)})

    async def list_catalogue(self, name: str) -> Sequence[Words]:
        """Return a list of the portal's catalogue."""
        return await self._rows(SHARE_PATH, {"service": name})

    async def find_procedure(self, code: str) -> Words | None:
        """Return a procedure with its details (LayThuTuc), None when the portal definitely has none."""
        found = await self._rows(SHARE_PATH, {"service": "LayThuTuc", "maTTHC": code})
        return found[0] if found else None

    async def _rows(self, path: str, request: Words) -> list[Words]:
        """Return the rows of an answer; one without a list of objects is unclear, not empty."""
        answer = await self._call(path, request)
        if _code(answer) != 0:
            raise PortalSaidNo(str(answer["error_code"]), str(answer.get("message")))
        rows = answer.get("result")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise PortalUnclear(f"{request['service']} without a list of rows")
        return rows

    async def _push(self, request: Words) -> dict[str, RowAnswer]:
        answer = await self._call(PUSH_PATH, request)
        told = str(answer.get("message", "")).lower()
        # "Exists already" may stand for the whole call, and beside a code of success.
        if _code(answer) != 0 or (EXISTS_WORDS in told and _DONE_WORDS not in told):
            raise PortalSaidNo(str(answer["error_code"]), str(answer.get("message")))
        rows = answer.get("result")
        if not isinstance(rows, list) or _DONE_WORDS not in told:
            raise PortalUnclear("an answer that says neither yes nor no")
        return {str(row["MaHoSo"]): _row(row) for row in rows if isinstance(row, dict) and row.get("MaHoSo")}

    async def _call(self, path: str, request: Words) -> Words:
        for last in (False, True):
            session = await self._open_session()
            answer = await self._post(path, {"session": session, "madonvi": self.unit, **request})
            if not _session_ended(answer):
                return answer
            if self._session == session:
                self._session = None
            if last:
                raise PortalSaidNo(str(answer["error_code"]), str(answer.get("message")))
        raise AssertionError("unreachable: the second answer is returned or refused")

    async def _open_session(self) -> str:
        async with self._logging_in:
            if self._session is None:
                answer = await self._post(AUTH_PATH, self._credentials)
                if _code(answer) != 0 or not answer.get("session"):
                    raise PortalSaidNo(str(answer["error_code"]), "the login was refused")
                self._session = str(answer["session"])
            return self._session

    async def _post(self, path: str, body: Words) -> Words:
        headers = {**self._headers, "Content-Type": "application/json"}
        told = await ask(self.http, "POST", self.url + path, headers=headers, body=orjson.dumps(body))
        if told.status != HTTPStatus.OK or "error_code" not in told.body:
            raise PortalUnclear(f"HTTP {told.status} without an error_code at {path}")
        return told.body


def _code(answer: Words) -> int | None:
    try:
        return int(str(answer["error_code"]).strip())
    except (KeyError, ValueError):
        return None


def _session_ended(answer: Words) -> bool:
    return _code(answer) != 0 and _SESSION_WORDS in str(answer.get("message", "")).lower()


def _row(row: Words) -> RowAnswer:
    message = str(row.get("message", ""))
    exists = EXISTS_WORDS in message.lower()
    accepted = _code(row) == 0 and not exists
    return RowAnswer(accepted=accepted, exists=exists, reason=f"{row.get('error_code')}: {message}")
