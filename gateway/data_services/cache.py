"""Answers kept in memory, bounded in bytes; the one that was used longest ago goes first."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.data_services.freshness import Headers, Terms, one, varied

ENTRY_OVERHEAD_BYTES = 1024
VARIANTS_MAX = 16
"""Of one address; with more of them the oldest goes."""
EVERYBODY = ""

Place = tuple[str, str, str]
"""Service with version, target (path and query), and whose it is: a client's, or everybody's."""


@dataclass(slots=True)
class Entry:
    """One answer, kept."""

    status: int
    headers: Headers
    body: bytes
    etag: str
    """As clients get it."""
    validator: str
    """The service's own tag; empty when it gives none."""
    varies: tuple[tuple[str, str], ...]
    terms: Terms
    received_at: float
    """Seconds, monotonic."""

    @property
    def bytes(self) -> int:
        """What it counts for."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers) + ENTRY_OVERHEAD_BYTES

    def age_s(self, now: float) -> float:
        """Return how old it is (RFC 9111 §4.2.3)."""
        return self.terms.age_s + (now - self.received_at)

    def left_s(self, now: float) -> float:
        """Return for how long it is still good; negative when it is stale."""
        return self.terms.fresh_s - self.age_s(now)

    def serves_failure(self, now: float) -> bool:
        """Tell whether it may serve while its service fails (RFC 5861 §4)."""
        return self.left_s(now) > -self.terms.stale_if_error_s


def etag_of(body: bytes) -> str:
    """Return the tag that we give an answer whose service gives none."""
    return f'"m-{hashlib.sha256(body).hexdigest()[:32]}"'


class Cache:
    """All kept answers of this process."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.bytes = 0
        self._kept: OrderedDict[Place, list[Entry]] = OrderedDict()

    def find(self, service: str, target: str, client: str, request: Iterable[tuple[str, str]]) -> Entry | None:
        """Return the kept answer for a request, fresh or not: the client's own before everybody's."""
        sent: tuple[tuple[str, str], ...] | None = None
        for owner in (client, EVERYBODY):
            place = (service, target, owner)
            variants = self._kept.get(place)
            if variants is None:
                continue
            self._kept.move_to_end(place)
            for entry in reversed(variants):
                if not entry.varies:
                    return entry
                sent = tuple(request) if sent is None else sent
                if entry.varies == varied(",".join(name for name, _ in entry.varies), sent):
                    return entry
        return None

    def keep(self, service: str, target: str, client: str, entry: Entry) -> None:
        """Keep an answer instead of the one for the same request."""
        place = (service, target, EVERYBODY if entry.terms.shared else client)
        if entry.bytes > self.bytes_max:
            return
        variants = [one for one in self._take(place) if one.varies != entry.varies][-(VARIANTS_MAX - 1) :]
        self._kept[place] = [*variants, entry]
        self.bytes += sum(one.bytes for one in self._kept[place])
        while self.bytes > self.bytes_max:
            _, gone = self._kept.popitem(last=False)
            self.bytes -= sum(one.bytes for one in gone)

    def forget(self, service: str, target: str, client: str) -> None:
        """Forget what was kept of an address that was changed (RFC 9111 §4.4)."""
        for owner in (client, EVERYBODY):
            self._take((service, target, owner))

    def clear(self, service: str) -> None:
        """Forget everything of a service's version."""
        for place in [place for place in self._kept if place[0] == service]:
            self._take(place)

    def _take(self, place: Place) -> list[Entry]:
        gone = self._kept.pop(place, [])
        self.bytes -= sum(one.bytes for one in gone)
        return gone


def renewed(entry: Entry, headers: Headers, terms: Terms, now: float) -> Entry:
    """Return an entry with what a 304 told of it (RFC 9111 §4.3.4)."""
    told = {name for name, _ in headers} - {b"content-length", b"content-encoding", b"content-type", b"content-range"}
    kept = [(name, value) for name, value in entry.headers if name not in told]
    fresh = [*kept, *((name, value) for name, value in headers if name in told)]
    etag, validator = one(fresh, b"etag") or entry.etag, one(headers, b"etag") or entry.validator
    return Entry(entry.status, fresh, entry.body, etag, validator, entry.varies, terms, now)
