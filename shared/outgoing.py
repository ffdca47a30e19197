"""Calls to addresses that somebody else named, without ever reaching what lies inside (SSRF, OWASP API7:2023).

An address is decided on twice: by its form when it is given, and by the network addresses behind its name at every
connection. A connection goes to exactly the address that was looked at, so a name that answers differently the second
time gains nothing. Redirects are not followed, proxies of the environment not asked, cookies not kept, answers not
unpacked; time and size are bounded.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from shared import clock
from shared.errors import DomainError, FieldError, TransientError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Lookup = Callable[[str], Awaitable[list[str]]]
"""From a host's name to its addresses, as text; raises OSError when there are none."""

URL_MAX = 2000
LOOKUPS_AT_ONCE = 8
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_USER = re.compile(r"[^/?#]*//[^/?#]*@")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        # IANA IPv4 Special-Purpose Address Registry, multicast, reserved.
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        # A cloud's own services on an address that looks public (Azure).
        "168.63.129.16/32",
    )
)
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
"""All that is given out; IPv4-mapped, NAT64 (64:ff9b::/96), unique local, link-local and multicast lie outside."""
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    # Protocol assignments with Teredo and ORCHID, documentation, 6to4, AS112, documentation again, and NAT64's kind.
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)


class AddressRefused(DomainError):
    """This address is not one that we call."""

    code = "address_refused"
    status = 422
    title_vi = "Địa chỉ nhận không được chấp nhận"


class NoAnswer(TransientError):
    """A call got no answer; `reason` is one of a few words that say nothing about the network inside."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Policy:
    """Which addresses may be called, and how long and how much is waited for and read."""

    http: bool = False
    """Without encryption too."""
    ports: tuple[tuple[int, int], ...] = ((443, 443),)
    """First and last of each range."""
    allowed_networks: tuple[Network, ...] = ()
    """May be called although they are private (a province's own network)."""
    allowed_hosts: frozenset[str] = frozenset()
    """May be called wherever their names lead to."""
    refused_networks: tuple[Network, ...] = ()
    """May not be called although they are public."""
    connect_timeout_s: float = 5
    timeout_s: float = 15
    answer_bytes_max: int = 64 * 1024

    @classmethod
    def read(cls, *, allowed: str = "", refused: str = "", ports: str = "443", **more: bool | float) -> Self:
        """Return a policy from settings: comma-separated networks or hosts, networks, ports or ranges of ports.

        Raises ValueError when one of them is malformed.
        """
        hosts, networks = set(), []
        for one in _parts(allowed):
            try:
                networks.append(ipaddress.ip_network(one))
            except ValueError:
                if "/" in one or not _is_name(one.lower()):
                    raise
                hosts.add(one.lower())
        ranges = [one.partition("-") for one in _parts(ports)]
        return cls(
            allowed_networks=tuple(networks),
            allowed_hosts=frozenset(hosts),
            refused_networks=tuple(map(ipaddress.ip_network, _parts(refused))),
            ports=tuple((int(first), int(last or first)) for first, _, last in ranges),
            **more,  # type: ignore[arg-type]
        )

    def examine(self, url: str) -> URL:
        """Return an address whose form is fine; no name is looked up. Raises AddressRefused."""
        if len(url) > URL_MAX or not url.isprintable() or " " in url or "\\" in url:
            raise _refused(f"write an address of at most {URL_MAX} characters, without blanks and backslashes")
        try:
            parsed = URL(url)
        except ValueError as problem:
            raise _refused("it is no address (RFC 3986)") from problem
        if parsed.scheme not in ({"http", "https"} if self.http else {"https"}):
            raise _refused("begin it with https://")
        if _USER.match(url):
            raise _refused("leave user and password out")
        if parsed.raw_fragment:
            raise _refused("leave out what follows #")
        self._examine_host(parsed.raw_host or "", url)
        if not any(first <= (parsed.port or 0) <= last for first, last in self.ports):
            raise _refused(f"port {parsed.port} is not open to us")
        return parsed

    def _examine_host(self, host: str, url: str) -> None:
        literal = _literal(host)
        if literal is not None:
            # What was written must be what is read: ①②⑦.0.0.1 and the like stand for an address, too.
            if host not in url.lower() or not self.takes(literal):
                raise _refused("this network is not one that we call")
            return
        if host in self.allowed_hosts:
            return
        if not _is_name(host) or "." not in host:
            raise _refused("name a host by its whole name, as in example.vn")

    def takes(self, address: IPAddress) -> bool:
        """Tell whether a network address may be connected to."""
        if any(address in network for network in self.allowed_networks):
            return True
        if any(address in network for network in self.refused_networks):
            return False
        if isinstance(address, ipaddress.IPv4Address):
            return not any(address in network for network in _REFUSED_V4)
        plain = address in _UNICAST_V6 and address.scope_id is None
        return plain and not any(address in network for network in _REFUSED_V6)

    def choose(self, host: str, addresses: Iterable[str]) -> list[IPAddress]:
        """Return the addresses behind a name, if all of them may be called. Raises AddressRefused."""
        found = [_literal(one) for one in addresses]
        known = [one for one in found if one is not None]
        if len(known) != len(found) or not known:
            raise _refused("its name leads to no address")
        if host not in self.allowed_hosts and not all(self.takes(one) for one in known):
            raise _refused("its name leads to a network that we do not call")
        return known


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    """At most the policy's answer_bytes_max."""
    cut: bool
    """There was more of it."""
    duration_s: float


class Outgoing:
    """Makes such calls; open it with `async with`."""

    def __init__(self, policy: Policy, *, lookup: Lookup | None = None, connections_max: int = 100) -> None:
        self.policy = policy
        self._threads = ThreadPoolExecutor(LOOKUPS_AT_ONCE, "lookup")
        self._lookup = lookup or self._system_lookup
        self._connections_max = connections_max
        self._session: aiohttp.ClientSession | None = None
        self._excused: dict[str, frozenset[IPAddress]] = {}
        """Where the allowed hosts lead to."""

    async def __aenter__(self) -> Self:
        """Open."""
        policy = self.policy
        connector = aiohttp.TCPConnector(
            resolver=_Vetted(self),
            use_dns_cache=False,
            socket_factory=self._socket,
            limit=self._connections_max,
            limit_per_host=max(1, self._connections_max // 4),
            keepalive_timeout=15,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=policy.timeout_s, sock_connect=policy.connect_timeout_s),
            auto_decompress=False,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection; a lookup under way is left to end by itself."""
        if self._session is not None:
            await self._session.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def check(self, url: str) -> None:
        """Refuse an address that no call may go to, by its form or by where its name leads now.

        A name that leads nowhere at the moment is let pass: the call itself decides. Raises AddressRefused.
        """
        host = self.policy.examine(url).raw_host or ""
        if _literal(host) is None:
            try:
                await self.addresses(host)
            except (OSError, TimeoutError):
                return

    async def addresses(self, host: str) -> list[IPAddress]:
        """Return where a name leads, all of it fine to call. Raises AddressRefused, OSError, TimeoutError."""
        async with asyncio.timeout(self.policy.connect_timeout_s):
            found = await self._lookup(host)
        chosen = self.policy.choose(host, found)
        if host in self.policy.allowed_hosts:
            self._excused[host] = frozenset(chosen)
        return chosen

    async def send(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        """Make a call. Raises AddressRefused; NoAnswer when none came in time or none that can be read."""
        if self._session is None:
            raise RuntimeError("open it with `async with`")
        target = self.policy.examine(url)
        started = clock.monotonic()
        try:
            async with self._session.request(
                method, target, headers=headers, data=body, allow_redirects=False, skip_auto_headers=("User-Agent",)
            ) as answer:
                content, cut = await self._read(answer)
                heads = {name.lower(): value for name, value in answer.headers.items()}
                return Reply(answer.status, heads, content, cut, clock.monotonic() - started)
        except TimeoutError as problem:
            raise NoAnswer("timeout") from problem
        except aiohttp.ClientSSLError as problem:
            raise NoAnswer("tls") from problem
        except aiohttp.ClientConnectorDNSError as problem:
            raise NoAnswer("name_unknown") from problem
        except aiohttp.ClientConnectorError as problem:
            raise NoAnswer("no_connection") from problem
        except (aiohttp.ClientError, ValueError) as problem:
            raise NoAnswer("broken_answer") from problem

    async def _read(self, answer: aiohttp.ClientResponse) -> tuple[bytes, bool]:
        content, most = b"", self.policy.answer_bytes_max
        async for chunk in answer.content.iter_any():
            content += chunk
            if len(content) > most:
                answer.close()
                return content[:most], True
        return content, False

    async def _system_lookup(self, host: str) -> list[str]:
        # On threads of its own: names that take long must hold up nobody else's work.
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        )
        return sorted({str(one[4][0]) for one in found})

    def _socket(self, address_info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        """Return the socket of one connection; the last look at where it goes."""
        family, kind, protocol, _, address = address_info
        literal = _literal(str(address[0]))
        if literal is None or not (any(literal in one for one in self._excused.values()) or self.policy.takes(literal)):
            raise PermissionError("this network is not one that we call")
        return socket.socket(family=family, type=kind, proto=protocol)


class _Vetted(AbstractResolver):
    """Tells aiohttp exactly the addresses that were looked at."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - each address has its own
    ) -> list[ResolveResult]:
        """Return where a name leads. Raises AddressRefused, OSError."""
        addresses = await self._outgoing.addresses(host)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET6 if address.version == 6 else socket.AF_INET,  # noqa: PLR2004 - IPv6
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is kept."""


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    """Tell whether a host is a name as DNS has them; one whose last part is a number is read as an address by many."""
    labels = host.split(".")
    return len(host) <= 253 and all(map(_LABEL.fullmatch, labels)) and not _NUMBER.fullmatch(labels[-1])  # noqa: PLR2004 - DNS


def _refused(why: str) -> AddressRefused:
    error = FieldError("url", f"It cannot be called: {why}.", "Không gọi được địa chỉ này.")
    return AddressRefused(f"The address cannot be called: {why}.", errors=[error])
