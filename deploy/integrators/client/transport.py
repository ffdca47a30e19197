"""How the client of Một Cửa calls: tokens, idempotency keys, bounded patience, refusals as exceptions.

This file is copied into the generated package as it is; it stands on httpx and pydantic alone.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
from pydantic import BaseModel, TypeAdapter

Read = TypeVar("Read")
TOKEN_MARGIN_S = 30
RETRY_FIRST_S, RETRY_LAST_S = 0.2, 10.0
AGAIN = frozenset({429, 502, 503, 504})
"""Answers after which the same request is sent again: its key makes that safe."""


class Refused(Exception):
    """The API said no: `code` is stable, `problem` is the whole RFC 9457 document."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code', '')}: {problem.get('detail') or problem.get('title', '')}")
        self.status = status
        self.code: str = str(problem.get("code", ""))
        self.problem = problem


class NoAnswer(Exception):
    """No answer came in all tries; whether the call was carried out is unknown: repeat it with the same key."""

    def __init__(self, method: str, path: str, idempotency_key: str | None) -> None:
        super().__init__(f"{method} {path}: no answer (idempotency key {idempotency_key})")
        self.idempotency_key = idempotency_key


@dataclass(frozen=True, slots=True)
class File:
    """A file that was answered."""

    content: bytes
    media_type: str
    etag: str | None = None


@dataclass(slots=True)
class Call:
    """One call, before it is sent."""

    method: str
    path: str
    path_values: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, object] = field(default_factory=dict)
    body: BaseModel | bytes | None = None
    media_type: str | None = None
    idempotency_key: str | None = None


class Transport:
    """One registered system's connection to the door."""

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        scope: str | None = None,
        timeout_s: float = 30,
        tries_max: int = 6,
    ) -> None:
        self.http = httpx.Client(base_url=url.rstrip("/"), timeout=timeout_s)
        self.tries_max = tries_max
        self._credentials = (client_id, client_secret)
        self._scope = scope
        self._token, self._token_until = "", float("-inf")

    def close(self) -> None:
        """Close every connection."""
        self.http.close()

    def read(self, call: Call, kind: type[Read]) -> Read:
        """Make a call and return its JSON answer as a model; raises Refused, NoAnswer."""
        answer = self.send(call)
        adapter: TypeAdapter[Read] = TypeAdapter(kind)
        return adapter.validate_json(answer.content)

    def fetch(self, call: Call) -> File:
        """Make a call and return the file it answers; raises Refused, NoAnswer."""
        answer = self.send(call)
        return File(answer.content, answer.headers.get("content-type", ""), answer.headers.get("etag"))

    def send(self, call: Call) -> httpx.Response:
        """Make a call, again while the door asks for patience; raises Refused, NoAnswer."""
        key = call.idempotency_key
        if key is None and call.method not in {"GET", "HEAD"}:
            key = str(uuid4())
        for attempt in range(self.tries_max):
            answer = self._try(call, key)
            if answer is not None and answer.is_success:
                return answer
            last = attempt == self.tries_max - 1
            if answer is not None and (answer.status_code not in AGAIN or last):
                raise Refused(answer.status_code, _problem(answer))
            if not last:
                time.sleep(_pause(answer, attempt))
        raise NoAnswer(call.method, call.path, key)

    def _try(self, call: Call, key: str | None) -> httpx.Response | None:
        path = call.path.format_map({name: quote(str(value), safe="") for name, value in call.path_values.items()})
        headers = {name: str(value) for name, value in call.headers.items() if value is not None}
        if key:
            headers["Idempotency-Key"] = key
        content = call.body
        if isinstance(content, BaseModel):
            content = content.model_dump_json(exclude_unset=True, by_alias=True).encode()
            headers["Content-Type"] = "application/json"
        elif call.media_type:
            headers["Content-Type"] = call.media_type
        try:
            headers["Authorization"] = f"Bearer {self._current_token()}"
            return self.http.request(call.method, path, params=_query(call.query), headers=headers, content=content)
        except httpx.TransportError:
            return None

    def _current_token(self) -> str:
        if time.monotonic() >= self._token_until:
            asked = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
            answer = self.http.post("/oauth/token", data=asked, auth=self._credentials)
            if not answer.is_success:
                raise Refused(answer.status_code, _problem(answer))
            given = answer.json()
            self._token = str(given["access_token"])
            self._token_until = time.monotonic() + float(given["expires_in"]) - TOKEN_MARGIN_S
        return self._token


def _query(values: Mapping[str, object]) -> dict[str, str | list[str]]:
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: object) -> str | list[str]:
    if isinstance(value, list | tuple):
        return [str(_plain(one)) for one in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if isoformat else str(value)


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"title": answer.reason_phrase}


def _pause(answer: httpx.Response | None, attempt: int) -> float:
    asked = answer.headers.get("retry-after", "") if answer is not None else ""
    wanted = float(asked) if asked.isdecimal() else RETRY_FIRST_S * 2**attempt
    return min(wanted, RETRY_LAST_S)
