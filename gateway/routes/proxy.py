"""The road to the services: a plain ASGI route, since it carries every call (docs/decisions)."""

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.errors import BodyTooLarge, EvidenceMissing
from gateway.operations.evidence import Call, Evidence, EvidenceAway
from gateway.upstream import HOP_BY_HOP, PUBLIC, PUBLIC_PATHS, ROUTES, Answer, Upstream
from shared import clock, problems
from shared.caller import Caller
from shared.errors import NotFound
from shared.http import SAFE_METHODS
from shared.telemetry import current_traceparent
from shared.tokens import TokenVerifier

PREFIX = "/api/v1"
ANONYMOUS = Caller("anonymous")
_DOSSIER = re.compile(r"(?:\d{3}\.\d{2}\.\d{2}\.)?[HG]\d{2}(?:\.\d{1,3}){0,3}-\d{6}-\d{4,6}")


class Proxy:
    """Lets a call through: who (token), where to (first part of the path), evidence kept, answer passed on."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call under /api/v1."""
        request = Request(scope, receive)
        try:
            response = await self._pass_on(request)
        except Exception as problem:
            error = problems.as_domain_error(problem)
            if isinstance(error, problems.InternalError):
                raise
            response = problems.render(error)
        await response(scope, receive, send)

    async def _pass_on(self, request: Request) -> Response:
        state = request.app.state
        path = _safe_path(request)
        service = ROUTES.get(path.partition("/")[0])
        if service is None:
            raise NotFound("No such address.")
        caller = await _caller(request, path, state.tokens)
        body = await _bounded_body(request, state.settings.body_bytes_max)
        started, at = clock.monotonic(), clock.now()
        upstream: Upstream = state.upstream
        query = request.scope["query_string"].decode("latin-1")
        answer = await upstream.call(
            service,
            request.method,
            f"/{path}?{query}" if query else f"/{path}",
            headers=_headers(request),
            body=body or None,
        )
        call = Call(
            at=at,
            client_id=caller.client_id,
            service=service,
            method=request.method,
            path=f"/{path}",
            status=answer.status,
            duration_us=int((clock.monotonic() - started) * 1e6),
            request_bytes=len(body),
            response_bytes=len(answer.body),
            trace_id=_trace_id(),
            dossier_code=_dossier_code(path, answer),
        )
        await _keep(state.evidence, call)
        return _response(answer)


def _safe_path(request: Request) -> str:
    raw = request.scope.get("raw_path", request.scope["path"].encode()).decode("latin-1")
    path = raw.partition("?")[0].removeprefix(PREFIX).lstrip("/")
    lowered = path.lower()
    if ".." in path or "//" in path or "\\" in path or "%2f" in lowered or "%2e" in lowered or "%5c" in lowered:
        raise NotFound("No such address.")
    return path


async def _caller(request: Request, path: str, tokens: TokenVerifier) -> Caller:
    if (request.method, path.partition("/")[0]) in PUBLIC or path in PUBLIC_PATHS:
        return ANONYMOUS
    return await tokens.verify(request.headers.get("authorization"))


async def _bounded_body(request: Request, bytes_max: int) -> bytes:
    if int(request.headers.get("content-length") or 0) > bytes_max:
        raise BodyTooLarge(f"At most {bytes_max} bytes.")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            raise BodyTooLarge(f"At most {bytes_max} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


def _headers(request: Request) -> list[tuple[str, str]]:
    headers = [(name, value) for name, value in request.headers.items() if name not in HOP_BY_HOP]
    traceparent = current_traceparent()
    if traceparent:
        headers.append(("traceparent", traceparent))
    return headers


def _trace_id() -> str:
    return (current_traceparent() or "--").split("-")[1]


def _dossier_code(path: str, answer: Answer) -> str | None:
    found = _DOSSIER.search(path)
    if found is None:
        location = next((value.decode() for name, value in answer.headers if name == b"location"), "")
        found = _DOSSIER.search(location)
    return found.group() if found else None


async def _keep(evidence: Evidence, call: Call) -> None:
    if call.method in SAFE_METHODS:
        evidence.note(call)
        return
    try:
        await evidence.store(call)
    except EvidenceAway as problem:
        raise EvidenceMissing from problem


def _response(answer: Answer) -> Response:
    response = Response(answer.body, status_code=answer.status)
    kept = [
        (name, f"{PREFIX}{value.decode()}".encode() if name == b"location" and value.startswith(b"/") else value)
        for name, value in answer.headers
    ]
    response.raw_headers = [*kept, (b"content-length", str(len(answer.body)).encode())]
    return response
