"""Acceptances are dated by the calendar that workflow published last for the agency."""

from datetime import datetime
from typing import Any

import pytest

from shared import clock
from shared.events.intake import DossierAccepted
from shared.events.workflow import CalendarPublished
from shared.worktime import CalendarDocument, WorkingCalendar, load_calendar
from tests.intake.counter import AGENCY, Counter

SHORT_DAYS = {day: [["08:00", "09:00"]] for day in load_calendar().document.week.model_dump()}
NO_DAYS: dict[str, list[str]] = {day: [] for day in SHORT_DAYS}


def published(
    version: str, *, code: str = "vn", nth: int = 2, agencies: tuple[str, ...] = (), **changes: Any
) -> CalendarPublished:
    """Make the fact that a calendar is in force: the one that ships, with some of its members changed."""
    document = load_calendar().document.model_dump(mode="json") | {"name": code, "version": version} | changes
    return CalendarPublished(
        calendar_code=code,
        version=version,
        nth=nth,
        agencies=agencies,
        document=document,
        reason="Thử",
        published_by="an",
        published_at=clock.now(),
    )


async def accepted(counter: Counter) -> DossierAccepted:
    """Accept a dossier; return what was told."""
    code = await counter.submitted()
    await counter.done(code, "accept")
    (told,) = [one for one in await counter.told(code) if isinstance(one, DossierAccepted)]
    return told


class TestCalendars:
    """Which calendar counts."""

    async def test_before_any_is_published_it_is_the_one_that_ships(self, counter: Counter) -> None:
        told = await accepted(counter)
        assert (told.calendar_code, told.calendar_version) == ("vn", load_calendar().version)

    async def test_the_greatest_version_counts_in_whatever_order_they_come(self, counter: Counter) -> None:
        newest = published("3", nth=3, week=SHORT_DAYS, make_up_days=[])
        await counter.hear(newest, code="vn")
        await counter.hear(published("2"), code="vn")
        told = await accepted(counter)
        calendar = WorkingCalendar(CalendarDocument.model_validate(newest.document))
        assert told.calendar_version == "3"
        assert told.duration is not None
        term = told.duration.amount, told.duration.unit.value
        assert told.due_at == calendar.promised(told.accepted_at, *term, same_day=told.same_day)

    @pytest.mark.parametrize(
        ("agencies", "code"), [((AGENCY,), "own"), (("H32",), "own"), (("H33",), "vn"), ((AGENCY + "1",), "vn")]
    )
    async def test_an_agencys_own_counts_before_everybodys(
        self, counter: Counter, agencies: tuple[str, ...], code: str
    ) -> None:
        await counter.hear(published("1", code="own", nth=1, agencies=agencies), code="own")
        assert (await accepted(counter)).calendar_code == code

    async def test_the_nearest_agencys_counts(self, counter: Counter) -> None:
        await counter.hear(published("5", code="own", nth=1, agencies=(AGENCY,)), code="own")
        await counter.hear(published("5", code="wide", nth=1, agencies=("H32",)), code="wide")
        assert (await accepted(counter)).calendar_code == "own"

    async def test_one_that_ends_refuses_the_acceptance_and_changes_nothing(self, counter: Counter) -> None:
        year = clock.now().year
        short = {"first_year": year, "last_year": year, "days_off": [], "make_up_days": [], "provisional_years": []}
        await counter.hear(published("4", **short, week=NO_DAYS), code="vn")
        code = await counter.submitted()
        answer = await counter.do(code, "accept")
        assert (answer.status_code, answer.json()["code"]) == (409, "calendar_ends")
        assert (await counter.view(code))["status"] == "submitted"


def test_nothing_is_due_in_the_year_1() -> None:
    """Real systems swallowed the exception and promised 0001-01-01."""
    with pytest.raises(LookupError):
        load_calendar().promised(datetime(2027, 12, 31, 16, tzinfo=clock.VN), 5, "working_day", same_day=False)
