"""The change feed, read once for everybody: actors wait for what concerns their dossier, the proof keeps it all."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from deploy.demo.client import ApiClient

PAGE = 1000
WAIT_S = 10
PATIENCE_S = 240


class Feed:
    """Everything /sync/changes gave, in order, and by dossier."""

    def __init__(self, client: ApiClient, cursor: str | None) -> None:
        self.client = client
        self.cursor = cursor
        self.changes: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.count = 0
        self._news: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def run(self) -> None:
        """Read for ever."""
        while True:
            await self.read(wait_s=WAIT_S)

    async def read(self, *, wait_s: float) -> int:
        """Read one page; return how many changes it held."""
        params: dict[str, Any] = {"limit": PAGE, "wait_s": wait_s}
        if self.cursor:
            params["cursor"] = self.cursor
        page = await self.client.get("/sync/changes", **params)
        self.cursor = page["next_cursor"]
        for change in page["items"]:
            code = change["dossier_code"]
            self.changes[code].append(change)
            self._news[code].set()
        self.count += len(page["items"])
        return len(page["items"])

    async def wait_for(self, code: str, event: str, *, nth: int = 1) -> dict[str, Any]:
        """Return the nth change of a dossier whose type is `event` (without its version); see wait_any."""
        return await self.wait_any(code, {event: nth})

    async def wait_any(self, code: str, wanted: Mapping[str, int]) -> dict[str, Any]:
        """Return the first change that is there of those wanted, each named with the how-manieth it must be.

        Raises TimeoutError when none comes within four minutes.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    self._news[code].clear()
                    found = self._find(code, wanted)
                    if found:
                        return found
                    await self._news[code].wait()
        except TimeoutError:
            seen = [change["event_type"] for change in self.changes[code]]
            raise TimeoutError(f"{code}: none of {dict(wanted)}; seen {seen}") from None

    def _find(self, code: str, wanted: Mapping[str, int]) -> dict[str, Any] | None:
        for event, nth in wanted.items():
            fitting = [change for change in self.changes[code] if change["event_type"].startswith(f"{event}.v")]
            if len(fitting) >= nth:
                return fitting[nth - 1]
        return None

    def statuses(self, code: str) -> list[int]:
        """Return the portal statuses a dossier reached, as the feed told them."""
        return [change["portal_status"] for change in self.changes[code] if change["portal_status"]]
