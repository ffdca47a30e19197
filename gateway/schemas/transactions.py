"""Calls through the door."""

from datetime import date, datetime
from typing import Literal

from gateway.schemas.root import Answer


class CallOut(Answer):
    """One call through the door."""

    at: datetime
    client_id: str
    service: str
    method: str
    path: str
    status: int
    duration_us: int
    trace_id: str


class TransactionDayOut(Answer):
    """How often a client called a service in a day, month or year."""

    day: date
    """The period's first day, of the province's time, by when the calls were stored."""
    service: str
    client_id: str
    calls: int
    refused: int
    """Answered 4xx: the caller's to mend."""
    failed: int
    """Answered 5xx, or not at all."""
    request_bytes: int
    response_bytes: int
    duration_mean_ms: float


class CauseOut(Answer):
    """How often a client's calls of a service did not succeed, by the status they were answered with."""

    day: date
    """The period's first day."""
    service: str
    client_id: str
    status: int
    """HTTP status; 0: no answer at all."""
    kind: Literal["refused", "failed"]
    """4xx are the caller's to mend, all else is ours."""
    calls: int


class TurnedAwayOut(Answer):
    """How many requests the door refused before anybody could be asked who calls."""

    day: date
    """The period's first day, of the province's time."""
    reason: str
    """The problem's code: too large, not readable, too slow, too many at once."""
    requests: int


class TransactionFigures(Answer):
    """Volume and success of the calls through the door, with what the ratio was made of."""

    definition: str
    as_of: datetime
    since: date
    until: date
    """Both days are counted."""
    calls: int
    """The ratio's denominator."""
    succeeded: int
    """The ratio's numerator: calls that did not fail; a refusal is an answer."""
    success_rate: float | None
    """succeeded / calls, four digits; null without calls."""
    by: Literal["day", "month", "year"]
    """What one entry of days is about."""
    days: list[TransactionDayOut]
    """Newest first."""
    causes: list[CauseOut]
    """Why calls did not succeed, newest first."""
    turned_away: list[TurnedAwayOut]
    """What is in none of these figures, newest first: it was refused before it was a call of anybody's."""
