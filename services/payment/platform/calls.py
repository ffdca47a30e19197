"""Calls to providers over HTTP: bounded in time, counted, traced; and what may be kept of what anybody sends."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
from opentelemetry.trace import SpanKind
from prometheus_client import Counter

from services.payment.platform.port import Unclear
from services.payment.states import Provider
from shared import telemetry

CALLS = Counter("motcua_platform_calls_total", "Calls to payment providers, by outcome.", ["message", "outcome"])
PDF = "application/pdf"
URL_MAX = 2_000
LOGGED_MAX = 64
_UNSAFE = re.compile(r"[^0-9A-Za-z._-]")


async def post(
    http: httpx.AsyncClient,
    path: str,
    message: Mapping[str, object],
    *,
    provider: Provider,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Post a message as JSON and return the answer of status 200. Raises Unclear."""
    outcome, name = "unclear", path.rpartition("/")[2]
    with telemetry.span(f"POST {provider}/{name}", SpanKind.CLIENT, telemetry.current_traceparent()):
        try:
            async with asyncio.timeout(timeout_s):
                sent = {"Content-Type": "application/json", **(headers or {})}
                answer = await http.post(path, content=orjson.dumps(message), headers=sent)
            if answer.status_code != httpx.codes.OK:
                raise Unclear(f"HTTP status {answer.status_code}")
            outcome = "answered"
        except (httpx.HTTPError, TimeoutError) as problem:
            raise Unclear(type(problem).__name__) from problem
        finally:
            CALLS.labels(name if provider == Provider.NATIONAL_PLATFORM else f"{provider}_{name}", outcome).inc()
    return answer


def read_object(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer. Raises Unclear."""
    try:
        found = orjson.loads(answer.content)
    except orjson.JSONDecodeError as problem:
        raise Unclear("the answer is no JSON") from problem
    if not isinstance(found, dict):
        raise Unclear("the answer is no object")
    return found


def loggable(text: str) -> str:
    """Return what may be kept of a text that anybody could have sent."""
    return _UNSAFE.sub("?", text[:LOGGED_MAX])
