"""Working time: how much of it lies between two moments, and when a term is over.

A WorkingCalendar is built from a versioned document (calendars/*.json) and answers from a table of working spans, in
whole microseconds. It reads no clock and never guesses: a moment outside the years that its document covers raises
OutsideCalendarError. All moments are aware; answers carry the calendar's zone.

Law: a working day has 8 hours; same-day procedures received after 15:00 count from the next working day (NĐ 61/2018,
NĐ 118/2025); a term in calendar days or months ends with the working hours of its last day, or of the next working day
if that one is off (Bộ luật Dân sự 2015, Art. 147 and 148).
"""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from shared.bodies import Body, LocalTime

Unit = Literal["hour", "working_hour", "day", "working_day", "month"]
"""Units of terms: `hour`, `day` and `month` run on the calendar, the others only in working time."""

MINUTE_US = 60_000_000
HOUR_MINUTES = 60
YEAR_MONTHS = 12
YEARS_MAX = 40
_MICROSECOND = timedelta(microseconds=1)


class OutsideCalendarError(LookupError):
    """No calendar covers this moment: publish a version of its document that holds the year."""


def _in_order(spans: tuple[tuple[time, time], ...]) -> tuple[tuple[time, time], ...]:
    if any(later <= earlier for earlier, later in pairwise(edge for span in spans for edge in span)):
        raise ValueError("the hours of a day must follow each other, with a pause between two spans")
    return spans


Hours = Annotated[tuple[tuple[LocalTime, LocalTime], ...], AfterValidator(_in_order)]
"""The working spans of a day in local time; none when it is off."""


Year = Annotated[int, Field(ge=1970, le=2200)]


class _Part(Body):
    model_config = ConfigDict(frozen=True)


class Week(_Part):
    """The usual hours of each weekday."""

    monday: Hours
    tuesday: Hours
    wednesday: Hours
    thursday: Hours
    friday: Hours
    saturday: Hours
    sunday: Hours

    def hours(self, day: date) -> Hours:
        """Return the hours of a date's weekday."""
        names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        return getattr(self, names[day.weekday()])


class DayOff(_Part):
    """A date without work: a holiday, its compensation, or one swapped for a make-up day."""

    date: date
    name: str


class MakeUpDay(_Part):
    """A date that is worked with the hours of the day off it stands in for."""

    date: date
    instead_of: date
    name: str


class CalendarDocument(_Part):
    """A calendar as people write and publish it; a new version replaces it as a whole."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,59}$", description="The calendar's code")
    version: str = Field(pattern=r"^[A-Za-z0-9._-]{1,60}$")
    sources: tuple[str, ...] = Field(max_length=100)
    zone: str = Field(min_length=1, max_length=60)
    utc_offset_minutes: int = Field(ge=-720, le=840)
    first_year: Year
    last_year: Year
    provisional_years: tuple[Year, ...] = Field(description="Years without an official notice of days off yet")
    day_minutes: int = Field(gt=0, le=1440, description="Minutes of one working day as a unit of terms")
    same_day_until: LocalTime = Field(description="What is received later in a day counts from the next working day")
    week: Week
    days_off: tuple[DayOff, ...]
    make_up_days: tuple[MakeUpDay, ...]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if not self.first_year <= self.last_year < self.first_year + YEARS_MAX:
            raise ValueError(f"the years must follow each other, {YEARS_MAX} at most")
        off = {day.date for day in self.days_off}
        made_up = {day.date for day in self.make_up_days}
        if len(off) + len(made_up) < len(self.days_off) + len(self.make_up_days) or off & made_up:
            raise ValueError("a date may stand only once among days_off and make_up_days")
        if strays := [day for day in off | made_up if not self.first_year <= day.year <= self.last_year]:
            raise ValueError(f"{min(strays)} lies outside the years {self.first_year} to {self.last_year}")
        for day in self.make_up_days:
            if day.instead_of not in off or self.week.hours(day.date) or not self.week.hours(day.instead_of):
                raise ValueError(
                    f"{day.date} must be a usual day off that stands in for a usual working day of days_off"
                )
        return self


SpanKind = Literal["working_day", "make_up_day", "weekly_rest", "day_off"]
COUNTED: frozenset[SpanKind] = frozenset({"working_day", "make_up_day"})


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time between two moments, counted as work or not, for people who ask why a date is what it is."""

    start: datetime
    end: datetime
    kind: SpanKind
    name: str
    """Of the day off or make-up day; empty for usual days."""
    minutes: float
    """Working minutes within it."""

    @property
    def text(self) -> str:
        """The span in English."""
        what = {
            "working_day": f"working time, {_length(self.minutes)} counted",
            "make_up_day": f"make-up day ({self.name}), {_length(self.minutes)} counted",
            "weekly_rest": "weekly rest, not counted",
            "day_off": f"day off ({self.name}), not counted",
        }
        return f"{_edges(self.start, self.end)}: {what[self.kind]}"

    @property
    def text_vi(self) -> str:
        """The span in Vietnamese, as a slip prints it."""
        what = {
            "working_day": f"thời gian làm việc, tính {_length_vi(self.minutes)}",
            "make_up_day": f"ngày làm bù ({self.name}), tính {_length_vi(self.minutes)}",
            "weekly_rest": "nghỉ hằng tuần, không tính",
            "day_off": f"nghỉ lễ ({self.name}), không tính",
        }
        return f"{_edges(self.start, self.end)}: {what[self.kind]}"


def _edges(start: datetime, end: datetime) -> str:
    return f"{start:%H:%M %d/%m/%Y} – {end:%H:%M %d/%m/%Y}"


def _length(minutes: float) -> str:
    hours, rest = divmod(int(minutes), HOUR_MINUTES)
    return f"{hours} h {rest:02d} min"


def _length_vi(minutes: float) -> str:
    hours, rest = divmod(int(minutes), HOUR_MINUTES)
    return f"{hours} giờ {rest:02d} phút"


class WorkingCalendar:
    """The working time of one calendar document; immutable, cheap to ask, safe to share."""

    def __init__(self, document: CalendarDocument) -> None:
        self.document = document
        self.zone = timezone(timedelta(minutes=document.utc_offset_minutes), document.zone)
        self._epoch = datetime(1970, 1, 1, tzinfo=self.zone)
        self._first = self._instant(datetime(document.first_year, 1, 1, tzinfo=self.zone))
        self._last = self._instant(datetime(document.last_year + 1, 1, 1, tzinfo=self.zone))
        self._off = {day.date: day.name for day in document.days_off}
        self._made_up = {day.date: day for day in document.make_up_days}
        # One entry per working span, in microseconds: its edges, the work done before it and by its end.
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._before: list[int] = []
        self._by_end: list[int] = []
        self._days: list[date] = []
        self._fill()

    @property
    def version(self) -> str:
        """The version of the document, to be kept with every due date computed from it."""
        return self.document.version

    def is_provisional(self, moment: datetime) -> bool:
        """Return whether the days off of a moment's year are not officially announced yet."""
        return moment.astimezone(self.zone).year in self.document.provisional_years

    def is_working(self, moment: datetime) -> bool:
        """Return whether work goes on at a moment; the end of a span is no longer work."""
        at = self._covered(moment)
        span = bisect_right(self._starts, at) - 1
        return span >= 0 and at < self._ends[span]

    def next_start(self, moment: datetime) -> datetime:
        """Return the first moment from this one on at which work goes on; a working moment is its own."""
        at = self._covered(moment)
        span = bisect_right(self._ends, at)
        return self._moment(max(at, self._starts[self._existing(span)]))

    def between(self, earlier: datetime, later: datetime) -> float:
        """Return the working minutes from one moment to another, negative when `later` is the earlier one.

        The value is exact to the microsecond: add(earlier, between(earlier, later)) loses nothing.
        """
        return (self._worked(self._covered(later)) - self._worked(self._covered(earlier))) / MINUTE_US

    def add(self, start: datetime, minutes: float) -> datetime:
        """Return the first moment from `start` on by which so many working minutes have passed.

        Work that fills a span ends with it: Saturday 10:00 and 480 minutes is Monday 17:00, not Tuesday 07:00.
        """
        amount = round(minutes * MINUTE_US)
        if amount < 0:
            raise ValueError("Working time can only be added: give zero minutes or more.")
        at = self._covered(start)
        if not amount:
            return self._moment(at)
        target = self._worked(at) + amount
        span = self._existing(bisect_left(self._by_end, target))
        return self._moment(self._starts[span] + target - self._before[span])

    def due(self, start: datetime, amount: float, unit: Unit) -> datetime:
        """Return when a term that starts at a moment is over.

        Hours of either kind and working days (of `day_minutes`) count from the moment on and may be fractions; days
        and months are whole and end with the working hours of their last day.
        """
        if amount < 0:
            raise ValueError("A term cannot be negative: give an amount of zero or more.")
        if unit == "hour":
            return self._moment(self._covered(start) + round(amount * HOUR_MINUTES * MINUTE_US))
        if unit == "working_hour":
            return self.add(start, amount * HOUR_MINUTES)
        if unit == "working_day":
            return self.add(start, amount * self.document.day_minutes)
        if amount != int(amount):
            raise ValueError(f"A term in the unit {unit} is whole: give an amount without a fraction.")
        self._covered(start)
        first = start.astimezone(self.zone).date()
        last = first + timedelta(days=int(amount)) if unit == "day" else _months_later(first, int(amount))
        return self.end_of_day(last)

    def promised(
        self, received: datetime, amount: float | None, unit: Unit | None, *, same_day: bool
    ) -> datetime | None:
        """Return when a result is due by law: of a same-day procedure, of one with a term, or None without either."""
        if same_day:
            return self.same_day_due(received)
        return None if amount is None or unit is None else self.due(received, amount, unit)

    def counted_from(self, received: datetime) -> datetime:
        """Return the moment from which a same-day procedure counts.

        Received on a working day by 15:00 (`same_day_until`) it counts at once, otherwise from the start of the next
        working day.
        """
        self._covered(received)
        local = received.astimezone(self.zone)
        day = local.date()
        if self._working_day(day) == day and local.time() <= self.document.same_day_until:
            return local
        return self.next_start(self._midnight(day + timedelta(days=1)))

    def same_day_due(self, received: datetime) -> datetime:
        """Return the due time of a same-day procedure: the end of the working day it counts from."""
        return self.end_of_day(self.counted_from(received).date())

    def end_of_day(self, day: date) -> datetime:
        """Return when work ends on a date, or on the next working day if the date is off."""
        midnight = self._covered(self._midnight(self._working_day(day) + timedelta(days=1)))
        return self._moment(self._ends[bisect_left(self._starts, midnight) - 1])

    def explain(self, start: datetime, end: datetime) -> list["Span"]:
        """Return what of the time between two moments counts as work and what does not, with the reason, in order.

        Working days of one kind that follow each other are one span, as are days off of one name; the hours before
        and after work belong to the day they are in. Raises OutsideCalendarError.
        """
        self._covered(start)
        self._covered(end)
        spans: list[Span] = []
        moment, last = start.astimezone(self.zone), end.astimezone(self.zone)
        while moment < last:
            until = min(last, self._midnight(moment.date() + timedelta(days=1)))
            kind, name = self._kind(moment.date())
            minutes = self.between(moment, until) if kind in COUNTED else 0.0
            if spans and (spans[-1].kind, spans[-1].name) == (kind, name):
                spans[-1] = Span(spans[-1].start, until, kind, name, spans[-1].minutes + minutes)
            else:
                spans.append(Span(moment, until, kind, name, minutes))
            moment = until
        return spans

    def _kind(self, day: date) -> tuple["SpanKind", str]:
        if day in self._off:
            return "day_off", self._off[day]
        if day in self._made_up:
            return "make_up_day", self._made_up[day].name
        return ("working_day", "") if self.document.week.hours(day) else ("weekly_rest", "")

    def _fill(self) -> None:
        day, total = date(self.document.first_year, 1, 1), 0
        while day.year <= self.document.last_year:
            stands_for = self._made_up[day].instead_of if day in self._made_up else day
            spans = () if day in self._off else self.document.week.hours(stands_for)
            for opens, closes in spans:
                start, end = (self._instant(datetime.combine(day, at, self.zone)) for at in (opens, closes))
                self._starts.append(start)
                self._ends.append(end)
                self._before.append(total)
                total += end - start
                self._by_end.append(total)
            if spans:
                self._days.append(day)
            day += timedelta(days=1)

    def _instant(self, moment: datetime) -> int:
        return (moment - self._epoch) // _MICROSECOND

    def _moment(self, instant: int) -> datetime:
        if instant > self._last:
            raise self._outside("The answer")
        return self._epoch + timedelta(microseconds=instant)

    def _midnight(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)

    def _covered(self, moment: datetime) -> int:
        if moment.utcoffset() is None:
            raise ValueError(f"{moment} has no zone: working time needs aware moments.")
        instant = self._instant(moment)
        if not self._first <= instant <= self._last:
            raise self._outside(str(moment))
        return instant

    def _existing(self, span: int) -> int:
        if span == len(self._starts):
            raise self._outside("The answer")
        return span

    def _worked(self, instant: int) -> int:
        span = bisect_right(self._starts, instant) - 1
        return self._before[span] + min(instant, self._ends[span]) - self._starts[span] if span >= 0 else 0

    def _working_day(self, day: date) -> date:
        index = bisect_left(self._days, day)
        if index == len(self._days):
            raise self._outside(str(day))
        return self._days[index]

    def _outside(self, what: str) -> OutsideCalendarError:
        years = f"{self.document.first_year} to {self.document.last_year}"
        return OutsideCalendarError(
            f"{what} lies outside calendar {self.document.name} {self.version} ({years}): publish one with that year."
        )


def _months_later(day: date, count: int) -> date:
    years, month = divmod(day.year * YEAR_MONTHS + day.month - 1 + count, YEAR_MONTHS)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def load_calendar(name: str = "vn") -> WorkingCalendar:
    """Return a calendar that ships with the product, read and built once per process."""
    return _shipped(name)


@cache
def _shipped(name: str) -> WorkingCalendar:
    text = files("shared.calendars").joinpath(f"{name}.json").read_text(encoding="utf-8")
    return WorkingCalendar(CalendarDocument.model_validate_json(text))
