"""Which closed agencies' dossiers are a client's now: intake knows, the token says, every service follows the token."""

import asyncio
from urllib.parse import quote

from gateway.errors import UpstreamAway, UpstreamTimeout
from gateway.upstream import Upstream
from shared import clock, log

FRESH_S = 60
PATIENCE_S = 2
"""No token waits longer for intake."""
AGAIN_S = 5
OK, NOT_FOUND = 200, 404

_log = log.get(__name__)


class Succession:
    """Asks intake, at most once a minute an agency; while intake is away, what was known last goes on."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._known: dict[str, tuple[tuple[str, ...], float]] = {}

    async def inherited(self, agency: str | None) -> tuple[str, ...]:
        """Return the agencies that a client of this agency sees as its own, in order of code."""
        if not agency:
            return ()
        known, fresh_until = self._known.get(agency, ((), float("-inf")))
        if clock.monotonic() < fresh_until:
            return known
        found = await self._ask(agency)
        if found is None:
            self._known[agency] = (known, clock.monotonic() + AGAIN_S)
            return known
        self._known[agency] = (found, clock.monotonic() + FRESH_S)
        return found

    async def _ask(self, agency: str) -> tuple[str, ...] | None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._upstream.call("intake", "GET", f"/agencies/{quote(agency, safe='')}")
        except (UpstreamAway, UpstreamTimeout, TimeoutError) as problem:
            _log.warning("succession.unknown", reason=type(problem).__name__)
            return None
        if answer.status == NOT_FOUND:
            return ()
        if answer.status != OK:
            _log.warning("succession.unknown", reason=f"status {answer.status}")
            return None
        predecessors = answer.json().get("predecessors")
        return tuple(map(str, predecessors)) if isinstance(predecessors, list) else ()
