"""A call to a data service: credentials, time-outs, repeats where that is safe, the breaker."""

import asyncio
import math
import random
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import aiohttp
from prometheus_client import Counter
from yarl import URL

from gateway.data_services.contract import SAFE_METHODS, Operation
from gateway.data_services.credentials import Credentialed
from gateway.data_services.lines import Line
from gateway.data_services.reading import read_some
from gateway.data_services.snapshot import Version
from gateway.data_services.trouble import Kind, Trouble
from shared import clock

AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
UNAUTHENTICATED, NOT_IMPLEMENTED, SERVER_ERROR = 401, 501, 500
PASSING = frozenset({502, 503, 504})
"""Statuses that a repeat may mend."""

REPEATS = Counter("motcua_data_service_repeats_total", "Calls sent again by the gateway.", ["service"])


@dataclass(slots=True)
class Outgoing:
    """A call as it goes out."""

    method: str
    target: str
    """Path and query below the version's address, percent-encoded."""
    headers: list[tuple[str, str]]
    body: bytes | AsyncIterable[bytes] | None
    key: str = ""
    """Its Idempotency-Key."""


def may_repeat(operation: Operation, outgoing: Outgoing) -> bool:
    """Tell whether a call may be sent twice: safe methods, or the contract says so and a key ties both together."""
    if outgoing.body is not None and not isinstance(outgoing.body, bytes):
        return False
    return outgoing.method in SAFE_METHODS or (operation.safe_to_repeat and bool(outgoing.key))


class Caller:
    """Calls data services through one pool of connections."""

    def __init__(self, *, connections_max: int) -> None:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections_max, keepalive_timeout=30),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=AUTOMATIC,
        )
        self._credentialed = Credentialed(self.session)

    async def close(self) -> None:
        """Close every connection."""
        await self.session.close()

    async def call(
        self, version: Version, operation: Operation, outgoing: Outgoing, line: Line
    ) -> aiohttp.ClientResponse:
        """Return an answer whose body is still to be read, and which the caller closes. Raises Trouble.

        The breaker hears of every attempt here, and of a body that breaks off from whoever reads it.
        """
        policy = version.policy
        deadline = clock.monotonic() + policy.total_timeout_s
        attempts = policy.retries.attempts_max if may_repeat(operation, outgoing) else 1
        line.budget.save()
        for attempt in range(1, attempts + 1):
            last = attempt == attempts
            trouble: Trouble | None = None
            answer: aiohttp.ClientResponse | None = None
            try:
                answer = await self._attempt(version, outgoing, line, deadline)
            except Trouble as found:
                trouble = found
            if answer is not None and (last or answer.status not in PASSING):
                return answer
            pause = self._pause(version, attempt, answer, trouble)
            if last or clock.monotonic() + pause >= deadline or not line.budget.spend():
                if answer is not None:
                    return answer
                raise trouble or AssertionError("unreachable: no answer and no trouble")
            if answer is not None:
                answer.close()
            REPEATS.labels(version.full_name).inc()
            await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _attempt(
        self, version: Version, outgoing: Outgoing, line: Line, deadline: float
    ) -> aiohttp.ClientResponse:
        now = clock.monotonic()
        wait = line.breaker.refuses_for(now)
        if wait:
            raise Trouble(Kind.RESTING, "the breaker is open", retry_after_s=wait)
        era = line.breaker.era
        try:
            headers = await self._credentialed.headers(version, outgoing.headers)
            answer = await self._send(version, outgoing, headers, deadline)
        except Trouble:
            line.breaker.failed(era, clock.monotonic())
            raise
        except BaseException:
            line.breaker.forget(era)
            raise
        if answer.status >= SERVER_ERROR and answer.status != NOT_IMPLEMENTED:
            line.breaker.failed(era, clock.monotonic())
        else:
            line.breaker.succeeded(era, clock.monotonic())
        if answer.status == UNAUTHENTICATED:
            self._credentialed.forget(version)
        return answer

    async def _send(
        self, version: Version, outgoing: Outgoing, headers: Sequence[tuple[str, str]], deadline: float
    ) -> aiohttp.ClientResponse:
        left = max(1, math.ceil((deadline - clock.monotonic()) * 100))
        timeout = _timeout(left, version.policy.connect_timeout_s)
        try:
            return await self.session.request(
                outgoing.method,
                URL(version.base_url + outgoing.target, encoded=True),
                headers=headers,
                data=outgoing.body,
                allow_redirects=False,
                timeout=timeout,
            )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            raise trouble_of(problem) from problem

    def _pause(
        self, version: Version, attempt: int, answer: aiohttp.ClientResponse | None, trouble: Trouble | None
    ) -> float:
        """Return seconds before the next attempt: doubling, bounded, with jitter; more where the service says so."""
        retries = version.policy.retries
        pause = min(retries.first_pause_s * 2 ** (attempt - 1), retries.last_pause_s)
        pause *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
        if trouble is not None and trouble.retry_after_s:
            return max(pause, trouble.retry_after_s)
        said = answer.headers.get("Retry-After", "") if answer is not None else ""
        return max(pause, float(said)) if said.isascii() and said.isdigit() else pause


@lru_cache(1024)
def _timeout(hundredths_left: int, connect_s: float) -> aiohttp.ClientTimeout:
    """Return the bounds of an attempt; most have the whole time before them, so there are few different ones."""
    left = hundredths_left / 100
    return aiohttp.ClientTimeout(total=left, sock_connect=min(left, connect_s))


async def read_beginning(answer: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """Return the beginning of an answer's body. Raises Trouble when it breaks off before."""
    try:
        return (await read_some(answer, bytes_max))[0]
    except (aiohttp.ClientError, TimeoutError, OSError) as problem:
        raise trouble_of(problem) from problem


def trouble_of(problem: BaseException) -> Trouble:
    """Return what an exception of the client means."""
    for kinds, kind, complaint in _MEANINGS:
        if isinstance(problem, kinds):
            return Trouble(kind, complaint)
    return Trouble(Kind.DISCONNECTED, type(problem).__name__)


_MEANINGS: tuple[tuple[tuple[type[BaseException], ...], Kind, str], ...] = (
    ((aiohttp.ConnectionTimeoutError,), Kind.CONNECT_TIMEOUT, "no connection in time"),
    ((TimeoutError,), Kind.TIMEOUT, "no whole answer in time"),
    ((aiohttp.ClientConnectorDNSError,), Kind.DNS, "the host has no address"),
    ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch), Kind.TLS, "no secure connection"),
    ((aiohttp.ClientConnectorError,), Kind.REFUSED, "no connection"),
    ((aiohttp.ClientPayloadError,), Kind.TRUNCATED, "the answer broke off"),
    ((aiohttp.ClientResponseError,), Kind.INVALID, "the answer is no HTTP"),
    ((aiohttp.InvalidURL, ValueError), Kind.INVALID, "the call cannot be written"),
    ((aiohttp.ServerDisconnectedError,), Kind.DISCONNECTED, "the connection closed without an answer"),
)
