"""Requests that the guard turned away before they were anybody's call: no log has them, so they are counted by day.

A success rate without them would look best in the hour in which the door takes least. The guard counts in this
process; every few seconds what came since is added to the day's count of all replicas. It is a figure and no evidence:
a kill costs the last seconds of it.
"""

import asyncio
from collections import Counter

from sqlalchemy import text

from shared import clock, log
from shared.db import Database
from shared.guard.admission import refusals

ADD_UP_S = 5

_ADD = text(
    """
    INSERT INTO turned_away AS t (day, reason, requests)
    SELECT CAST(:day AS date), reason, requests
    FROM unnest(CAST(:reasons AS text[]), CAST(:requests AS bigint[])) AS n(reason, requests) ORDER BY reason
    ON CONFLICT (day, reason) DO UPDATE SET requests = t.requests + excluded.requests
    """
)
_log = log.get(__name__)


class TurnedAway:
    """Adds up for ever; what was counted before it began belongs to nobody."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._stored = refusals()

    async def run(self) -> None:
        """Add up every few seconds, and once more when it is over."""
        try:
            while True:
                await asyncio.sleep(ADD_UP_S)
                await self.add_up()
        finally:
            await self.add_up()

    async def add_up(self) -> None:
        """Add what came since the last time to the day; without the database, the next time."""
        found = refusals()
        fresh = found - self._stored
        if not fresh:
            return
        try:
            await self._store(fresh)
        except Exception as problem:
            _log.warning("turned_away.database_away", reason=type(problem).__name__)
        else:
            self._stored = found

    async def _store(self, fresh: Counter[str]) -> None:
        today = clock.now().astimezone(clock.VN).date()
        values = {"day": today, "reasons": list(fresh), "requests": list(fresh.values())}
        async with self.database.session() as session:
            await session.execute(_ADD, values)
            await session.commit()
