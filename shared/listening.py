"""Hearing what PostgreSQL tells by NOTIFY, and noticing at once that nobody tells any more."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg

from shared.db import Database


async def listen(connection: asyncpg.Connection, channel: str, ring: Callable[[], object]) -> None:
    """Call `ring` at every notification, and when the connection ends: whoever is woken finds out by its next use."""
    # A listener that waits sends nothing, so without this a connection that the server ended would just stay silent.
    connection.add_termination_listener(lambda *_: ring())
    await connection.add_listener(channel, lambda *_: ring())


async def at_every_ring(
    database: Database, channel: str, act: Callable[[], Awaitable[object]], *, every_s: float
) -> None:
    """Act now, after every notification, and at least every so often, until the connection ends, which raises.

    Whoever calls this again acts at once: what was told in between is not missed.
    """
    rung = asyncio.Event()
    connection = await database.connect()
    try:
        await listen(connection, channel, rung.set)
        while True:
            rung.clear()
            await act()
            with suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), every_s)
            await connection.execute("SELECT 1")
    finally:
        await connection.close(timeout=2)
