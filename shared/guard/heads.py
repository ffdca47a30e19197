"""The first line and the headers of a request: so long, so many, and each that decides something only once."""

import re

from starlette.types import Scope

from shared.guard.refusals import AddressTooLong, HeadTooLarge, MalformedRequest
from shared.problems import MethodNotAllowed
from shared.settings import Limits

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
VERSIONS = frozenset({"1.0", "1.1", "2"})
ONCE = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"if-match",
        b"transfer-encoding",
    }
)
"""Two readers of the same request must not take another one of two."""
_HOST = re.compile(rb"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?")
_TRACE_PARENT = b"traceparent"
_TRACE_STATE = b"tracestate"

Headers = list[tuple[bytes, bytes]]


def check_head(scope: Scope, limits: Limits) -> None:
    """Refuse a request for its first line or headers; leave out of it what nobody may rely on.

    Raises MalformedRequest, AddressTooLong, HeadTooLarge, MethodNotAllowed.
    """
    if scope["method"] not in METHODS:
        raise MethodNotAllowed(f"This door knows {', '.join(sorted(METHODS))}.")
    if scope.get("http_version", "1.1") not in VERSIONS:
        raise MalformedRequest("Speak HTTP/1.1.")
    _check_address(scope, limits)
    scope["headers"] = _cleaned(scope["headers"], limits, host_needed=scope.get("http_version") == "1.1")


def _check_address(scope: Scope, limits: Limits) -> None:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    if len(path) > limits.path_bytes_max:
        raise AddressTooLong(f"A path has at most {limits.path_bytes_max} bytes.", limit="path_bytes_max")
    if len(query) > limits.query_bytes_max:
        raise AddressTooLong(f"A query has at most {limits.query_bytes_max} bytes.", limit="query_bytes_max")
    if query.count(b"&") >= limits.parameters_max:
        raise AddressTooLong(f"A query has at most {limits.parameters_max} parameters.", limit="parameters_max")


def _cleaned(headers: Headers, limits: Limits, *, host_needed: bool) -> Headers:
    """Return the headers without those with an underscore, which some readers take for another's hyphen.

    Two traceparents are none (W3C trace context §3.2): the trace begins here.
    """
    if len(headers) > limits.headers_max:
        raise HeadTooLarge(f"At most {limits.headers_max} headers.", limit="headers_max")
    size, seen, traces = 0, set(), 0
    for name, value in headers:
        size += len(name) + len(value) + 4
        if name in ONCE:
            if name in seen:
                raise MalformedRequest(f"Send {name.decode('latin-1')} once.", header=name.decode("latin-1"))
            seen.add(name)
            if name == b"host" and not _HOST.fullmatch(value):
                raise MalformedRequest("The Host header names no host.", header="host")
        traces += name == _TRACE_PARENT
    if size > limits.head_bytes_max:
        raise HeadTooLarge(f"All headers have at most {limits.head_bytes_max} bytes.", limit="head_bytes_max")
    if host_needed and b"host" not in seen:
        raise MalformedRequest("Send a Host header.", header="host")
    left_out = {_TRACE_PARENT, _TRACE_STATE} if traces > 1 else frozenset()
    return [header for header in headers if b"_" not in header[0] and header[0] not in left_out]
