"""The clock: due dates move by the pauses, exactly, and the ledger proves it. Pure computing, no database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.workflow.models import ClockEntry
from services.workflow.operations import clock
from services.workflow.operations.clock import Terms
from services.workflow.states import ClockKind
from shared.clock import VN
from shared.events.values import Duration, DurationUnit
from shared.ids import new_id
from shared.worktime import load_calendar

CALENDAR = load_calendar("vn")
WORKING = Duration(amount=3, unit=DurationUnit.WORKING_DAY)
FIRST = datetime(2024, 1, 1, tzinfo=VN)
TERMS = st.builds(Duration, amount=st.integers(1, 20).map(float), unit=st.sampled_from(list(DurationUnit)))
SPANS = st.lists(
    st.tuples(st.timedeltas(timedelta(0), timedelta(days=4)), st.timedeltas(timedelta(0), timedelta(days=9))),
    max_size=5,
)


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Return a moment of April 2026 in Vietnam; the 6th is a Monday, the 27th is off."""
    return datetime(2026, 4, day, hour, minute, second, tzinfo=VN)


def written(start: datetime, term: Duration | None, pauses: Sequence[tuple[datetime, datetime]]) -> list[ClockEntry]:
    """Write the ledger as the service does: line by line, each due date from the one before."""
    due_at = CALENDAR.due(start, term.amount, term.unit.value) if term else None
    entries = [_entry(1, ClockKind.START, start, due_at)]
    for paused_at, resumed_at in pauses:
        entries.append(_entry(len(entries) + 1, ClockKind.PAUSE, paused_at, due_at))
        if due_at is not None:
            unit = term.unit if term else None
            due_at = clock.due_after_pause(due_at, paused_at, resumed_at, calendar=CALENDAR, unit=unit)
        entries.append(_entry(len(entries) + 1, ClockKind.RESUME, resumed_at, due_at))
    return entries


def _entry(nth: int, kind: ClockKind, moment: datetime, due_at: datetime | None) -> ClockEntry:
    return ClockEntry(
        dossier_code="H32.14-260406-0001",
        nth=nth,
        kind=kind,
        at=moment,
        reason="acceptance" if kind == ClockKind.START else "supplement",
        event_id=new_id(),
        calendar_version=CALENDAR.version,
        due_at=due_at,
    )


def seconds_of_work(earlier: datetime, later: datetime) -> float:
    """Count working time the slow way: hour by hour of every day, without the calendar's tables."""
    week = CALENDAR.document.week
    off = {day.date for day in CALENDAR.document.days_off}
    made_up = {day.date: day.instead_of for day in CALENDAR.document.make_up_days}
    total, day = 0.0, earlier.astimezone(VN).date()
    while day <= later.astimezone(VN).date():
        for opens, closes in () if day in off else week.hours(made_up.get(day, day)):
            start = max(earlier, datetime.combine(day, opens, VN))
            end = min(later, datetime.combine(day, closes, VN))
            total += max(0.0, (end - start).total_seconds())
        day += timedelta(days=1)
    return total


class TestLedger:
    """The ledger alone gives the due date."""

    @settings(max_examples=300, deadline=None)
    @given(st.timedeltas(timedelta(0), timedelta(days=300)), TERMS, SPANS)
    def test_gives_the_due_date_again(
        self, after: timedelta, term: Duration, spans: list[tuple[timedelta, timedelta]]
    ) -> None:
        start = FIRST + after
        pauses, moment = [], start
        for running, standing in spans:
            pauses.append((moment + running, moment + running + standing))
            moment = pauses[-1][1]
        entries = written(start, term, pauses)
        recomputed = clock.recompute(entries, CALENDAR, Terms(term))
        assert recomputed == entries[-1].due_at
        given_at = entries[0].due_at
        assert given_at is not None
        assert recomputed is not None
        if term.unit in clock.ON_CALENDAR:
            assert recomputed - given_at == sum((end - begin for begin, end in pauses), timedelta(0))
        else:
            paused = sum(seconds_of_work(begin, end) for begin, end in pauses)
            assert seconds_of_work(given_at, recomputed) == pytest.approx(paused, abs=1e-4)

    @settings(max_examples=100, deadline=None)
    @given(st.timedeltas(timedelta(0), timedelta(days=300)), SPANS)
    def test_many_pauses_are_as_one_of_all_their_work(
        self, after: timedelta, spans: list[tuple[timedelta, timedelta]]
    ) -> None:
        moment, pauses, work = FIRST + after, [], 0.0
        for running, standing in spans:
            pauses.append((moment + running, moment + running + standing))
            moment, work = pauses[-1][1], work + CALENDAR.between(*pauses[-1])
        entries = written(FIRST + after, WORKING, pauses)
        due_at = entries[0].due_at
        assert due_at is not None
        assert clock.recompute(entries, CALENDAR, Terms(WORKING)) == CALENDAR.add(due_at, work)

    def test_a_pause_that_lasts_has_not_moved_it_yet(self) -> None:
        entries = written(at(6, 8), WORKING, [(at(7, 8), at(8, 8))])[:2]
        assert clock.recompute(entries, CALENDAR, Terms(WORKING)) == entries[0].due_at

    @pytest.mark.parametrize("wrong", [[1, 0], [0, 2], [0, 1, 1], [0, 1, 2, 2]])
    def test_out_of_order_is_no_ledger(self, wrong: list[int]) -> None:
        entries = written(at(6, 8), WORKING, [(at(7, 8), at(8, 8))])
        with pytest.raises(ValueError, match="in turn"):
            clock.recompute([entries[index] for index in wrong], CALENDAR, Terms(WORKING))

    def test_without_a_term_there_is_no_due_date(self) -> None:
        assert clock.recompute(written(at(6, 8), None, [(at(7, 8), at(8, 8))]), CALENDAR, Terms()) is None


class TestDueAfterPause:
    """A pause moves a due date by what it lasted; real systems lose hours or add days here."""

    @pytest.mark.parametrize(
        ("paused", "resumed", "due"),
        [
            pytest.param(at(7, 8), at(7, 8, 0, 1), at(9, 8, 0, 1), id="a second is a second"),
            pytest.param(at(7, 8), at(8, 8), at(10, 8), id="a day is a working day, not a day less"),
            pytest.param(at(7, 11), at(7, 14), at(9, 9), id="lunch does not count"),
            pytest.param(at(3, 16), at(6, 8), at(9, 10), id="over a weekend only the hours worked"),
            pytest.param(at(4, 9), at(5, 20), at(9, 8), id="a weekend alone moves nothing"),
            pytest.param(at(8, 16), at(8, 20), at(9, 9), id="after hours do not count"),
        ],
    )
    def test_in_working_time(self, paused: datetime, resumed: datetime, due: datetime) -> None:
        moved = clock.due_after_pause(at(9, 8), paused, resumed, calendar=CALENDAR, unit=DurationUnit.WORKING_DAY)
        assert moved == due

    def test_a_holiday_within_does_not_count(self) -> None:
        moved = clock.due_after_pause(
            at(24, 8), at(24, 16), at(28, 8), calendar=CALENDAR, unit=DurationUnit.WORKING_HOUR
        )
        holidays = {day.date for day in CALENDAR.document.days_off}
        assert at(27, 8).date() in holidays
        assert moved == at(24, 10)

    @pytest.mark.parametrize("unit", [DurationUnit.HOUR, DurationUnit.DAY, DurationUnit.MONTH])
    def test_terms_on_the_calendar_move_by_all_the_time(self, unit: DurationUnit) -> None:
        moved = clock.due_after_pause(at(9, 17), at(3, 16), at(6, 8), calendar=CALENDAR, unit=unit)
        assert moved == at(9, 17) + (at(6, 8) - at(3, 16))

    def test_a_missed_due_date_stays_missed_by_as_much(self) -> None:
        moved = clock.due_after_pause(at(6, 8), at(7, 8), at(8, 8), calendar=CALENDAR, unit=DurationUnit.WORKING_DAY)
        assert moved == at(7, 8)
        assert moved < at(8, 8)

    def test_is_given_in_utc(self) -> None:
        moved = clock.due_after_pause(at(9, 8), at(7, 8), at(7, 9), calendar=CALENDAR, unit=None)
        assert moved.tzinfo is UTC


class TestExplain:
    """People are told why a date is what it is."""

    def test_tells_each_step_in_both_languages(self) -> None:
        entries = written(at(6, 8), WORKING, [(at(7, 8), at(7, 9, 30)), (at(8, 8), at(8, 9))])
        whys = clock.explain(entries[:4], CALENDAR, Terms(WORKING))
        assert [why.due_at for why in whys] == [entries[0].due_at, entries[2].due_at, entries[3].due_at]
        assert whys[0].text_vi == (
            "Tiếp nhận hợp lệ lúc 08:00 06/04/2026; thời hạn 3 ngày làm việc "
            f"theo lịch vn {CALENDAR.version}: hẹn trả 08:00 09/04/2026."
        )
        assert "1 giờ 30 phút 00 giây làm việc" in whys[1].text_vi
        assert "1 h 30 min 00 s of working time" in whys[1].text
        assert whys[2].text.startswith("Since 08:00 08/04/2026 the clock stands still")

    def test_without_a_term(self) -> None:
        (why,) = clock.explain(written(at(6, 8), None, []), CALENDAR, Terms())
        assert why.due_at is None
        assert "không quy định thời hạn" in why.text_vi

    def test_all_time_counts_for_terms_on_the_calendar(self) -> None:
        term = Duration(amount=30, unit=DurationUnit.DAY)
        whys = clock.explain(written(at(6, 8), term, [(at(7, 8), at(8, 9))]), CALENDAR, Terms(term))
        assert "25 h 00 min 00 s were added" in whys[1].text
