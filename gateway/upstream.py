"""The services behind the door, reached through one client with bounded time, size and connections.

The data plane uses aiohttp's client: beneath a proxy it costs a sixth of httpx (docs/decisions/0006).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import orjson
from yarl import URL

from gateway.errors import UpstreamAway, UpstreamTimeout

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "host",
        "content-length",
        "traceparent",
        "accept-encoding",
        "client-cert",
        "client-cert-chain",
    }
)
REPLACED = frozenset({"date", "server"})
"""The gateway's own server says who answered and when."""
CONNECT_TIMEOUT_S = 3
KEEP_ALIVE_S = 30
"""So long a connection is kept; the services keep it longer (shared.guard.protocol)."""
ROUTES: dict[str, str] = {
    "dossiers": "intake",
    "documents": "intake",
    "drafts": "intake",
    "uploads": "intake",
    "submission-rules": "intake",
    "registers": "intake",
    "tracking": "intake",
    "procedures": "intake",
    "agencies": "intake",
    "fields": "intake",
    "forms": "intake",
    "catalogue": "intake",
    "tasks": "workflow",
    "cases": "workflow",
    "delegations": "workflow",
    "officials": "workflow",
    "consultations": "workflow",
    "notices": "workflow",
    "statistics": "workflow",
    "calendars": "workflow",
    "processes": "workflow",
    "fees": "payment",
    "payments": "payment",
    "receipts": "payment",
    "refunds": "payment",
    "exemptions": "payment",
    "bank-statements": "payment",
    "bank-lines": "payment",
    "desk-shifts": "payment",
    "receipt-issuers": "payment",
    "verify-receipt": "payment",
    "ledger": "payment",
    "reconciliations": "payment",
    "settlements": "payment",
    "results": "results",
    "verify": "results",
    "granted": "results",
    "reuse": "results",
    "result-kinds": "results",
    "statistics/reuse": "results",
    "digitisation": "results",
}
"""First part of the path, or first two where services share the first → the service that owns it."""
PUBLIC: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "procedures"),
        ("GET", "agencies"),
        ("GET", "fields"),
        ("GET", "forms"),
        ("GET", "verify"),
        ("POST", "verify"),
        ("GET", "granted"),
        ("GET", "verify-receipt"),
        ("GET", "submission-rules"),
        ("GET", "tracking"),
        ("GET", "openapi.json"),
        ("GET", "asyncapi.json"),
        ("GET", "conformance.py"),
    }
)
LIMITED = frozenset({"verify", "granted", "verify-receipt"})
"""Open to everybody, and therefore only so often to one address."""
PUBLIC_PATHS = frozenset({"payments/callbacks/national", "payments/callbacks/vnpay", "payments/callbacks/vietqr"})
"""What payment providers tell by themselves carries a signature of its own instead of a token."""


def is_public(method: str, path: str) -> bool:
    """Tell whether a call needs no token; the path is without prefix and leading slash, as it stood on the wire."""
    return (method, path.partition("/")[0]) in PUBLIC or path in PUBLIC_PATHS


def owner_of(path: str) -> str | None:
    """Return the service that answers below a path (without prefix and leading slash), None if none does."""
    first, _, rest = path.partition("/")
    return ROUTES.get(f"{first}/{rest.partition('/')[0]}") or ROUTES.get(first)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def json(self) -> dict[str, object]:
        """Return the body read as a JSON object."""
        return orjson.loads(self.body)


class Upstream:
    """HTTP to the services."""

    def __init__(self, urls: Mapping[str, str], *, timeout_s: float, connections_max: int) -> None:
        self.urls = dict(urls)
        self.timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        self._kept = self._session(aiohttp.TCPConnector(limit=connections_max, keepalive_timeout=KEEP_ALIVE_S))
        self._fresh = self._session(aiohttp.TCPConnector(limit=connections_max, force_close=True))

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            timeout=self.timeout,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._kept.close()
        await self._fresh.close()

    async def call(
        self,
        service: str,
        method: str,
        path_and_query: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> Answer:
        """Send a request to a service and return its whole answer.

        A request whose kept connection turns out to be dead is sent again once, on a new one (the next that was kept
        may be as dead); every service takes a repeated key as one. Raises UpstreamAway, UpstreamTimeout.
        """
        # As it was checked, to the letter: a URL that is put in order on the way out is another one.
        url = URL(self.urls[service] + path_and_query, encoded=True)
        for session in (self._kept, self._fresh):
            try:
                async with session.request(
                    method,
                    url,
                    headers=list(headers),
                    data=body,
                    allow_redirects=False,
                    skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                ) as answer:
                    content = await answer.read()
                    return Answer(answer.status, _kept(answer.raw_headers), content)
            except TimeoutError as problem:
                raise UpstreamTimeout(f"{service} did not answer within {self.timeout.total:g} s.") from problem
            except aiohttp.ClientConnectorError as problem:
                raise UpstreamAway(f"{service} cannot be reached.") from problem
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as problem:
                if session is self._fresh:
                    raise UpstreamAway(f"{service} closed the connection.") from problem
            except aiohttp.ClientError as problem:
                raise UpstreamAway(f"{service} broke off its answer.") from problem
        raise AssertionError("unreachable: the last attempt returns or raises")


def hop_by_hop(headers: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the names of headers that are for the next hop only: those always are, and those `Connection` names."""
    named = [value for name, value in headers if name.lower() == "connection"]
    return HOP_BY_HOP.union(name.strip().lower() for value in named for name in value.split(","))


def _kept(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    left_out = hop_by_hop((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers) | REPLACED
    return [(name.lower(), value) for name, value in headers if name.decode("latin-1").lower() not in left_out]
