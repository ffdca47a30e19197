"""A client of the public API: token, idempotency keys, bounded patience; it knows nothing behind the door."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from shared import clock

TRIES_MAX = 12
TOKEN_MARGIN_S = 30
_AGAIN = frozenset({429, 502, 503, 504})


class Refused(Exception):
    """The API said no: a problem document."""

    def __init__(self, method: str, path: str, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{method} {path}: {status} {problem.get('code')}: {problem.get('detail', '')}")
        self.status = status
        self.code = problem.get("code")
        self.problem = problem


@dataclass(slots=True)
class Tally:
    """What the clients saw."""

    calls: int = 0
    repeated: int = 0
    seconds: list[float] = field(default_factory=list)


class ApiClient:
    """One registered system."""

    def __init__(self, http: httpx.AsyncClient, credentials: Mapping[str, Any], tally: Tally) -> None:
        self.http = http
        self.tally = tally
        self._credentials = (credentials["client_id"], credentials["client_secret"])
        self._token, self._token_until = "", 0.0
        self._renewing = asyncio.Lock()

    async def get(self, path: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401 - query parameters
        """GET below /api/v1; raises Refused."""
        return (await self._send("GET", path, params=params)).json()

    async def post(self, path: str, body: object, *, key: str | None = None) -> dict[str, Any]:
        """POST JSON below /api/v1 under one idempotency key, again until there is an answer; raises Refused."""
        answer = await self._send("POST", path, json=body, key=key or str(uuid4()))
        return answer.json() if answer.content else {}

    async def upload(self, path: str, content: bytes, media_type: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401
        """POST a file below /api/v1; raises Refused."""
        headers = {"Content-Type": media_type}
        answer = await self._send("POST", path, content=content, params=params, headers=headers, key=str(uuid4()))
        return answer.json()

    async def _send(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **request: Any,  # noqa: ANN401 - httpx's own
    ) -> httpx.Response:
        sent = dict(headers or {})
        if key:
            sent["Idempotency-Key"] = key
        for attempt in range(TRIES_MAX):
            started = clock.monotonic()
            answer = await self._try(method, path, sent, request)
            self.tally.calls += 1
            if answer is not None and answer.status_code not in _AGAIN:
                self.tally.seconds.append(clock.monotonic() - started)
                return _checked(answer, method, path)
            self.tally.repeated += 1
            await asyncio.sleep(min(0.2 * 2**attempt, 5.0))
        raise TimeoutError(f"{method} {path}: no answer after {TRIES_MAX} tries")

    async def _try(
        self, method: str, path: str, headers: dict[str, str], request: Mapping[str, Any]
    ) -> httpx.Response | None:
        """Return an answer; None when the network gave none."""
        try:
            headers["Authorization"] = f"Bearer {await self._current_token()}"
            return await self.http.request(method, f"/api/v1{path}", headers=headers, **request)
        except httpx.TransportError:
            return None
        except Refused as refusal:
            if refusal.status not in _AGAIN:
                raise
            return None

    async def _current_token(self) -> str:
        if clock.monotonic() < self._token_until:
            return self._token
        async with self._renewing:
            if clock.monotonic() >= self._token_until:
                answer = await self.http.post(
                    "/oauth/token", data={"grant_type": "client_credentials"}, auth=self._credentials
                )
                given = _checked(answer, "POST", "/oauth/token").json()
                self._token = given["access_token"]
                self._token_until = clock.monotonic() + given["expires_in"] - TOKEN_MARGIN_S
        return self._token


def _checked(answer: httpx.Response, method: str, path: str) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = {"code": "no_problem_document", "detail": answer.text[:200]}
    raise Refused(method, path, answer.status_code, problem)
