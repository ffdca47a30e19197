"""The relay: takes committed events out of the outbox, in order, and deletes a row only after its confirm.

One relay of a service is active at a time (an advisory lock in its database); others stand by. A crash between confirm
and delete publishes again: consumers know an event by its id.
"""

import asyncio
from collections.abc import Sequence

import asyncpg

from shared import clock, log
from shared.broker import Broker, BrokerAway, Channel
from shared.db import Database, is_outage
from shared.events.envelope import RawEvent
from shared.lifecycle import NOTIFY_CHANNEL
from shared.listening import listen
from shared.telemetry import BROKER_CONNECTED, EVENTS_PUBLISHED

WINDOW = 500
GATHER_S = 0.001
"""Pause after a window that was not full, so that a crowd of commits shares the next one."""
SAFETY_POLL_S = 5.0
STANDBY_POLL_S = 2.0
BACKOFF_FIRST_S, BACKOFF_LAST_S = 0.2, 5.0
_LOCK_KEY = 0x6D6F7463  # "motc": the lock of the active relay, one a database

# One round trip: delete what was just confirmed (still visible to this statement's snapshot) and read what comes next.
_ADVANCE = """
    WITH confirmed AS (DELETE FROM outbox WHERE id = ANY($1::bigint[]))
    SELECT id, event_id, type, subject, sequence, time, causation_id, traceparent, body
    FROM outbox WHERE id <> ALL($1::bigint[]) ORDER BY id LIMIT $2
"""

_log = log.get(__name__)


class Relay:
    """Publishes one service's outbox."""

    def __init__(self, database: Database, broker: Broker, *, window: int = WINDOW) -> None:
        self.database = database
        self.broker = broker
        self.window = window
        self.connected = False
        self.standby = False
        self._advanced = False
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Relay for ever: through restarts of the broker and of the database."""
        backoff = BACKOFF_FIRST_S
        while True:
            started, self._advanced = clock.monotonic(), False
            try:
                await self._lead()
            except BrokerAway as problem:
                _log.warning("relay.broker_away", reason=str(problem))
            except Exception as problem:
                if not is_outage(problem):
                    _log.exception("relay.failed")
                else:
                    _log.warning("relay.database_away", reason=type(problem).__name__)
            # A window that cannot be routed ends every leadership at once: it may not go out again ever so often.
            if self._advanced or clock.monotonic() - started > BACKOFF_LAST_S:
                backoff = BACKOFF_FIRST_S
            self.standby = False
            self._seen_connected(connected=False)
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, BACKOFF_LAST_S)

    async def _lead(self) -> None:
        connection = await self.database.connect()
        try:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK_KEY):
                self.standby = True
                await asyncio.sleep(STANDBY_POLL_S)
            self.standby = False
            await listen(connection, NOTIFY_CHANNEL, self._wake.set)
            async with self.broker.channel("relay") as channel:
                self._seen_connected(connected=True)
                await self._publish_for_ever(connection, channel)
        finally:
            await connection.close(timeout=2)

    def _seen_connected(self, *, connected: bool) -> None:
        self.connected = connected
        BROKER_CONNECTED.labels("relay").set(int(connected))

    async def _publish_for_ever(self, connection: asyncpg.Connection, channel: Channel) -> None:
        confirmed: list[int] = []
        while True:
            self._wake.clear()
            rows = await connection.fetch(_ADVANCE, confirmed, self.window)
            confirmed = []
            if rows:
                confirmed = await self._publish(rows, channel)
                if len(rows) < self.window:
                    await asyncio.sleep(GATHER_S)
                continue
            await self._wait_for_more(channel)

    async def _publish(self, rows: Sequence[asyncpg.Record], channel: Channel) -> list[int]:
        events = [
            RawEvent(
                id=row["event_id"],
                type=row["type"],
                source=self.database.service,
                subject=row["subject"],
                time=row["time"],
                sequence=row["sequence"],
                causation_id=row["causation_id"],
                traceparent=row["traceparent"],
                body=row["body"],
            )
            for row in rows
        ]
        await channel.publish(events)
        self._advanced = True
        for event in events:
            EVENTS_PUBLISHED.labels(event.type).inc()
        return [row["id"] for row in rows]

    async def _wait_for_more(self, channel: Channel) -> None:
        woken = asyncio.ensure_future(self._wake.wait())
        ended = asyncio.ensure_future(channel.closed())
        try:
            await asyncio.wait([woken, ended], timeout=SAFETY_POLL_S, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise BrokerAway("the connection ended")
        finally:
            woken.cancel()
            ended.cancel()
