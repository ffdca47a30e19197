"""Quotas: how often a client may call in a minute and on a day, and how many of its calls may be under way at once.

The minute and the calls under way are counted in this process, each replica having its share; the day is counted in
the database, for all replicas together, from what each adds every few seconds.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from prometheus_client import Counter
from sqlalchemy import text

from gateway.operations.rights import Rights
from shared import clock, log
from shared.db import Database

ADD_UP_S = 2
MINUTE_S, DAY_S = 60, 86_400
PATIENCE_S = 2
"""So long the very first call of a day waits to hear what was counted before this process started."""

REFUSED = Counter("motcua_quota_refusals", "Calls refused because a quota was spent.", ["quota"])

_ADD = text(
    """
    INSERT INTO client_day AS d (client_id, day, calls)
    SELECT client_id, CAST(:day AS date), calls
    FROM unnest(CAST(:clients AS text[]), CAST(:calls AS bigint[])) AS t(client_id, calls) ORDER BY client_id
    ON CONFLICT (client_id, day) DO UPDATE SET calls = d.calls + excluded.calls
    """
)
_READ = text("SELECT client_id, calls FROM client_day WHERE day = :day AND client_id = ANY(CAST(:clients AS text[]))")
_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Spent:
    """A quota that lets no more calls in for a while."""

    quota: str
    """`minute`, `day` or `concurrency`."""
    limit: int
    wait_s: int


@dataclass(slots=True)
class _Count:
    """What one client has used."""

    tokens: float
    seen: float
    running: int = 0
    day: date = date.min
    stored: int = 0
    """As the database said last, all replicas together."""
    fresh: int = 0
    """Let in since, not added up yet."""
    read: bool = False

    def today(self) -> int:
        return self.stored + self.fresh


@dataclass(slots=True)
class Meter:
    """Counts the calls of clients that have quotas."""

    database: Database
    replicas: int = 1
    _counts: dict[str, _Count] = field(default_factory=dict)
    _adding: asyncio.Lock = field(default_factory=asyncio.Lock)
    _midnight: tuple[date, float] = (date.min, float("-inf"))
    """Today, and the Unix time at which it ends."""

    async def enter(self, rights: Rights) -> Spent | None:
        """Let a call in, and count it until `leave`; or return the quota that refuses it, then nothing is counted."""
        count = self._count(rights)
        if rights.calls_per_day is not None and not count.read:
            count.read = True
            await self._read_once(rights.client_id)
        spent = self._spent(rights, count)
        if spent:
            REFUSED.labels(spent.quota).inc()
            return spent
        if rights.calls_per_minute is not None:
            count.tokens -= 1
        if rights.calls_per_day is not None:
            count.fresh += 1
        count.running += 1
        return None

    def leave(self, rights: Rights) -> None:
        """Say that a call that was let in has ended."""
        self._counts[rights.client_id].running -= 1

    def _share(self, limit: int) -> int:
        return math.ceil(limit / self.replicas)

    def _count(self, rights: Rights) -> _Count:
        """Return a client's count as it is at this moment."""
        count = self._counts.get(rights.client_id)
        now = clock.monotonic()
        if count is None:
            count = self._counts[rights.client_id] = _Count(tokens=float("inf"), seen=now)
        if rights.calls_per_minute is not None:
            most = self._share(rights.calls_per_minute)
            count.tokens = min(most, count.tokens + (now - count.seen) * most / MINUTE_S)
            count.seen = now
        if rights.calls_per_day is not None and count.day != self._today():
            count.day, count.stored, count.fresh = self._today(), 0, 0
        return count

    def _today(self) -> date:
        now = clock.now()
        day, ends = self._midnight
        if now.timestamp() >= ends:
            here = now.astimezone(clock.VN)
            day = here.date()
            start = here.replace(hour=0, minute=0, second=0, microsecond=0)
            self._midnight = (day, (start + timedelta(days=1)).timestamp())
        return day

    def _rest_of_day_s(self) -> int:
        self._today()
        return max(1, math.ceil(self._midnight[1] - clock.now().timestamp()))

    def _spent(self, rights: Rights, count: _Count) -> Spent | None:
        if rights.concurrency_max is not None and count.running >= self._share(rights.concurrency_max):
            return Spent("concurrency", rights.concurrency_max, 1)
        if rights.calls_per_day is not None and count.today() >= rights.calls_per_day:
            return Spent("day", rights.calls_per_day, self._rest_of_day_s())
        if rights.calls_per_minute is not None and count.tokens < 1:
            most = self._share(rights.calls_per_minute)
            return Spent("minute", rights.calls_per_minute, max(1, math.ceil((1 - count.tokens) * MINUTE_S / most)))
        return None

    def headers(self, rights: Rights) -> list[tuple[bytes, bytes]]:
        """Return RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10) for a client's answers."""
        count = self._count(rights)
        policies, states = [], []
        if rights.calls_per_minute is not None:
            most = self._share(rights.calls_per_minute)
            policies.append(f'"minute";q={most};w={MINUTE_S}')
            full_s = math.ceil((most - count.tokens) * MINUTE_S / most)
            states.append(f'"minute";r={max(0, int(count.tokens))};t={full_s}')
        if rights.calls_per_day is not None:
            left = max(0, rights.calls_per_day - count.today())
            policies.append(f'"day";q={rights.calls_per_day};w={DAY_S}')
            states.append(f'"day";r={left};t={self._rest_of_day_s()}')
        if not policies:
            return []
        return [(b"ratelimit-policy", ", ".join(policies).encode()), (b"ratelimit", ", ".join(states).encode())]

    async def _read_once(self, client_id: str) -> None:
        """Hear what was counted today before this process started; without the database, from nothing on."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._add_up([client_id])
        except Exception as problem:
            _log.warning("metering.database_away", reason=type(problem).__name__)

    async def run(self) -> None:
        """Add up for ever, and once more when it is over."""
        try:
            while True:
                await asyncio.sleep(ADD_UP_S)
                await self._add_up_all()
        finally:
            await self._add_up_all()

    async def _add_up_all(self) -> None:
        today = self._today()
        counted = [name for name, count in self._counts.items() if count.day == today]
        if counted:
            try:
                await self._add_up(counted)
            except Exception as problem:
                _log.warning("metering.database_away", reason=type(problem).__name__)

    async def _add_up(self, client_ids: Sequence[str]) -> None:
        """Add what was let in to the day's count of all replicas, and take over that count."""
        async with self._adding:
            today = self._today()
            added = {name: self._counts[name].fresh for name in client_ids if self._counts[name].fresh}
            stored = await self._store(today, client_ids, added)
            for name in client_ids:
                count = self._counts[name]
                if count.day == today:
                    count.fresh -= added.get(name, 0)
                    count.stored = stored.get(name, 0)

    async def _store(self, today: date, client_ids: Sequence[str], added: Mapping[str, int]) -> dict[str, int]:
        async with self.database.session() as session:
            if added:
                values = {"clients": list(added), "calls": list(added.values()), "day": today}
                await session.execute(_ADD, values)
            rows = await session.execute(_READ, {"day": today, "clients": list(client_ids)})
            found = {row.client_id: row.calls for row in rows}
            await session.commit()
        return found
