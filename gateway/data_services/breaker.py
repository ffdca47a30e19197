"""The circuit breaker: a service that fails gets a rest, then a few probes, then calls again."""

from collections import deque
from enum import StrEnum

from gateway.data_services.policy import Breaking

SLICES = 10
"""The window moves on in tenths."""


class BreakerState(StrEnum):
    """Whether a service is being called."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Counts calls and failures in a sliding window; times are seconds of a monotonic clock, given by the caller."""

    def __init__(self, policy: Breaking) -> None:
        self.policy = policy
        self.opened = 0
        """How often it opened."""
        self._open_until: float | None = None
        self._probing = self._succeeded = 0
        self._slices: deque[tuple[int, int, int]] = deque(maxlen=SLICES)

    def state(self, now: float) -> BreakerState:
        """Return its state at a moment."""
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self._open_until else BreakerState.HALF_OPEN

    def refuses_for(self, now: float) -> float:
        """Return 0 when a call may go out, else seconds to wait.

        One that goes out takes the present `era` along and ends in `succeeded`, `failed` or `forget`. Half-open, only
        as many calls are under way as may probe.
        """
        if self._open_until is None:
            return 0.0
        if now < self._open_until:
            return self._open_until - now
        if self._probing + self._succeeded >= self.policy.probes:
            return 1.0
        self._probing += 1
        return 0.0

    @property
    def era(self) -> int:
        """Grows each time it opens: what calls of an earlier era tell is of no interest any more."""
        return self.opened

    def succeeded(self, era: int, now: float) -> None:
        """Tell that a call was answered."""
        if era != self.era:
            return
        if self._open_until is None:
            self._count(now, failed=0)
            return
        self.forget(era)
        self._succeeded += 1
        if self._succeeded >= self.policy.probes:
            self._open_until = None
            self._probing = self._succeeded = 0
            self._slices.clear()

    def failed(self, era: int, now: float) -> None:
        """Tell that a call failed by the service's fault."""
        if era != self.era:
            return
        if self._open_until is not None:
            self._open(now)
            return
        self._count(now, failed=1)
        calls, failures = self.seen(now)
        if calls >= self.policy.calls_min and failures >= calls * self.policy.failure_share:
            self._open(now)

    def forget(self, era: int) -> None:
        """Tell that a call came to nothing that says anything of the service (its client left)."""
        if era == self.era and self._open_until is not None:
            self._probing = max(0, self._probing - 1)

    def seen(self, now: float) -> tuple[int, int]:
        """Return calls and failures in the window."""
        oldest = self._slice_at(now) - SLICES
        kept = [one for one in self._slices if one[0] > oldest]
        return sum(calls for _, calls, _ in kept), sum(failures for _, _, failures in kept)

    def _open(self, now: float) -> None:
        self.opened += 1
        self._open_until = now + self.policy.open_s
        self._probing = self._succeeded = 0
        self._slices.clear()

    def _slice_at(self, now: float) -> int:
        return int(now * SLICES / self.policy.window_s)

    def _count(self, now: float, *, failed: int) -> None:
        at = self._slice_at(now)
        if self._slices and self._slices[-1][0] == at:
            _, calls, failures = self._slices[-1]
            self._slices[-1] = (at, calls + 1, failures + failed)
        else:
            self._slices.append((at, 1, failed))
