"""Calendars of one's own, and documents that are none."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from shared.worktime import OutsideCalendarError
from tests.shared.test_worktime import DAY, at, calendar, document


class TestOtherCalendars:
    """An agency's own document."""

    SATURDAY_MORNING = ("07:00", "11:30")

    def test_may_work_on_saturday_mornings(self) -> None:
        office = calendar(week={**document()["week"], "saturday": [self.SATURDAY_MORNING]}, make_up_days=[])
        assert office.between(at("2026-03-14 00:00"), at("2026-03-15 00:00")) == 270
        assert office.same_day_due(at("2026-03-14 08:00")) == at("2026-03-14 11:30")
        assert office.due(at("2026-03-13 13:30"), 1, "working_day") == at("2026-03-14 11:30")

    def test_covers_its_own_years_only(self) -> None:
        office = calendar(first_year=2030, last_year=2030, days_off=[], make_up_days=[], provisional_years=[])
        assert office.add(at("2030-01-01 07:00"), DAY) == at("2030-01-01 17:00")
        with pytest.raises(OutsideCalendarError, match="2030 to 2030"):
            office.add(at("2026-03-10 07:00"), DAY)
        with pytest.raises(OutsideCalendarError):
            office.end_of_day(date(2031, 1, 1))

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"days_off": [{"date": "2026-01-01", "name": "a"}] * 2, "make_up_days": []}, "only once"),
            ({"last_year": 2026}, "2027-01-01 lies outside the years"),
            ({"make_up_days": [{"date": "2026-01-09", "instead_of": "2026-01-02", "name": "a"}]}, "stands in for"),
            ({"make_up_days": [{"date": "2026-01-10", "instead_of": "2026-01-05", "name": "a"}]}, "stands in for"),
            ({"week": {**document()["week"], "monday": [("07:00", "11:30"), ("11:00", "17:00")]}}, "follow each other"),
            ({"week": {**document()["week"], "monday": [("11:30", "07:00")]}}, "follow each other"),
            ({"unknown": 1}, "Extra inputs"),
            ({"last_year": 2100}, "40 at most"),
            ({"first_year": 2027, "last_year": 2026, "days_off": [], "make_up_days": []}, "follow each other"),
            ({"utc_offset_minutes": 99_999}, "less than or equal"),
            ({"version": 'x"y'}, "pattern"),
            ({"name": "../vn"}, "pattern"),
        ],
    )
    def test_are_refused_when_they_contradict_themselves(self, changes: dict[str, Any], reason: str) -> None:
        with pytest.raises(ValidationError, match=reason):
            calendar(**changes)
