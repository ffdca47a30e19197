"""How often one address may ask what anybody may ask: a bucket of tokens each, in bounded memory."""

import math
from collections import OrderedDict

from gateway.errors import TooManyAttempts
from shared import clock

CLIENTS_AN_ADDRESS = 6
"""So many clients' worth of wrong credentials are borne from one address, behind which several may stand."""

ADDRESSES_MAX = 20_000
"""Beyond it the addresses that asked longest ago are forgotten: their buckets were full again long since."""


class Buckets:
    """A bucket for each address: it holds as many tokens as a minute gives, and every question takes one."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._known: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return 0 when there is a token, or the seconds after which there is one; it is not taken."""
        return self._wait(self._tokens(address, clock.monotonic()))

    def _tokens(self, address: str, now: float) -> float:
        tokens, seen = self._known.get(address, (self._most, now))
        return min(self._most, tokens + (now - seen) * self._most / 60)

    def _wait(self, tokens: float) -> float:
        return 0.0 if tokens >= 1 else (1 - tokens) * 60 / self._most

    def take(self, address: str) -> float:
        """Take a token; return 0, or the seconds after which there is one."""
        now = clock.monotonic()
        tokens = self._tokens(address, now)
        self._known.pop(address, None)
        wait = self._wait(tokens)
        self._known[address] = (tokens if wait else tokens - 1, now)
        if len(self._known) > ADDRESSES_MAX:
            self._known.popitem(last=False)
        return wait


class LoginGuard:
    """Lets one address try wrong credentials only so often: for one client, and for all of them together."""

    def __init__(self, failures_per_minute: int) -> None:
        self._pairs = Buckets(failures_per_minute)
        self._addresses = Buckets(failures_per_minute * CLIENTS_AN_ADDRESS)

    def check(self, address: str, client_id: str) -> None:
        """Raise TooManyAttempts when too many were wrong lately."""
        wait = max(self._pairs.wait(f"{address} {client_id}"), self._addresses.wait(address))
        if wait:
            seconds = math.ceil(wait)
            raise TooManyAttempts(f"Try again in {seconds} s.", retry_after_s=seconds, error="too_many_attempts")

    def failed(self, address: str, client_id: str) -> None:
        """Count an attempt that was wrong."""
        self._pairs.take(f"{address} {client_id}")
        self._addresses.take(address)
