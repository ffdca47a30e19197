"""How often one address may ask what anybody may ask: a bucket of tokens each, in bounded memory."""

from collections import OrderedDict

from shared import clock

ADDRESSES_MAX = 20_000
"""Beyond it the addresses that asked longest ago are forgotten: their buckets were full again long since."""


class Buckets:
    """A bucket for each address: it holds as many tokens as a minute gives, and every question takes one."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._known: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> float:
        """Take a token; return 0, or the seconds after which there is one."""
        now = clock.monotonic()
        tokens, seen = self._known.pop(address, (self._most, now))
        tokens = min(self._most, tokens + (now - seen) * self._most / 60)
        wait = 0.0 if tokens >= 1 else (1 - tokens) * 60 / self._most
        self._known[address] = (tokens if wait else tokens - 1, now)
        if len(self._known) > ADDRESSES_MAX:
            self._known.popitem(last=False)
        return wait
