"""The road to the services: plain ASGI, since it carries every call (decision 6)."""

import math
import re
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import TooManyCalls
from gateway.routes.limits import Buckets
from gateway.upstream import LIMITED, Answer, Upstream, hop_by_hop, is_public, owner_of
from shared import problems
from shared.errors import NotFound
from shared.http import authenticate
from shared.telemetry import current_traceparent

PREFIX = "/api/v1"
_INNER = re.compile(
    r"forwarded$|x-forwarded-|x-real-|x-client-|x-original-|x-rewrite-|x-http-method|x-method-override|x-accel-"
    r"|x-sendfile|x-remote-|x-user|x-auth|x-motcua-|x-envoy-|x-ssl-|client-cert|ssl-client|remote-|proxy"
)
"""Headers by which proxies tell those behind them who calls, from where and what for; from outside they are lies."""
WITHOUT_CONTENT = frozenset({204, 304})
OWN = re.compile(r"dossiers/[^/]+/timeline|statistics/transactions")
"""What the gateway answers itself below a service's first part of the path."""
_TWO_MEANINGS = re.compile(r"^/|//|\.\.|(?:^|/)\.(?:/|$)|[\\;\x00-\x1f\x7f]|%[0-9A-Fa-f]{2}")
_ESCAPED = re.compile(r"%(?:2f|5c|2e|3b)", re.IGNORECASE)


class Proxy:
    """Middleware that takes what is for a service, before the gateway's own routes are searched, and passes it on.

    Who calls (token), where to (first part of the path), and back comes the service's answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call that is for a service; leave others to the gateway."""
        if scope["type"] != "http" or not is_for_a_service(scope["path"]):
            await self.app(scope, receive, send)
            return
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
        service = owner_of(path)
        if service is None:
            raise NotFound("No such address.")
        request.state.service = service
        _limit(request, path)
        if not is_public(request.method, path):
            await authenticate(request)
        body = await request.body()
        upstream: Upstream = state.upstream
        query = request.scope["query_string"].decode("latin-1")
        answer = await upstream.call(
            service,
            request.method,
            f"/{path}?{query}" if query else f"/{path}",
            headers=_headers(request),
            body=body or None,
        )
        return passed_back(answer, upstream.urls[service])


def is_for_a_service(path: str) -> bool:
    """Tell whether a call is passed on; the path is the decoded one."""
    rest = path.removeprefix(f"{PREFIX}/")
    return rest != path and owner_of(rest) is not None and not OWN.fullmatch(rest)


def _safe_path(request: Request) -> str:
    """Return the path below the prefix, as it came. Raises NotFound for one that two readers may take differently.

    Such are parts that are dots, empty, or hold what parts are made of: slashes, backslashes, dots as escapes, a
    semicolon (some cut a part there), control characters, escapes within escapes, and what is no UTF-8 once decoded.
    """
    raw = request.scope.get("raw_path", request.scope["path"].encode()).decode("latin-1")
    path = raw.partition("?")[0].removeprefix(f"{PREFIX}/")
    if path == raw or _ESCAPED.search(path) or _TWO_MEANINGS.search(_decoded(path)):
        raise NotFound("No such address.")
    return path


def _decoded(path: str) -> str:
    try:
        return unquote(path, errors="strict")
    except UnicodeDecodeError as problem:
        raise NotFound("No such address.") from problem


def _limit(request: Request, path: str) -> None:
    """Refuse an address that asks what everybody may ask too often. Raises TooManyCalls."""
    if path.partition("/")[0] not in LIMITED:
        return
    buckets: Buckets = request.app.state.buckets
    wait = buckets.take(request.state.address)
    if wait:
        raise TooManyCalls(f"Try again in {math.ceil(wait)} s.", retry_after_s=math.ceil(wait))


def _headers(request: Request) -> list[tuple[str, str]]:
    left_out = hop_by_hop(request.headers.items())
    headers = [
        (name, value) for name, value in request.headers.items() if name not in left_out and not _INNER.match(name)
    ]
    traceparent = current_traceparent()
    if traceparent:
        headers.append(("traceparent", traceparent))
    return headers


def passed_back(answer: Answer, service_url: str) -> Response:
    """Return a service's answer as ours; service_url is the inner address that nobody outside may meet."""
    response = Response(answer.body, status_code=answer.status)
    kept = [(name, _here(value, service_url) if name == b"location" else value) for name, value in answer.headers]
    response.raw_headers = kept
    if answer.status not in WITHOUT_CONTENT:
        response.raw_headers = [*kept, (b"content-length", str(len(answer.body)).encode())]
    return response


def _here(location: bytes, service_url: str) -> bytes:
    """Return an address at a service as one at our door; any other as it is."""
    path = location.decode("latin-1").removeprefix(service_url)
    return f"{PREFIX}{path}".encode("latin-1") if path.startswith("/") else location
