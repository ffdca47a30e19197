"""Schedules of attempts, and receivers that are given a pause."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

from shared import clock

RETRY_AFTER_MAX_S = 86_400
OPEN_AFTER = 5
"""Failures of a receiver in a row, after which one message at a time is tried."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and times of telling; seconds."""

    schedule_s: tuple[float, ...] = (5, 30, 120, 600, 1800, 7200, 21_600, 43_200, 86_400, 86_400)
    disable_after_s: float = 5 * 86_400
    """A subscription that had nothing but failures for so long is disabled."""
    history_s: float = 30 * 86_400
    """So long what was delivered or given up is kept."""
    backlog_max: int = 10_000
    """So much may be owed to one subscription before no more is handed on to it."""
    concurrency: int = 100
    concurrency_each: int = 4
    pause_first_s: float = 1
    pause_last_s: float = 300

    @classmethod
    def read_schedule(cls, text: str) -> tuple[float, ...]:
        """Return pauses from a setting, seconds separated by commas. Raises ValueError."""
        pauses = tuple(float(one) for one in text.split(","))
        if not all(pause >= 0 for pause in pauses):
            raise ValueError("a pause is not negative")
        return pauses

    def next_attempt(self, tries: int, now: datetime, retry_after: str | None = None) -> datetime | None:
        """Return when to try again after so many tries, None when the schedule has come to its end.

        A receiver's Retry-After (seconds or a date, RFC 9110 §10.2.3) makes it later by a day at most.
        """
        if tries > len(self.schedule_s):
            return None
        pause = self.schedule_s[tries - 1] * random.uniform(0.9, 1.2)  # noqa: S311 - jitter, no secret
        return now + timedelta(seconds=max(pause, _seconds(retry_after, now)))


def _seconds(retry_after: str | None, now: datetime) -> float:
    text = (retry_after or "").strip()
    if not text:
        return 0
    try:
        wanted = float(text) if text.isdecimal() else (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0
    return min(max(wanted, 0), RETRY_AFTER_MAX_S)


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    quiet_until: float = float("-inf")
    on_its_way: int = 0


@dataclass(slots=True)
class Circuits:
    """Receivers: one that fails again and again is tried with one message at a time, after growing pauses."""

    plan: Plan
    now: Callable[[], float] = clock.monotonic
    _known: dict[UUID, _Circuit] = field(default_factory=dict)

    def free(self, receiver: UUID) -> int:
        """Return how many messages may set out to a receiver now."""
        one = self._known.get(receiver) or _Circuit()
        if one.failures < OPEN_AFTER:
            return self.plan.concurrency_each - one.on_its_way
        return int(not one.on_its_way and self.now() >= one.quiet_until)

    def is_open(self, receiver: UUID) -> bool:
        """Tell whether a receiver is given a pause."""
        return (self._known.get(receiver) or _Circuit()).failures >= OPEN_AFTER

    def set_out(self, receiver: UUID) -> None:
        """Count a message that is on its way."""
        self._known.setdefault(receiver, _Circuit()).on_its_way += 1

    def came_back(self, receiver: UUID, *, well: bool) -> None:
        """Count how it went."""
        one = self._known.setdefault(receiver, _Circuit())
        one.on_its_way -= 1
        if well:
            one.failures = 0
        else:
            one.failures += 1
            if one.failures >= OPEN_AFTER:
                pause = min(self.plan.pause_first_s * 2 ** min(one.failures - OPEN_AFTER, 16), self.plan.pause_last_s)
                one.quiet_until = self.now() + pause * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret
        if not one.on_its_way and not one.failures:
            del self._known[receiver]
