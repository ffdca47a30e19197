"""A client's request as the data service hears it."""

import asyncio
import re
from collections.abc import AsyncIterator

from starlette.types import Message, Receive, Scope

from gateway.data_services.policy import Policy
from gateway.data_services.transforming import BODY_BYTES_MAX, Untransformable, body_by, headers_by
from gateway.upstream import HOP_BY_HOP
from shared.caller import Caller
from shared.errors import InvalidRequest
from shared.guard.refusals import BodyTooLarge
from shared.telemetry import current_traceparent, current_tracestate

WHOLE_BYTES_MAX = 256 * 1024
"""Bodies up to here are taken in before the call goes out: only those can be sent again."""
DROPPED = HOP_BY_HOP | {
    "authorization",
    "cookie",
    "forwarded",
    "via",
    "x-correlation-id",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "tracestate",
}
"""What is between the client and us, or what we say ourselves."""
CONDITIONS = frozenset({"if-none-match", "if-modified-since"})
_WITH_CONDITIONS = DROPPED | CONDITIONS
PSEUDONYM = "motcua"
CORRELATION_HEADER = "x-correlation-id"
_CORRELATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_NODE = re.compile(r"[A-Za-z0-9._-]{1,100}")


class ClientLeft(Exception):
    """The client closed its connection."""


def header(scope: Scope, name: bytes) -> str:
    """Return the first value of a request's header; empty when it has none."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return ""


def correlation_id(scope: Scope) -> str:
    """Return the id that ties a call to what its client knows of it: the client's own, else the trace's."""
    given = header(scope, b"x-correlation-id")
    return given if _CORRELATION.fullmatch(given) else (current_traceparent() or "--").split("-")[1]


def headers_for(
    scope: Scope, caller: Caller, policy: Policy, *, correlation: str, conditional: bool
) -> list[tuple[str, str]]:
    """Return the headers of the call: the client's without what was meant for us, and what we say.

    `Forwarded` names the client system by an obfuscated identifier (RFC 7239 §6.3), never its address; what came as
    Forwarded or X-Forwarded-… is dropped, since anybody could have written it.
    """
    dropped = DROPPED if conditional else _WITH_CONDITIONS
    headers: list[tuple[str, str]] = []
    named: set[str] = set()
    via = ""
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        if name == "connection":
            named.update(part.strip().lower() for part in raw_value.decode("latin-1").split(","))
        elif name == "via":
            via = f"{via}{raw_value.decode('latin-1')}, "
        elif name not in dropped:
            headers.append((name, raw_value.decode("latin-1")))
    if named:
        named -= {"content-type", "idempotency-key"}
        headers = [one for one in headers if one[0] not in named]
    if policy.request_headers.set or policy.request_headers.remove or policy.request_headers.rename:
        headers = headers_by(policy.request_headers, headers)
    node = caller.client_id if _NODE.fullmatch(caller.client_id) else "unknown"
    headers.append(("via", f"{via}{scope.get('http_version', '1.1')} {PSEUDONYM}"))
    headers.append(("forwarded", f"for=_{node}"))
    headers.append((CORRELATION_HEADER, correlation))
    traceparent, tracestate = current_traceparent(), current_tracestate()
    if traceparent:
        headers.append(("traceparent", traceparent))
        if tracestate:
            headers.append(("tracestate", tracestate))
    return headers


class Body:
    """A request's body: taken in whole while it is small, else passed on as it comes; never beyond its limit."""

    def __init__(self, scope: Scope, receive: Receive, bytes_max: int) -> None:
        self._scope, self._receive, self._bytes_max = scope, receive, bytes_max
        self._size = 0
        self._more = True
        self.whole = asyncio.Event()
        """Set when all of it has come."""
        self.trouble: BodyTooLarge | ClientLeft | None = None
        """Why it broke off while it was passed on."""

    async def take(self, policy: Policy, *, length: str) -> "bytes | AsyncIterator[bytes] | None":
        """Return the body to send. Raises BodyTooLarge, ClientLeft, InvalidRequest (cannot be transformed)."""
        transforms = not policy.request_body.is_idle
        if not length and not header(self._scope, b"transfer-encoding"):
            self.whole.set()
            return None
        if length and int(length) > self._bytes_max:
            raise BodyTooLarge(f"At most {self._bytes_max} bytes.")
        if length and int(length) > WHOLE_BYTES_MAX and not transforms:
            return self._streamed([])
        whole_max = BODY_BYTES_MAX if transforms else WHOLE_BYTES_MAX
        chunks: list[bytes] = []
        while self._more and self._size <= whole_max:
            chunks.append(await self._next())
        if transforms:
            return self._transformed(policy, b"".join(chunks))
        if self._more:
            return self._streamed(chunks)
        return b"".join(chunks)

    def _transformed(self, policy: Policy, body: bytes) -> bytes:
        if self._more:
            raise BodyTooLarge(f"At most {BODY_BYTES_MAX} bytes, since this service's requests are transformed.")
        try:
            return body_by(policy.request_body, body)[0]
        except Untransformable as problem:
            raise InvalidRequest(f"This service's requests are transformed: {problem}.") from problem

    async def _streamed(self, chunks: list[bytes]) -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk
        while self._more:
            try:
                yield await self._next()
            except (BodyTooLarge, ClientLeft) as problem:
                self.trouble = problem
                raise

    async def _next(self) -> bytes:
        message: Message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        chunk: bytes = message.get("body", b"")
        self._more = message.get("more_body", False)
        self._size += len(chunk)
        if self._size > self._bytes_max:
            raise BodyTooLarge(f"At most {self._bytes_max} bytes.")
        if not self._more:
            self.whole.set()
        return chunk
