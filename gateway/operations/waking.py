"""A bell: whoever waits for something new is woken when another process or task says there is."""

import asyncio

from gateway.operations.folding import CHANNEL
from shared.db import Database
from shared.leading import for_ever
from shared.listening import at_every_ring

PROBE_S = 30
RECONNECT_S = 1


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
        """Ring on the database's notifications, for ever; and when it is heard again, for what was not heard."""

        async def ring() -> None:
            self.ring()

        async def follow() -> None:
            await at_every_ring(database, CHANNEL, ring, every_s=PROBE_S)

        await for_ever("bell", follow, pause_s=RECONNECT_S)
