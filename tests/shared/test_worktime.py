"""Working time against a minute-by-minute oracle, the real calendar, and the clock defects of real systems."""

import json
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import calendars
from shared.clock import VN
from shared.worktime import CalendarDocument, OutsideCalendarError, Unit, WorkingCalendar, load_calendar

SOURCE = Path(calendars.__file__).with_name("vn.json")
MINUTE = timedelta(minutes=1)
START = datetime(2024, 1, 1, tzinfo=VN)
TOTAL_MINUTES = (datetime(2028, 1, 1, tzinfo=VN) - START) // MINUTE
DAY = 480


def at(text: str) -> datetime:
    """Return a moment of the office from `2026-03-07 10:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=VN)


def document(**changes: Any) -> dict[str, Any]:
    """Return the shipped document with some members changed."""
    return {**json.loads(SOURCE.read_text(encoding="utf-8")), **changes}


def calendar(**changes: Any) -> WorkingCalendar:
    """Return the shipped calendar with some members of its document changed."""
    return WorkingCalendar(CalendarDocument.model_validate_json(json.dumps(document(**changes))))


@cache
def worked_minutes() -> bytes:
    """Say of every minute of 2024 to 2027 whether it is worked, by asking the rules about each one."""
    rules = document()
    off = {day["date"] for day in rules["days_off"]}
    made_up = {day["date"] for day in rules["make_up_days"]}

    def is_worked(minute: datetime) -> bool:
        day = minute.date().isoformat()
        if day in off or (minute.weekday() >= 5 and day not in made_up):
            return False
        clock = minute.time()
        return time(7) <= clock < time(11, 30) or time(13, 30) <= clock < time(17)

    return bytes(is_worked(START + count * MINUTE) for count in range(TOTAL_MINUTES))


def oracle_between(earlier: datetime, later: datetime) -> timedelta:
    """Count the worked time between two moments minute by minute."""
    first, last = (earlier - START) // MINUTE, (later - START) // MINUTE
    worked = worked_minutes()
    whole = sum(worked[first:last]) * MINUTE
    head = (earlier - START) % MINUTE if worked[first] else timedelta()
    tail = (later - START) % MINUTE if worked[last] else timedelta()
    return whole - head + tail


def oracle_add(start: datetime, amount: timedelta) -> datetime:
    """Walk from a moment, minute by minute, until so much time was worked."""
    minute, moment = (start - START) // MINUTE, start
    while amount > timedelta():
        edge = START + (minute + 1) * MINUTE
        if worked_minutes()[minute]:
            step = min(edge - moment, amount)
            amount -= step
            moment += step
        if amount > timedelta():
            moment, minute = edge, minute + 1
    return moment


MOMENTS = st.timedeltas(timedelta(), timedelta(minutes=TOTAL_MINUTES - 150_000)).map(lambda since: START + since)
ROUND_MOMENTS = st.integers(0, TOTAL_MINUTES - 150_000).map(lambda count: START + count * MINUTE)


class TestAgainstTheOracle:
    """Any moments and amounts give what walking through every minute gives."""

    @settings(max_examples=500, deadline=None)
    @given(
        st.one_of(MOMENTS, ROUND_MOMENTS), st.one_of(st.integers(0, 5_000), st.sampled_from([0, 210, 270, 480, 960]))
    )
    def test_add(self, start: datetime, minutes: int) -> None:
        assert load_calendar().add(start, minutes) == oracle_add(start, minutes * MINUTE)

    @settings(max_examples=500, deadline=None)
    @given(MOMENTS, st.timedeltas(timedelta(), timedelta(days=60)))
    def test_between(self, earlier: datetime, span: timedelta) -> None:
        minutes = load_calendar().between(earlier, earlier + span)
        assert timedelta(minutes=minutes) == oracle_between(earlier, earlier + span)
        assert load_calendar().between(earlier + span, earlier) == -minutes

    @settings(max_examples=500, deadline=None)
    @given(ROUND_MOMENTS)
    def test_is_working_and_next_start(self, moment: datetime) -> None:
        minute = (moment - START) // MINUTE
        assert load_calendar().is_working(moment) == bool(worked_minutes()[minute])
        assert load_calendar().next_start(moment) == START + worked_minutes().index(1, minute) * MINUTE

    @settings(max_examples=500, deadline=None)
    @given(MOMENTS, st.timedeltas(timedelta(), timedelta(days=20)))
    def test_add_and_between_are_inverse_to_the_microsecond(self, start: datetime, amount: timedelta) -> None:
        end = load_calendar().add(start, amount / MINUTE)
        assert timedelta(minutes=load_calendar().between(start, end)) == amount
        assert load_calendar().add(start, load_calendar().between(start, end)) == end

    @settings(max_examples=300, deadline=None)
    @given(MOMENTS, st.integers(0, 3_000), st.integers(0, 3_000))
    def test_amounts_add_up(self, start: datetime, first: int, second: int) -> None:
        assert load_calendar().add(load_calendar().add(start, first), second) == load_calendar().add(
            start, first + second
        )


class TestAdd:
    """Adding working time."""

    @pytest.mark.parametrize(
        ("start", "minutes", "end"),
        [
            ("2026-03-10 09:00", DAY, "2026-03-11 09:00"),
            ("2026-03-10 07:00", DAY, "2026-03-10 17:00"),
            ("2026-03-10 17:00", DAY, "2026-03-11 17:00"),
            ("2026-03-10 10:30", 60, "2026-03-10 11:30"),
            ("2026-03-10 10:30", 61, "2026-03-10 13:31"),
            ("2026-03-10 12:00", 30, "2026-03-10 14:00"),
            ("2026-03-13 16:30", 60, "2026-03-16 07:30"),
            ("2026-03-14 10:00", 0, "2026-03-14 10:00"),
        ],
    )
    def test_ends_with_the_work(self, start: str, minutes: int, end: str) -> None:
        assert load_calendar().add(at(start), minutes) == at(end)

    def test_answers_in_the_zone_of_the_office(self) -> None:
        end = load_calendar().add(datetime(2026, 3, 10, 2, 0, tzinfo=UTC), DAY)
        assert end.isoformat() == "2026-03-11T09:00:00+07:00"

    def test_refuses_negative_time(self) -> None:
        with pytest.raises(ValueError, match="only be added"):
            load_calendar().add(START, -1)

    def test_refuses_a_moment_without_a_zone(self) -> None:
        with pytest.raises(ValueError, match="aware"):
            load_calendar().add(START.replace(tzinfo=None), 1)


class TestClockDefects:
    """What real one-stop software got wrong: each defect by name."""

    def test_a_weekend_submission_starts_on_monday_morning(self) -> None:
        """Theirs: Saturday 10:00 and one day was Monday 10:00."""
        assert load_calendar().due(at("2026-03-07 10:00"), 1, "working_day") == at("2026-03-09 17:00")

    def test_one_working_day_is_never_24_hours_of_work(self) -> None:
        due = load_calendar().due(at("2026-03-10 09:00"), 1, "working_day")
        assert load_calendar().between(at("2026-03-10 09:00"), due) == DAY

    def test_a_pause_moves_the_due_time_by_its_working_minutes_exactly(self) -> None:
        """Theirs: calendar days of the pause minus one, plus a working day; the hours were lost."""
        office = load_calendar()
        due = office.due(at("2026-03-10 09:00"), 3, "working_day")
        paused, resumed = at("2026-03-11 10:17"), at("2026-03-16 14:02")
        moved = office.add(due, office.between(paused, resumed))
        assert moved == office.add(resumed, office.between(paused, due)) == at("2026-03-18 10:45")

    def test_a_pause_over_a_weekend_costs_nothing(self) -> None:
        office = load_calendar()
        assert office.between(at("2026-03-13 17:00"), at("2026-03-16 07:00")) == 0

    def test_past_holidays_count_when_a_date_is_recomputed(self) -> None:
        """Theirs: only holidays still to come were loaded, so last year's dates changed when computed again."""
        assert load_calendar().due(at("2024-02-07 09:00"), 1, "working_day") == at("2024-02-15 09:00")

    @pytest.mark.parametrize("text", ["2023-12-31 23:59", "2028-01-01 00:01", "0001-01-01 00:00", "9999-12-30 00:00"])
    def test_an_uncovered_moment_is_an_error_and_never_the_year_1(self, text: str) -> None:
        """Theirs: exceptions were swallowed and the due date became 0001-01-01."""
        office = load_calendar()
        with pytest.raises(OutsideCalendarError, match="publish one with that year"):
            office.add(at(text), 1)
        with pytest.raises(OutsideCalendarError):
            office.between(at("2026-03-10 09:00"), at(text))
        with pytest.raises(OutsideCalendarError):
            office.is_working(at(text))

    @pytest.mark.parametrize("unit", ["hour", "working_hour", "day", "working_day", "month"])
    def test_a_term_past_the_last_year_is_an_error(self, unit: Unit) -> None:
        with pytest.raises(OutsideCalendarError):
            load_calendar().due(at("2027-12-31 16:30"), 12, unit)

    def test_an_online_dossier_of_friday_evening_has_eight_working_hours(self) -> None:
        """NĐ 45/2020: accept, ask or refuse within 8 working hours."""
        assert load_calendar().due(at("2026-03-13 20:15"), 8, "working_hour") == at("2026-03-16 17:00")


class TestVietnameseYears:
    """The shipped calendar."""

    @pytest.mark.parametrize(
        ("year", "first", "last"),
        [
            (2024, "2024-02-08", "2024-02-14"),
            (2025, "2025-01-27", "2025-01-31"),
            (2026, "2026-02-16", "2026-02-20"),
            (2027, "2027-02-04", "2027-02-10"),
        ],
    )
    def test_tet_is_off(self, year: int, first: str, last: str) -> None:
        office = load_calendar()
        assert office.between(at(f"{first} 00:00"), at(f"{last} 23:59")) == 0
        assert office.next_start(at(f"{first} 00:00")) > at(f"{last} 17:00")
        assert office.is_provisional(at(f"{first} 00:00")) == (year == 2027)

    def test_tet_lies_between_a_dossier_and_its_due_date(self) -> None:
        assert load_calendar().due(at("2026-02-13 14:00"), 2, "working_day") == at("2026-02-24 14:00")

    @pytest.mark.parametrize(
        ("off", "worked"),
        [
            ("2024-04-29", "2024-05-04"),
            ("2025-05-02", "2025-04-26"),
            ("2026-01-02", "2026-01-10"),
            ("2026-08-31", "2026-08-22"),
        ],
    )
    def test_swapped_days_change_places(self, off: str, worked: str) -> None:
        office = load_calendar()
        assert office.between(at(f"{off} 00:00"), at(f"{off} 23:59")) == 0
        assert office.between(at(f"{worked} 00:00"), at(f"{worked} 23:59")) == DAY
        assert office.is_working(at(f"{worked} 08:00"))

    @pytest.mark.parametrize(
        "day",
        [
            "2024-04-18",
            "2025-04-07",
            "2026-04-27",
            "2027-04-16",
            "2025-09-01",
            "2026-09-01",
            "2026-11-24",
            "2027-05-03",
        ],
    )
    def test_other_days_off_hold(self, day: str) -> None:
        assert not load_calendar().is_working(at(f"{day} 09:00"))

    @pytest.mark.parametrize(("year", "days"), [(2024, 251), (2025, 250), (2026, 249), (2027, 249)])
    def test_a_year_has_its_working_days(self, year: int, days: int) -> None:
        last_moment = datetime(year, 12, 31, 23, 59, tzinfo=VN)
        assert load_calendar().between(datetime(year, 1, 1, tzinfo=VN), last_moment) == days * DAY

    def test_is_read_once(self) -> None:
        assert load_calendar() is load_calendar("vn")
        assert load_calendar().version == document()["version"]


class TestMoments:
    """Where the edges of work lie."""

    @pytest.mark.parametrize(
        ("moment", "working"),
        [
            ("2026-03-10 06:59:59", False),
            ("2026-03-10 07:00", True),
            ("2026-03-10 11:29:59", True),
            ("2026-03-10 11:30", False),
            ("2026-03-10 13:30", True),
            ("2026-03-10 17:00", False),
            ("2024-01-01 00:00", False),
        ],
    )
    def test_is_working(self, moment: str, *, working: bool) -> None:
        assert load_calendar().is_working(at(moment)) is working

    @pytest.mark.parametrize(
        ("moment", "start"),
        [
            ("2026-03-10 09:00", "2026-03-10 09:00"),
            ("2026-03-10 11:30", "2026-03-10 13:30"),
            ("2026-03-13 17:00", "2026-03-16 07:00"),
            ("2026-02-15 12:00", "2026-02-23 07:00"),
        ],
    )
    def test_next_start(self, moment: str, start: str) -> None:
        assert load_calendar().next_start(at(moment)) == at(start)

    def test_has_no_next_start_after_the_last_day(self) -> None:
        with pytest.raises(OutsideCalendarError, match="publish one"):
            load_calendar().next_start(at("2027-12-31 17:00"))

    def test_is_naive_about_no_zone(self) -> None:
        with pytest.raises(ValueError, match="aware"):
            load_calendar().is_working(START.replace(tzinfo=None))


class TestDue:
    """Terms in the five units."""

    @pytest.mark.parametrize(
        ("start", "amount", "unit", "due"),
        [
            ("2026-03-13 16:30", 2, "hour", "2026-03-13 18:30"),
            ("2026-03-13 16:30", 2, "working_hour", "2026-03-16 08:30"),
            ("2026-03-10 09:00", 5, "working_day", "2026-03-17 09:00"),
            ("2026-03-10 09:00", 1.5, "working_day", "2026-03-11 15:00"),
            ("2026-03-10 09:00", 0, "working_day", "2026-03-10 09:00"),
            ("2026-03-10 09:00", 15, "day", "2026-03-25 17:00"),
            ("2026-03-10 23:30", 1, "day", "2026-03-11 17:00"),
            ("2026-03-10 09:00", 4, "day", "2026-03-16 17:00"),
            ("2026-02-10 09:00", 7, "day", "2026-02-23 17:00"),
            ("2026-03-10 09:00", 1, "month", "2026-04-10 17:00"),
            ("2026-01-31 09:00", 1, "month", "2026-03-02 17:00"),
            ("2024-01-31 09:00", 1, "month", "2024-02-29 17:00"),
            ("2025-11-20 09:00", 3, "month", "2026-02-23 17:00"),
            ("2026-03-10 09:00", 12, "month", "2027-03-10 17:00"),
        ],
    )
    def test_is_the_end_of_the_term(self, start: str, amount: float, unit: Unit, due: str) -> None:
        assert load_calendar().due(at(start), amount, unit) == at(due)

    def test_is_counted_on_the_date_in_vietnam(self) -> None:
        evening_in_utc = datetime(2026, 3, 10, 18, 0, tzinfo=UTC)
        assert load_calendar().due(evening_in_utc, 1, "day") == at("2026-03-12 17:00")

    @pytest.mark.parametrize("unit", ["day", "month"])
    def test_refuses_parts_of_days_and_months(self, unit: Unit) -> None:
        with pytest.raises(ValueError, match="whole"):
            load_calendar().due(START, 1.5, unit)

    @pytest.mark.parametrize("unit", ["hour", "working_hour", "day", "working_day", "month"])
    def test_refuses_negative_terms(self, unit: Unit) -> None:
        with pytest.raises(ValueError, match="negative"):
            load_calendar().due(START, -1, unit)


class TestSameDay:
    """Procedures whose result is due on the day they are received."""

    @pytest.mark.parametrize(
        ("received", "counted", "due"),
        [
            ("2026-03-10 06:10", "2026-03-10 06:10", "2026-03-10 17:00"),
            ("2026-03-10 09:00", "2026-03-10 09:00", "2026-03-10 17:00"),
            ("2026-03-10 15:00", "2026-03-10 15:00", "2026-03-10 17:00"),
            ("2026-03-10 15:00:01", "2026-03-11 07:00", "2026-03-11 17:00"),
            ("2026-03-10 23:59", "2026-03-11 07:00", "2026-03-11 17:00"),
            ("2026-03-13 15:01", "2026-03-16 07:00", "2026-03-16 17:00"),
            ("2026-03-14 10:00", "2026-03-16 07:00", "2026-03-16 17:00"),
            ("2026-01-10 14:00", "2026-01-10 14:00", "2026-01-10 17:00"),
            ("2026-02-13 15:30", "2026-02-23 07:00", "2026-02-23 17:00"),
        ],
    )
    def test_counts_from_the_next_working_day_after_three(self, received: str, counted: str, due: str) -> None:
        assert load_calendar().counted_from(at(received)) == at(counted)
        assert load_calendar().same_day_due(at(received)) == at(due)
