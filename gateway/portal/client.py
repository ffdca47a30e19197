"""The portal's wire: session, envelopes, and answers that are believed only when they are definite.

Source: the legacy adapter API of the national portal (POST JSON: {session, madonvi, service, …} →
{error_code, message, result}), as two senders in public use speak it. Codes arrive as 0, "0" or "00".
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from shared.errors import TransientError

AUTH_PATH, PUSH_PATH, SHARE_PATH = "/auth", "/integration", "/share"
_EXISTS_WORDS, _DONE_WORDS, _SESSION_WORDS = "đã tồn tại", "thành công", "phiên"


CONNECT_TIMEOUT_S = 5
ANSWER_BYTES_MAX = 16 * 1024 * 1024
HTTP_OK = 200


class PortalUnclear(TransientError):
    """The portal gave no definite answer: whether it did what was asked is unknown."""


class PortalSaidNo(TransientError):
    """The portal refused the whole call, definitely."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.exists = _EXISTS_WORDS in message.lower()


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """The portal's answer to one dossier of a call."""

    accepted: bool
    exists: bool
    """Refused because the portal has the dossier already: it must be sent as an update."""
    reason: str
    again_soon: bool = False
    """Refused together with others: alone it may be taken."""


class PortalClient:
    """Speaks to the portal's adapter; renews the session once on an authentication error."""

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

    async def send_dossiers(self, messages: Sequence[dict[str, Any]], *, updating: bool) -> dict[str, RowAnswer]:
        """Send HoSo by DongBoHoSoMC; return the answer for each code the portal answered for.

        Raises PortalUnclear, PortalSaidNo.
        """
        return await self._push({"service": "DongBoHoSoMC", "isUpdating": str(updating), "data": list(messages)})

    async def send_progress(self, messages: Sequence[dict[str, Any]]) -> dict[str, RowAnswer]:
        """Send TienDo by CapNhatTienDoHoSoMC; answers as send_dossiers."""
        return await self._push({"service": "CapNhatTienDoHoSoMC", "data": list(messages)})

    async def look_up(self, code: str) -> dict[str, Any] | None:
        """Return what the portal holds of a dossier (TraCuuHoSo), None when it definitely has none."""
        answer = await self._call(PUSH_PATH, {"service": "TraCuuHoSo", "mahoso": code})
        if _code(answer) != 0:
            raise PortalSaidNo(str(answer["error_code"]), str(answer.get("message")))
        found = answer.get("result")
        return found[0] if isinstance(found, list) and found else None

    async def _push(self, request: dict[str, Any]) -> dict[str, RowAnswer]:
        answer = await self._call(PUSH_PATH, request)
        told = str(answer.get("message", "")).lower()
        # "Exists already" may stand for the whole call, and beside a code of success.
        if _code(answer) != 0 or (_EXISTS_WORDS in told and _DONE_WORDS not in told):
            raise PortalSaidNo(str(answer["error_code"]), str(answer.get("message")))
        rows = answer.get("result")
        if not isinstance(rows, list) or _DONE_WORDS not in told:
            raise PortalUnclear("an answer that says neither yes nor no")
        return {str(row["MaHoSo"]): _row(row) for row in rows if isinstance(row, dict) and row.get("MaHoSo")}

    async def _call(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
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

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {**self._headers, "Content-Type": "application/json"}
        try:
            async with self.http.post(self.url + path, data=orjson.dumps(body), headers=headers) as answer:
                status, content = answer.status, await _bounded(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise PortalUnclear(f"{type(problem).__name__} at {path}") from problem
        try:
            found = orjson.loads(content)
        except ValueError as problem:
            raise PortalUnclear(f"HTTP {status} without JSON at {path}") from problem
        if status != HTTP_OK or not isinstance(found, dict) or "error_code" not in found:
            raise PortalUnclear(f"HTTP {status} without an error_code at {path}")
        return found


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) > ANSWER_BYTES_MAX:
            raise PortalUnclear(f"an answer of more than {ANSWER_BYTES_MAX} bytes")
    return bytes(content)


def open_http(timeout_s: float) -> aiohttp.ClientSession:
    """Return the connections to the portal: each call has timeout_s in all, CONNECT_TIMEOUT_S of it to connect."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _code(answer: dict[str, Any]) -> int | None:
    try:
        return int(str(answer["error_code"]).strip())
    except (KeyError, ValueError):
        return None


def _session_ended(answer: dict[str, Any]) -> bool:
    return _code(answer) != 0 and _SESSION_WORDS in str(answer.get("message", "")).lower()


def _row(row: dict[str, Any]) -> RowAnswer:
    message = str(row.get("message", ""))
    exists = _EXISTS_WORDS in message.lower()
    accepted = _code(row) == 0 and not exists
    return RowAnswer(accepted=accepted, exists=exists, reason=f"{row.get('error_code')}: {message}")
