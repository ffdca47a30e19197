"""A data service's answer as the client gets it."""

from collections.abc import Iterable

from starlette.types import Send

from gateway.data_services.cache import Entry, etag_of
from gateway.data_services.freshness import Headers, date, matches, one
from gateway.data_services.policy import Policy
from gateway.data_services.snapshot import Version
from gateway.data_services.transforming import Untransformable, body_by, headers_by
from gateway.data_services.trouble import Kind, Trouble
from gateway.routes.data_services.addresses import PREFIX
from gateway.routes.data_services.outgoing import PSEUDONYM
from gateway.upstream import HOP_BY_HOP, REPLACED

NO_CONTENT = frozenset({204, 304})
OK, NOT_MODIFIED = 200, 304
DROPPED = HOP_BY_HOP | REPLACED | {"set-cookie", "x-correlation-id", "cache-status"}
EVER_FLOWING = frozenset({"text/event-stream", "application/x-ndjson", "application/jsonl"})
_VIA = (b"via", f"1.1 {PSEUDONYM}".encode())
_DROPPED = frozenset(name.encode() for name in DROPPED)
_OF_CACHED = frozenset({b"etag", b"cache-control", b"expires", b"vary", b"last-modified", b"content-location", b"date"})


def lowered(raw: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return headers with their names in small letters."""
    return [(name.lower(), value) for name, value in raw]


def headers_back(version: Version, raw: Headers) -> list[tuple[bytes, bytes]]:
    """Return a service's headers as ours: without what was meant for us, addresses of its own made ours."""
    connection = one(raw, b"connection")
    named = {part.strip().lower().encode("latin-1") for part in connection.split(",")} if connection else None
    dropped = _DROPPED | named if named else _DROPPED
    kept = [(name, value) for name, value in raw if name not in dropped]
    rules = version.policy.response_headers
    if rules.set or rules.remove or rules.rename:
        texts = headers_by(rules, [(name.decode("latin-1"), value.decode("latin-1")) for name, value in kept])
        kept = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in texts]
    found = [(name, _here(version, value) if name == b"location" else value) for name, value in kept]
    return [*found, _VIA]


def _here(version: Version, location: bytes) -> bytes:
    text = location.decode("latin-1")
    if text.startswith(version.base_url + "/"):
        return f"{PREFIX}{version.full_name}{text.removeprefix(version.base_url)}".encode("latin-1")
    return location


def media_type(headers: Headers) -> str:
    """Return the type of an answer without its parameters."""
    return one(headers, b"content-type").partition(";")[0].strip().lower()


def transformed(policy: Policy, headers: Headers, body: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return an answer as the policy makes it; its validator is no longer the service's. Raises Trouble."""
    try:
        changed, kind = body_by(policy.response_body, body)
    except Untransformable as problem:
        raise Trouble(Kind.INVALID, f"the answer cannot be transformed: {problem}") from problem
    gone = {b"etag", b"content-type", b"content-md5", b"digest", b"content-digest"}
    return [*((n, v) for n, v in headers if n not in gone), (b"content-type", kind.encode())], changed


def tagged(headers: list[tuple[bytes, bytes]], body: bytes) -> tuple[list[tuple[bytes, bytes]], str]:
    """Return headers with an ETag, ours where the service gave none, and the tag."""
    etag = one(headers, b"etag")
    if etag:
        return headers, etag
    etag = etag_of(body)
    return [*headers, (b"etag", etag.encode())], etag


def is_known(if_none_match: str, if_modified_since: str, entry: Entry) -> bool:
    """Tell whether the client has this answer already (RFC 9110 §13.2.2: If-None-Match goes first)."""
    if if_none_match:
        return matches(if_none_match, entry.etag)
    if not if_modified_since:
        return False
    since, modified = date(if_modified_since), date(one(entry.headers, b"last-modified"))
    return bool(since and modified and modified <= since)


async def send_whole(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Send an answer that is here as a whole."""
    if status not in NO_CONTENT:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if status in NO_CONTENT else body})


async def send_entry(send: Send, entry: Entry, now: float, note: str, *, known: bool) -> None:
    """Send a kept answer, or that the client has it already."""
    kept = [one_ for one_ in entry.headers if one_[0] != b"age"]
    own = [(b"cache-status", note.encode()), (b"age", str(int(max(0, entry.age_s(now)))).encode())]
    if known:
        told = [(name, value) for name, value in kept if name in _OF_CACHED]
        await send_whole(send, NOT_MODIFIED, [*told, *own], b"")
        return
    await send_whole(send, entry.status, [*kept, *own], entry.body)
