"""One leader among all replicas: work that one process does at a time, for as long as its connection lives."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from shared import log
from shared.db import Database, is_outage

_log = log.get(__name__)


@asynccontextmanager
async def leading(database: Database, key: int, *, poll_s: float) -> AsyncIterator[asyncpg.Connection]:
    """Wait until this process leads, and lend the connection that holds the advisory lock `key`.

    Whoever loses the connection leads no longer; a leader without other use for it asks it now and then.
    """
    connection = await database.connect()
    try:
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
            await asyncio.sleep(poll_s)
        yield connection
    finally:
        await connection.close(timeout=2)


async def for_ever(name: str, work: Callable[[], Awaitable[None]], *, pause_s: float) -> None:
    """Do some work again and again: an outage of the database is waited out, any other error is logged by this name."""
    while True:
        try:
            await work()
        except Exception as problem:
            if is_outage(problem):
                _log.warning(f"{name}.database_away", reason=type(problem).__name__)
            else:
                _log.exception(f"{name}.failed")
        await asyncio.sleep(pause_s)
