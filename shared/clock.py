"""The one place that reads the clock; everything else is given a time."""

import time
from datetime import UTC, datetime, timedelta, timezone

VN = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Vietnam's zone: UTC+7 without daylight saving since 1975-06-13."""


def now() -> datetime:
    """Return this moment as an aware UTC time."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return seconds of a clock that never goes back; only differences mean anything."""
    return time.monotonic()
