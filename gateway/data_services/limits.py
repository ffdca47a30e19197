"""How many calls at once, how many a minute, how many repeats: counted in memory, per process."""

from collections import OrderedDict

CLIENTS_MAX = 10_000
"""Beyond it the clients that called longest ago are forgotten: their buckets were full again long since."""
BUDGET_FLOOR = 3.0
"""So many repeats are always there to begin with."""
BUDGET_MAX = 100.0


class Allowance:
    """A bucket of tokens for each client: it holds a tenth of a minute's, at least one, and refills evenly."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._most = max(1.0, per_minute / 10)
        self._known: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float) -> float:
        """Take a token at a moment (seconds, monotonic); return 0, or the seconds after which there is one."""
        tokens, seen = self._known.pop(client, (self._most, now))
        tokens = min(self._most, tokens + (now - seen) * self.per_minute / 60)
        wait = 0.0 if tokens >= 1 else (1 - tokens) * 60 / self.per_minute
        self._known[client] = (tokens if wait else tokens - 1, now)
        if len(self._known) > CLIENTS_MAX:
            self._known.popitem(last=False)
        return wait


class Crowd:
    """Counts the calls under way: of everybody, and of each client."""

    def __init__(self) -> None:
        self.everybody = 0
        self._clients: dict[str, int] = {}

    def of(self, client: str) -> int:
        """Return how many calls of a client are under way."""
        return self._clients.get(client, 0)

    def enter(self, client: str) -> None:
        """Count a call that begins."""
        self.everybody += 1
        self._clients[client] = self._clients.get(client, 0) + 1

    def leave(self, client: str) -> None:
        """Count a call that ended."""
        self.everybody -= 1
        left = self._clients[client] - 1
        if left:
            self._clients[client] = left
        else:
            del self._clients[client]


class RetryBudget:
    """Every call saves a share of a repeat; every repeat spends one."""

    def __init__(self, share: float) -> None:
        self.share = share
        self._saved = BUDGET_FLOOR

    def save(self) -> None:
        """Count a call."""
        self._saved = min(BUDGET_MAX, self._saved + self.share)

    def spend(self) -> bool:
        """Take a repeat; False when there is none left."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True
