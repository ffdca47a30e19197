"""Quotas: how often a client may call in a minute and on a day, and how many of its calls may be under way at once.

The minute and the calls under way are counted in this process, each replica having its share; the day is counted in
the database, for all replicas together, from what each adds every few seconds.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


class _Count:
    """What one client has used, and what that leaves it."""

    def __init__(self) -> None:
        self.rights: Rights | None = None
        self.most = 0
        """Calls a minute in this process."""
        self.tokens = float("inf")
        self.seen = clock.monotonic()
        self.running = 0
        self.running_max = 0
        self.day = date.min
        self.stored = 0
        """Calls of the day as the database said last, all replicas together."""
        self.fresh = 0
        """Let in since, not added up yet."""
        self.read = False
        self.policy = b""

    def take_over(self, rights: Rights, replicas: int) -> None:
        """Go by other quotas from now on."""
        self.rights = rights
        self.most = math.ceil((rights.calls_per_minute or 0) / replicas)
        self.running_max = math.ceil((rights.concurrency_max or 0) / replicas)
        minute = f'"minute";q={self.most};w={MINUTE_S}' if self.most else ""
        day = f'"day";q={rights.calls_per_day};w={DAY_S}' if rights.calls_per_day else ""
        self.policy = ", ".join(filter(None, [minute, day])).encode()

    def fill_up(self) -> None:
        """Let the minute's bucket fill with time."""
        now = clock.monotonic()
        self.tokens = min(self.most, self.tokens + (now - self.seen) * self.most / MINUTE_S)
        self.seen = now


class Meter:
    """Counts the calls of clients that have quotas."""

    def __init__(self, database: Database, replicas: int = 1) -> None:
        self.database = database
        self.replicas = replicas
        self._counts: dict[str, _Count] = {}
        self._adding = asyncio.Lock()
        self._today, self._ends = date.min, float("-inf")
        """The day, and the Unix time at which it ends."""

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
        count.tokens -= 1
        count.fresh += 1
        count.running += 1
        return None

    def leave(self, rights: Rights) -> None:
        """Say that a call that was let in has ended."""
        self._counts[rights.client_id].running -= 1

    def _count(self, rights: Rights) -> _Count:
        """Return a client's count as it is at this moment."""
        count = self._counts.get(rights.client_id)
        if count is None:
            count = self._counts[rights.client_id] = _Count()
        if count.rights is not rights:
            count.take_over(rights, self.replicas)
        if count.most:
            count.fill_up()
        if rights.calls_per_day is not None:
            self._left_s()
            if count.day != self._today:
                count.day, count.stored, count.fresh = self._today, 0, 0
        return count

    def _left_s(self) -> int:
        """Return the seconds that are left of the day, in which `_today` is that day."""
        now = clock.now()
        left_s = self._ends - now.timestamp()
        if left_s <= 0:
            here = now.astimezone(clock.VN)
            ends = here.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            self._today, self._ends = here.date(), ends.timestamp()
            left_s = (ends - here).total_seconds()
        return max(1, math.ceil(left_s))

    def _spent(self, rights: Rights, count: _Count) -> Spent | None:
        if rights.concurrency_max is not None and count.running >= count.running_max:
            return Spent("concurrency", rights.concurrency_max, 1)
        if rights.calls_per_day is not None and count.stored + count.fresh >= rights.calls_per_day:
            return Spent("day", rights.calls_per_day, self._left_s())
        if rights.calls_per_minute is not None and count.tokens < 1:
            wait_s = math.ceil((1 - count.tokens) * MINUTE_S / count.most)
            return Spent("minute", rights.calls_per_minute, max(1, wait_s))
        return None

    def headers(self, rights: Rights) -> list[tuple[bytes, bytes]]:
        """Return RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10) for a client's answers."""
        count = self._counts[rights.client_id]
        if not count.policy:
            return []
        states = []
        if count.most:
            full_s = math.ceil((count.most - count.tokens) * MINUTE_S / count.most)
            states.append(f'"minute";r={max(0, int(count.tokens))};t={full_s}')
        if rights.calls_per_day is not None:
            left = max(0, rights.calls_per_day - count.stored - count.fresh)
            states.append(f'"day";r={left};t={self._left_s()}')
        return [(b"ratelimit-policy", count.policy), (b"ratelimit", ", ".join(states).encode())]

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
        self._left_s()
        today = self._today
        counted = [name for name, count in self._counts.items() if count.day == today]
        if counted:
            try:
                await self._add_up(counted)
            except Exception as problem:
                _log.warning("metering.database_away", reason=type(problem).__name__)

    async def _add_up(self, client_ids: Sequence[str]) -> None:
        """Add what was let in to the day's count of all replicas, and take over that count."""
        async with self._adding:
            self._left_s()
            today = self._today
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
