"""Everything the door needs to know of every client, in memory: read at start, told of changes, never far behind."""

import asyncio
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import Gauge
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.models import Client, ClientGrant
from gateway.operations.rights import Grant, Rights
from shared import clock
from shared.db import Database
from shared.leading import for_ever
from shared.listening import at_every_ring

CHANNEL = "client_changed"
CHECK_S = 2
"""So long a lost notification can go unnoticed."""
SEARCH_S = 1
"""A stranger makes us look into the database at most so often."""
ADDRESSES_MAX = 1_000
"""Addresses of one client whose answer is remembered."""

AGE = Gauge("motcua_client_book_age_seconds", "Since the clients in memory were last compared with the database.")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(slots=True)
class Entry:
    """What the door knows of one client."""

    client_id: str
    agency: str | None
    scopes: frozenset[str]
    active: bool
    valid_from: float
    valid_until: float
    """Unix time; infinite where there is no limit."""
    certificates: frozenset[str]
    certificate_bound: bool
    rights: Rights
    networks: tuple[Network, ...] = ()
    _addresses: dict[str, bool] = field(default_factory=dict)

    def holds(self, now: float) -> bool:
        """Tell whether it may call at a moment (Unix time)."""
        return self.active and self.valid_from <= now < self.valid_until

    def may_come_from(self, address: str) -> bool:
        """Tell whether it may call from an address."""
        if not self.networks:
            return True
        known = self._addresses.get(address)
        if known is None:
            if len(self._addresses) >= ADDRESSES_MAX:
                self._addresses.clear()
            known = self._addresses[address] = lies_within(address, self.networks)
        return known

    @property
    def metered(self) -> bool:
        """Whether it has a quota at all."""
        rights = self.rights
        return not (rights.calls_per_minute is rights.calls_per_day is rights.concurrency_max is None)


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return networks from their CIDR notation; raises ValueError."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def lies_within(address: str, networks: tuple[Network, ...]) -> bool:
    """Tell whether an address lies within one of the networks; an IPv4 address written as IPv6 is the IPv4 one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in network for network in networks)


class Book:
    """Knows the clients; goes on with what it knew while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entries: dict[str, Entry] = {}
        self._state: tuple[int, int] | None = None
        self._checked_at = self._searched_at = float("-inf")
        self._reading = asyncio.Lock()
        AGE.set_function(lambda: max(0.0, clock.monotonic() - self._checked_at))

    def find(self, client_id: str) -> Entry | None:
        """Return a client's entry."""
        return self._entries.get(client_id)

    async def search(self, client_id: str) -> Entry | None:
        """Return a client's entry, for one not known so far after a look into the database (at most one a second)."""
        if client_id not in self._entries and clock.monotonic() - self._searched_at >= SEARCH_S:
            self._searched_at = clock.monotonic()
            await self.refresh()
        return self._entries.get(client_id)

    async def refresh(self) -> None:
        """Read the clients anew if one of them has changed."""
        async with self._reading, self._database.session() as session:
            # Versions only grow and no client is ever deleted: any change that has been committed moves the sum.
            state = (await session.execute(select(func.count(), func.coalesce(func.sum(Client.version), 0)))).one()
            if tuple(state) != self._state:
                self._entries = await read_entries(session)
                self._state = (int(state[0]), int(state[1]))
        self._checked_at = clock.monotonic()

    async def keep(self) -> None:
        """Stay up to date, for ever: by the database's notifications, and by looking now and then."""
        await for_ever("book", self._follow, pause_s=CHECK_S)

    async def _follow(self) -> None:
        await at_every_ring(self._database, CHANNEL, self.refresh, every_s=CHECK_S)


async def read_entries(session: AsyncSession) -> dict[str, Entry]:
    """Return an entry for every client."""
    grants: dict[str, list[Grant]] = {}
    for grant in await session.scalars(select(ClientGrant).order_by(ClientGrant.client_id, ClientGrant.place)):
        grants.setdefault(grant.client_id, []).append(as_grant(grant))
    return {
        client.client_id: _entry(client, tuple(grants.get(client.client_id, ())))
        for client in await session.scalars(select(Client))
    }


def as_grant(row: ClientGrant) -> Grant:
    """Return a grant as the door uses it."""
    return Grant(row.service, frozenset(row.methods), tuple(row.paths))


def _entry(client: Client, grants: tuple[Grant, ...]) -> Entry:
    return Entry(
        client_id=client.client_id,
        agency=client.agency,
        scopes=frozenset(client.scopes),
        active=client.active,
        valid_from=_moment(client.valid_from, float("-inf")),
        valid_until=_moment(client.valid_until, float("inf")),
        certificates=frozenset(client.certificates),
        certificate_bound=client.certificate_bound,
        networks=networks_of(client.networks),
        rights=Rights(
            client.client_id,
            grants=grants,
            calls_per_minute=client.calls_per_minute,
            calls_per_day=client.calls_per_day,
            concurrency_max=client.concurrency_max,
            addresses=tuple(client.networks),
        ),
    )


def _moment(at: datetime | None, otherwise: float) -> float:
    return at.timestamp() if at else otherwise
