"""The one place that reads the clock; everything else is given a time.

Tests and proofs may put another source in its place (`running`): one that is shifted, or in which hours pass in
seconds. Code that waits for a pause to be over asks `wait_s` how long that really takes.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

VN = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Vietnam's zone: UTC+7 without daylight saving since 1975-06-13."""


class Source(Protocol):
    """Where time comes from."""

    def now(self) -> datetime:
        """Return this moment as an aware UTC time."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""
        ...

    def wait_s(self, seconds: float) -> float:
        """Return how many real seconds it takes until so many have passed here."""
        ...


class RealTime:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return this moment."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's seconds."""
        return time.monotonic()

    def wait_s(self, seconds: float) -> float:
        """Return the seconds themselves."""
        return seconds


class SimulatedTime:
    """A clock of its own: it starts at a moment and runs `speed` times as fast as the machine's, until told otherwise.

    Never goes back, whatever it is told.
    """

    def __init__(self, start: datetime, *, speed: float = 1.0) -> None:
        self._moment, self._seconds = start, 0.0
        self._since = time.monotonic()
        self._speed = speed

    @property
    def speed(self) -> float:
        """How many seconds pass here in a real one."""
        return self._speed

    def run_at(self, speed: float) -> None:
        """Run faster or slower from now on."""
        self.pass_by(timedelta(0))
        self._speed = speed

    def pass_by(self, time_passed: timedelta) -> None:
        """Let so much time pass at once."""
        seconds = self._passed() + time_passed.total_seconds()
        self._moment += timedelta(seconds=seconds)
        self._seconds += seconds
        self._since = time.monotonic()

    def now(self) -> datetime:
        """Return the simulated moment."""
        return self._moment + timedelta(seconds=self._passed())

    def monotonic(self) -> float:
        """Return the simulated seconds since the start."""
        return self._seconds + self._passed()

    def wait_s(self, seconds: float) -> float:
        """Return how many real seconds so many simulated ones take."""
        return seconds / self._speed

    def _passed(self) -> float:
        return (time.monotonic() - self._since) * self._speed


class _Clock:
    """Holds the source in use."""

    def __init__(self) -> None:
        self.source: Source = RealTime()


_clock = _Clock()


@contextmanager
def running(source: Source) -> Iterator[Source]:
    """Let the whole process take its time from another source while the block lasts; for tests and proofs."""
    before, _clock.source = _clock.source, source
    try:
        yield source
    finally:
        _clock.source = before


def now() -> datetime:
    """Return this moment as an aware UTC time."""
    return _clock.source.now()


def monotonic() -> float:
    """Return seconds of a clock that never goes back; only differences mean anything."""
    return _clock.source.monotonic()


def wait_s(seconds: float) -> float:
    """Return how many real seconds a wait takes in which so many pass on this clock."""
    return _clock.source.wait_s(seconds)
