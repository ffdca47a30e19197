"""A million random cases against an oracle that has looked at every minute of its years on its own.

The oracle shares nothing with shared.worktime but the document's words: it asks of each minute whether it is worked,
numbers those that are, and answers by looking numbers up.
"""

import json
import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

import pytest

from shared.clock import VN
from shared.worktime import CalendarDocument, WorkingCalendar
from tests.shared.test_worktime import document

MINUTE_US = 60_000_000
DAY_MINUTES = 1440
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CASES = 1_000_000


def half_saturdays() -> dict[str, Any]:
    """Return an agency's calendar: Saturday mornings, other hours, the province's days off but no swaps."""
    week = {day: [["07:30", "11:30"], ["13:00", "17:00"]] for day in WEEKDAYS[:5]}
    week |= {"saturday": [["07:30", "11:00"]], "sunday": []}
    return document(name="h32.14", week=week, make_up_days=[], same_day_until="14:30")


@dataclass(slots=True)
class Oracle:
    """What each minute of a calendar's years is."""

    rules: dict[str, Any]
    start: datetime = field(init=False)
    worked: bytes = field(init=False)
    """1 for every minute that is worked."""
    before: "array[int]" = field(init=False)
    """How many are worked before each minute."""
    minutes: "array[int]" = field(init=False)
    """The minutes that are worked, in order."""

    def __post_init__(self) -> None:
        self.start = datetime(self.rules["first_year"], 1, 1, tzinfo=VN)
        days = (date(self.rules["last_year"] + 1, 1, 1) - self.start.date()).days
        self.worked = b"".join(self._day(self.start.date() + timedelta(days=nth)) for nth in range(days))
        self.before, self.minutes, count = array("i"), array("i"), 0
        for nth, is_worked in enumerate(self.worked):
            self.before.append(count)
            if is_worked:
                self.minutes.append(nth)
                count += 1

    def _day(self, day: date) -> bytes:
        if day.isoformat() in {one["date"] for one in self.rules["days_off"]}:
            return bytes(DAY_MINUTES)
        swapped = {one["date"]: one["instead_of"] for one in self.rules["make_up_days"]}
        like = date.fromisoformat(swapped.get(day.isoformat(), day.isoformat()))
        hours = [tuple(map(time.fromisoformat, span)) for span in self.rules["week"][WEEKDAYS[like.weekday()]]]
        clock = (time(nth // 60, nth % 60) for nth in range(DAY_MINUTES))
        return bytes(any(opens <= minute < closes for opens, closes in hours) for minute in clock)

    def between(self, earlier: int, later: int) -> int:
        """Return the microseconds worked between two instants (microseconds since the start)."""
        return self._worked(later) - self._worked(earlier)

    def _worked(self, instant: int) -> int:
        minute, rest = divmod(instant, MINUTE_US)
        return self.before[minute] * MINUTE_US + (rest if self.worked[minute] else 0)

    def add(self, instant: int, amount: int) -> int:
        """Return the instant by which so many microseconds more were worked."""
        if not amount:
            return instant
        target = self._worked(instant) + amount
        nth = (target - 1) // MINUTE_US
        return self.minutes[nth] * MINUTE_US + target - nth * MINUTE_US

    def end_of_day(self, day: int) -> int:
        """Return the end of work on a day, or on the next on which there is some (days since the start)."""
        while (last := self.worked.rfind(1, day * DAY_MINUTES, (day + 1) * DAY_MINUTES)) < 0:
            day += 1
        return (last + 1) * MINUTE_US

    def same_day(self, instant: int) -> int:
        """Return the end of the day that something received at an instant counts for."""
        day, within = divmod(instant, DAY_MINUTES * MINUTE_US)
        until = time.fromisoformat(self.rules["same_day_until"])
        in_time = within <= (until.hour * 60 + until.minute) * MINUTE_US
        on_a_working_day = 1 in self.worked[day * DAY_MINUTES : (day + 1) * DAY_MINUTES]
        return self.end_of_day(day if in_time and on_a_working_day else day + 1)

    def months(self, instant: int, count: int) -> int:
        """Return the end of a term of months."""
        day = (self.start + timedelta(microseconds=instant)).date()
        year, month, number = day.year, day.month, day.day
        for _ in range(count):
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        while True:
            try:
                last = date(year, month, number)
            except ValueError:
                number -= 1
                continue
            return self.end_of_day((last - self.start.date()).days)


@cache
def pair(own: bool) -> tuple[WorkingCalendar, Oracle]:
    """Return a calendar and its oracle."""
    rules = half_saturdays() if own else document()
    return WorkingCalendar(CalendarDocument.model_validate_json(json.dumps(rules))), Oracle(rules)


def compare(calendar: WorkingCalendar, oracle: Oracle, count: int, seed: int) -> Iterator[tuple[Any, ...]]:
    """Yield whatever differs in so many random cases."""
    chance = random.Random(seed)
    start, last = oracle.start, (len(oracle.worked) - 250 * DAY_MINUTES) * MINUTE_US
    at = lambda instant: start + timedelta(microseconds=instant)  # noqa: E731 - called millions of times
    for nth in range(count):
        instant = chance.randrange(last)
        if nth & 1:
            instant -= instant % MINUTE_US
        moment, kind = at(instant), nth % 8
        if kind < 3:
            amount = chance.randrange(30 * 480) * MINUTE_US + (chance.randrange(MINUTE_US) if kind else 0)
            pairs = (calendar.add(moment, amount / MINUTE_US), oracle.add(instant, amount))
        elif kind == 3:
            later = min(instant + chance.randrange(90 * DAY_MINUTES) * MINUTE_US, last)
            worked = round(calendar.between(moment, at(later)) * MINUTE_US)
            if worked != oracle.between(instant, later):
                yield kind, moment, at(later), worked
            continue
        elif kind == 4:
            days = chance.randrange(60)
            pairs = (calendar.due(moment, days, "working_day"), oracle.add(instant, days * 480 * MINUTE_US))
        elif kind == 5:
            days = chance.randrange(120)
            day = instant // (DAY_MINUTES * MINUTE_US)
            pairs = (calendar.due(moment, days, "day"), oracle.end_of_day(day + days))
        elif kind == 6:
            months = chance.randrange(6)
            pairs = (calendar.due(moment, months, "month"), oracle.months(instant, months))
        else:
            pairs = (calendar.same_day_due(moment), oracle.same_day(instant))
        if pairs[0] != at(pairs[1]):
            yield kind, moment, pairs[0], at(pairs[1])


@pytest.mark.parametrize("own", [False, True], ids=["vn", "agency"])
def test_a_million_random_cases_equal_the_oracle(own: bool) -> None:
    assert list(compare(*pair(own), CASES // 2, seed=1)) == []


@pytest.mark.parametrize("own", [False, True], ids=["vn", "agency"])
def test_one_working_day_is_never_24_hours_of_business_time(own: bool) -> None:
    calendar, oracle = pair(own)
    chance = random.Random(3)
    for _ in range(5_000):
        instant = chance.randrange((len(oracle.worked) - 250 * DAY_MINUTES) * MINUTE_US)
        moment = oracle.start + timedelta(microseconds=instant)
        worked = calendar.between(moment, calendar.due(moment, 1, "working_day"))
        assert worked == pytest.approx(480, abs=1e-6)
