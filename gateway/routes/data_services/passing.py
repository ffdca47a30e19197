"""One call on its way through: limits, cache, the service, and its answer streamed back."""

import asyncio
from functools import cache

import aiohttp
from prometheus_client import Counter
from starlette.types import Receive, Scope

from gateway.data_services.cache import Entry, renewed
from gateway.data_services.calling import SERVER_ERROR, Outgoing, trouble_of
from gateway.data_services.freshness import Headers, Terms, directives, one, seconds, terms_of, varied
from gateway.data_services.lines import Line
from gateway.data_services.reading import read_some
from gateway.data_services.transforming import BODY_BYTES_MAX
from gateway.data_services.trouble import Kind, Trouble
from gateway.errors import CallsOverLimit, NotInCache, ServiceCrowded
from gateway.operations.data_services.failing import Failed
from gateway.routes.data_services.incoming import (
    EVER_FLOWING,
    NO_CONTENT,
    NOT_MODIFIED,
    OK,
    headers_back,
    is_known,
    lowered,
    media_type,
    send_entry,
    send_whole,
    tagged,
    transformed,
)
from gateway.routes.data_services.outgoing import (
    PSEUDONYM,
    WHOLE_BYTES_MAX,
    Body,
    ClientLeft,
    header,
    headers_for,
)
from gateway.routes.data_services.parts import Found, Parts, Sender
from gateway.routes.data_services.refusing import problem_of
from gateway.routes.data_services.watching import Watcher, uncancel
from shared import clock

WATCH_AFTER_S = 0.05
"""Calls that take longer are watched: when their client leaves, the service is left, too."""
CROWDED_RETRY_S = 1

CALLS = Counter("motcua_data_service_calls_total", "Calls to data services, by outcome.", ["service", "outcome"])
_count = cache(CALLS.labels)
"""Looking a counter up by its labels costs more than counting."""


class Passing:
    """One call."""

    def __init__(
        self, parts: Parts, found: Found, scope: Scope, receive: Receive, send: Sender, *, correlation: str
    ) -> None:
        self.parts, self.found, self.scope, self.send = parts, found, scope, send
        self._receive = receive
        self.correlation = correlation
        self.policy = found.version.policy
        self.name = found.version.full_name
        query = scope["query_string"].decode("latin-1")
        self.target = f"{found.address.path}?{query}" if query else found.address.path
        self._body = Body(scope, receive, self.policy.limits.request_bytes_max)
        self._cached = scope["method"] == "GET" and self.policy.cache.enabled and not header(scope, b"range")
        self._control = directives(header(scope, b"cache-control")) if self._cached else {}
        self._entry: Entry | None = None

    async def run(self) -> None:
        """Answer the call. Raises the refusal to answer instead, ClientLeft when nobody is there any more."""
        line = self.parts.lines.of(self.found.version)
        client = self.found.caller.client_id
        self._admit(line, client)
        line.crowd.enter(client)
        watcher = Watcher(self._receive, self._body)
        watch = asyncio.get_running_loop().call_later(WATCH_AFTER_S, watcher.start, asyncio.current_task())
        try:
            if not (self._cached and await self._from_cache()):
                await self._exchange(line)
        except asyncio.CancelledError:
            if not watcher.left:
                raise
            uncancel()
            _count(self.name, "left").inc()
            raise ClientLeft from None
        finally:
            watch.cancel()
            watcher.stop()
            line.crowd.leave(client)

    def _admit(self, line: Line, client: str) -> None:
        limits = self.policy.limits
        wait = line.allowance.take(client, clock.monotonic()) if line.allowance else 0
        if wait:
            _count(self.name, "limited").inc()
            raise CallsOverLimit(f"At most {limits.client_calls_per_minute} calls a minute.", retry_after_s=wait)
        if line.crowd.of(client) >= limits.client_calls_at_once_max:
            _count(self.name, "limited").inc()
            raise CallsOverLimit(
                f"At most {limits.client_calls_at_once_max} calls at once.", retry_after_s=CROWDED_RETRY_S
            )
        if line.crowd.everybody >= limits.calls_at_once_max:
            _count(self.name, "crowded").inc()
            raise ServiceCrowded(f"{self.name} takes no more calls now.", retry_after_s=CROWDED_RETRY_S)

    # What is kept already.

    async def _from_cache(self) -> bool:
        """Answer from what is kept, if that is good enough; remember it, in any case."""
        if "no-store" in self._control:
            return False
        entry = self._entry = self.parts.cache.find(
            self.name, self.target, self.found.caller.client_id, self._request_headers()
        )
        now = clock.monotonic()
        if entry is not None and "no-cache" not in self._control and self._is_fresh(entry, now):
            _count(self.name, "cached").inc()
            await self._send_entry(entry, f"{PSEUDONYM}; hit; ttl={int(entry.left_s(now))}")
            return True
        if "only-if-cached" in self._control:
            raise NotInCache("There is no fresh kept answer; leave out only-if-cached.")
        return False

    def _is_fresh(self, entry: Entry, now: float) -> bool:
        age_max = seconds(self._control.get("max-age"))
        return entry.left_s(now) > 0 and (age_max is None or entry.age_s(now) <= age_max)

    async def _send_entry(self, entry: Entry, note: str) -> None:
        known = is_known(header(self.scope, b"if-none-match"), header(self.scope, b"if-modified-since"), entry)
        await send_entry(self.send, entry, clock.monotonic(), note, known=known)

    def _request_headers(self) -> list[tuple[str, str]]:
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.scope["headers"]]

    # The service.

    async def _exchange(self, line: Line) -> None:
        outgoing = await self._outgoing()
        try:
            answer = await self.parts.road.call(self.found.version, self.found.operation, outgoing, line)
        except Trouble as trouble:
            if self._body.trouble is not None:
                raise self._body.trouble from trouble
            await self._fail(trouble, outgoing)
            return
        try:
            await self._pass_back(answer, outgoing)
        except Trouble as trouble:
            line.breaker.failed(line.breaker.era, clock.monotonic())
            await self._fail(trouble, outgoing)
        finally:
            answer.close() if not answer.content.at_eof() else answer.release()

    async def _outgoing(self) -> Outgoing:
        scope, entry = self.scope, self._entry
        body = await self._body.take(self.policy, length=header(scope, b"content-length"))
        # Our own tags mean nothing to the service.
        conditional = entry is None and b'"m-' not in header(scope, b"if-none-match").encode("latin-1")
        headers = headers_for(
            scope, self.found.caller, self.policy, correlation=self.correlation, conditional=conditional
        )
        if entry is not None:
            headers += _validators(entry)
        if body is not None and not isinstance(body, bytes) and header(scope, b"content-length"):
            headers.append(("content-length", header(scope, b"content-length")))
        return Outgoing(scope["method"], self.target, headers, body, key=header(scope, b"idempotency-key"))

    async def _fail(self, trouble: Trouble, outgoing: Outgoing) -> None:
        """Note a failure; answer with an older answer or a problem, or break off an answer that has begun."""
        _count(self.name, "failed").inc()
        self._note(trouble.kind, trouble.complaint, None, outgoing)
        if self.send.started:
            # The answer stays without its end, so the server closes the connection: it must not look whole.
            return
        entry, now = self._entry, clock.monotonic()
        if entry is not None and entry.serves_failure(now):
            await self._send_entry(entry, f"{PSEUDONYM}; hit; ttl={int(entry.left_s(now))}; detail=stale-if-error")
            return
        raise problem_of(trouble, self.name, self.policy.total_timeout_s) from trouble

    def _note(self, kind: Kind, complaint: str, status: int | None, outgoing: Outgoing) -> None:
        self.parts.failures.note(
            Failed(self.found.version, self.found.operation, self.found.caller, kind, status, complaint,
                   self.correlation, outgoing)
        )  # fmt: skip

    # Its answer.

    async def _pass_back(self, answer: aiohttp.ClientResponse, outgoing: Outgoing) -> None:
        raw = lowered(answer.raw_headers)
        if answer.status == NOT_MODIFIED and self._entry is not None:
            await self._pass_renewed(self._entry, raw)
            return
        if answer.status >= SERVER_ERROR:
            self._note(Kind.STATUS, f"status {answer.status}", answer.status, outgoing)
        self._check(answer, raw)
        headers = headers_back(self.found.version, raw)
        whole_max = self._whole_max(raw)
        try:
            body, complete = await read_some(answer, whole_max)
            if not complete:
                await self._stream(answer, headers, body)
                return
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise trouble_of(problem) from problem
        await self._send_complete(answer, raw, headers, body)

    def _check(self, answer: aiohttp.ClientResponse, raw: Headers) -> None:
        """Raise Trouble for an answer that the contract does not have, or that is too large."""
        kind = media_type(raw)
        as_it_is = self.policy.response_body.format is None
        if as_it_is and kind and answer.status < 400 and not self.found.operation.expects(answer.status, kind):  # noqa: PLR2004
            raise Trouble(Kind.INVALID, "the answer is of a type that the contract does not have")
        bytes_max = self.policy.limits.response_bytes_max
        if self.scope["method"] != "HEAD" and (answer.content_length or 0) > bytes_max:
            raise Trouble(Kind.TOO_LARGE, "the answer is too large")

    def _whole_max(self, raw: Headers) -> int:
        """Return up to which size the answer is taken in before it goes on."""
        if media_type(raw) in EVER_FLOWING:
            return -1
        if not self.policy.response_body.is_idle:
            return BODY_BYTES_MAX
        return max(WHOLE_BYTES_MAX, self.policy.cache.entry_bytes_max) if self._cached else WHOLE_BYTES_MAX

    async def _stream(
        self, answer: aiohttp.ClientResponse, headers: list[tuple[bytes, bytes]], beginning: bytes
    ) -> None:
        bytes_max = self.policy.limits.response_bytes_max
        if not self.policy.response_body.is_idle:
            raise Trouble(Kind.TOO_LARGE, "the answer is too large to be transformed")
        if answer.content_length is not None:
            headers = [*headers, (b"content-length", str(answer.content_length).encode())]
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        size, chunk = 0, beginning
        while True:
            size += len(chunk)
            if size > bytes_max:
                raise Trouble(Kind.TOO_LARGE, "the answer is too large")
            if chunk:
                await self.send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk = await answer.content.readany()
            if not chunk and answer.content.at_eof():
                break
        await self.send({"type": "http.response.body", "body": b""})
        _count(self.name, "answered").inc()

    async def _send_complete(
        self, answer: aiohttp.ClientResponse, raw: Headers, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        if len(body) > self.policy.limits.response_bytes_max:
            raise Trouble(Kind.TOO_LARGE, "the answer is too large")
        if not self.policy.response_body.is_idle and body and answer.status < 400:  # noqa: PLR2004
            headers, body = transformed(self.policy, headers, body)
        outcome = "failed" if answer.status >= SERVER_ERROR else "answered"
        entry = self._entry
        if outcome == "failed" and entry is not None and entry.serves_failure(clock.monotonic()):
            _count(self.name, outcome).inc()
            await self._send_entry(entry, f"{PSEUDONYM}; hit; detail=stale-if-error")
            return
        _count(self.name, outcome).inc()
        if self._cached and answer.status == OK:
            await self._keep_and_send(raw, headers, body)
            return
        if self.scope["method"] not in {"GET", "HEAD", "OPTIONS"} and answer.status < 400:  # noqa: PLR2004
            self.parts.cache.forget(self.name, self.target, self.found.caller.client_id)
        if self.scope["method"] == "HEAD" and answer.status not in NO_CONTENT:
            length = answer.headers.get("Content-Length")
            own = [(b"content-length", length.encode())] if length else []
            await self.send({"type": "http.response.start", "status": answer.status, "headers": [*headers, *own]})
            await self.send({"type": "http.response.body", "body": b""})
            return
        await send_whole(self.send, answer.status, headers, body)

    async def _keep_and_send(self, raw: Headers, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Keep an answer on its terms, give it a tag where it has none, and tell a client that has it just that."""
        headers, etag = tagged(headers, body)
        caching = self.policy.cache
        terms = self._terms(raw)
        varies = varied(one(raw, b"vary"), self._request_headers()) if terms.store else ()
        entry = Entry(OK, headers, body, etag, one(raw, b"etag"), varies, terms, clock.monotonic())
        note = f"{PSEUDONYM}; fwd={'stale' if self._entry else 'miss'}"
        if terms.store and len(body) <= caching.entry_bytes_max and "no-store" not in self._control:
            self.parts.cache.keep(self.name, self.target, self.found.caller.client_id, entry)
            note += "; stored"
        await self._send_entry(entry, note)

    async def _pass_renewed(self, entry: Entry, raw: Headers) -> None:
        """Answer with what is kept and, as the service says, still true."""
        told = headers_back(self.found.version, raw)
        if not self.policy.response_body.is_idle:
            # The service's tag is of the body as it was before it was transformed.
            told = [one_ for one_ in told if one_[0] != b"etag"]
        names = {name for name, _ in raw}
        terms = self._terms([*raw, *(one_ for one_ in entry.headers if one_[0] not in names)])
        fresh = renewed(entry, told, terms, clock.monotonic())
        self.parts.cache.keep(self.name, self.target, self.found.caller.client_id, fresh)
        _count(self.name, "answered").inc()
        await self._send_entry(fresh, f"{PSEUDONYM}; fwd=stale; fwd-status=304; stored")

    def _terms(self, headers: Headers) -> Terms:
        caching = self.policy.cache
        return terms_of(
            OK,
            headers,
            clock.now(),
            default_s=caching.default_s,
            shared=caching.shared,
            stale_if_error_s=caching.stale_if_error_s,
        )


def _validators(entry: Entry) -> list[tuple[str, str]]:
    modified = one(entry.headers, b"last-modified")
    found = [("if-none-match", entry.validator)] if entry.validator else []
    return [*found, ("if-modified-since", modified)] if modified else found
