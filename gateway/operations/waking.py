"""A bell: whoever waits for something new is woken when another process or task says there is."""

import asyncio

from gateway.operations.folding import CHANNEL
from shared import log
from shared.db import Database

PROBE_S = 30
RECONNECT_S = 1

_log = log.get(__name__)


class Bell:
    """Rings when events were folded, in this process or in another replica."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    def next(self) -> "asyncio.Future[None]":
        """Return a future that ends at the next ring."""
        if self._next is None or self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        return self._next

    def ring(self) -> None:
        """Wake all who wait."""
        if self._next is not None and not self._next.done():
            self._next.set_result(None)

    async def listen(self, database: Database) -> None:
        """Ring on the database's notifications, for ever."""
        while True:
            try:
                connection = await database.connect()
                try:
                    await connection.add_listener(CHANNEL, lambda *_: self.ring())
                    while True:
                        await asyncio.sleep(PROBE_S)
                        await connection.execute("SELECT 1")
                finally:
                    await connection.close(timeout=2)
            except Exception as problem:
                _log.warning("bell.database_away", reason=type(problem).__name__)
            await asyncio.sleep(RECONNECT_S)
