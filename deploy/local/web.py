"""The few HTTP calls of the local stack itself: health probes and the broker's management API."""

import base64
import json
import urllib.error
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit, urlunsplit

PROBE_TIMEOUT_S = 2
CALL_TIMEOUT_S = 10

# The stack is on this machine: a proxy from the environment is never meant for it.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class CallRefused(Exception):
    """A management call was not answered, or answered with an error."""


def call(method: str, url: str, body: object = None, *, timeout_s: float = CALL_TIMEOUT_S) -> Any:  # noqa: ANN401
    """Make one call and return its JSON answer, None without one; user and password may stand in the address.

    Raises CallRefused.
    """
    request = _request(method, url, body)
    try:
        with _direct.open(request, timeout=timeout_s) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        words = refusal.read(300).decode(errors="replace")
        raise CallRefused(f"{method} {request.full_url}: {refusal.code} {words}") from refusal
    except (OSError, HTTPException, ValueError) as problem:
        raise CallRefused(f"{method} {request.full_url}: {problem}") from problem


def _request(method: str, url: str, body: object) -> urllib.request.Request:
    parts = urlsplit(url)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    headers = {"Content-Type": "application/json"}
    if parts.username is not None:
        login = f"{parts.username}:{parts.password or ''}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
    payload = None if body is None else json.dumps(body).encode()
    return urllib.request.Request(bare, data=payload, headers=headers, method=method)  # noqa: S310 - ours


def health(url: str) -> str:
    """Return `ready`, `degraded`, `not ready` or `no answer`, as a health address says."""
    try:
        with _direct.open(url, timeout=PROBE_TIMEOUT_S) as answer:
            said = answer.read()
    except urllib.error.HTTPError:
        return "not ready"
    except (OSError, HTTPException):
        return "no answer"
    with suppress(ValueError, AttributeError):
        return "degraded" if json.loads(said).get("status") == "degraded" else "ready"
    return "ready"
