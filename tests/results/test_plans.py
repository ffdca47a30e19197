"""Plans to digitise the backlog: deadlines by volume, who may set them, burn-down, forecast."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.results import queries
from services.results.models import DigitisationPlan
from services.results.queries import Done, PlanState
from services.results.schemas.digitisation import POINTS_MAX, Every, period_ends
from tests.results.desk import Desk
from tests.results.test_routes import problem

PLANS = "/digitisation/plans"


async def put(desk: Desk, agency: str, *, if_match: str | None = None, by: str = "H32", **body: Any) -> Any:
    """Set a plan."""
    headers = desk.headers(agency=by) | ({"If-Match": if_match} if if_match else {})
    return await desk.client.put(f"{PLANS}/{agency}", json=body, headers=headers)


async def digitise(desk: Desk, *days: tuple[str, date, int]) -> None:
    """Let results be digitised: agency, day, how many."""
    for agency, day, results in days:
        await desk.rows(
            "INSERT INTO digitised_day VALUES (:agency, :day, :results) RETURNING 1",
            agency=agency,
            day=day,
            results=results,
        )


def plan(volume: int = 1000, **more: Any) -> DigitisationPlan:
    """Return a plan for the first hundred days of 2026."""
    facts = {"starts_on": date(2026, 1, 1), "deadline": date(2026, 4, 11), "agency_code": "H32.14"} | more
    return DigitisationPlan(volume=volume, **facts)


class TestDeadline:
    """The deadline of a volume (roadmap of Khánh Hòa, 2022)."""

    @pytest.mark.parametrize(
        ("volume", "deadline"),
        [
            (1, "2022-12-31"),
            (19_999, "2022-12-31"),
            (20_000, "2023-12-31"),
            (50_000, "2023-12-31"),
            (50_001, "2024-12-31"),
            (100_000, "2024-12-31"),
            (100_001, "2025-06-30"),
        ],
    )
    def test_follows_from_its_band(self, volume: int, deadline: str) -> None:
        assert queries.deadline_of(volume).day == date.fromisoformat(deadline)

    def test_is_the_first_rules_also_before_it(self) -> None:
        assert queries.deadline_of(1, starts_on=date(2010, 1, 1)) == queries.deadline_of(1)


class TestProgress:
    """Where a plan stands."""

    @pytest.mark.parametrize(
        ("done", "as_of", "state", "forecast", "needed"),
        [
            # 300 in 30 days are 10 a day: 400 more take 40 days.
            (Done(600, 300, date(2026, 1, 1)), date(2026, 3, 2), PlanState.ON_TRACK, date(2026, 4, 11), 10.0),
            (Done(599, 300, date(2026, 1, 1)), date(2026, 3, 2), PlanState.LATE, date(2026, 4, 12), 10.03),
            # 40 in the 4 days since the first one.
            (Done(40, 40, date(2026, 1, 3)), date(2026, 1, 6), PlanState.LATE, date(2026, 4, 12), 10.11),
            (Done(600, 0, date(2026, 1, 1)), date(2026, 3, 2), PlanState.STALLED, None, 10.0),
            (Done(), date(2026, 3, 2), PlanState.STALLED, None, 25.0),
            (Done(999, 30, date(2026, 1, 1)), date(2026, 4, 12), PlanState.OVERDUE, date(2026, 4, 13), None),
            (Done(999, 30, date(2026, 1, 1)), date(2026, 4, 11), PlanState.LATE, date(2026, 4, 12), None),
            (Done(1000, 30, date(2026, 1, 1)), date(2026, 5, 1), PlanState.DONE, None, None),
            (Done(1200, 30, date(2026, 1, 1)), date(2026, 5, 1), PlanState.DONE, None, None),
        ],
    )
    def test_is_computed_from_what_was_done(
        self, done: Done, as_of: date, state: PlanState, forecast: date | None, needed: float | None
    ) -> None:
        found = queries.progress_of(plan(), done, as_of=as_of)
        assert (found.state, found.forecast_on, found.needed_per_day) == (state, forecast, needed)
        assert found.done - found.uncounted + found.remaining == found.volume

    def test_burns_down_to_the_same_total(self) -> None:
        days = [(date(2025, 12, 30), 5), (date(2026, 1, 31), 7), (date(2026, 2, 1), 11), (date(2026, 3, 15), 13)]
        ends = period_ends(date(2026, 1, 1), date(2026, 3, 15), Every.MONTH)
        assert ends == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 15)]
        points = queries.burn_down(plan(), days, ends)
        assert [point.done for point in points] == [12, 11, 13]
        assert [point.remaining for point in points] == [988, 977, 964]
        # 30, 58 and 73 of 100 days are gone.
        assert [point.planned_remaining for point in points] == [700, 420, 270]

    def test_has_weeks_that_end_on_sundays_and_never_too_many_points(self) -> None:
        weeks = period_ends(date(2026, 4, 1), date(2026, 4, 14), Every.WEEK)
        assert weeks == [date(2026, 4, 5), date(2026, 4, 12), date(2026, 4, 14)]
        days = period_ends(date(2000, 1, 1), date(2026, 4, 14), Every.DAY)
        assert (len(days), days[-1]) == (POINTS_MAX, date(2026, 4, 14))


class TestPlan:
    """A plan over HTTP."""

    async def test_gets_its_deadline_from_the_volume(self, desk: Desk) -> None:
        answer = await put(desk, "H32.14", volume=42_000)
        assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
        set_plan = answer.json()
        assert (set_plan["starts_on"], set_plan["deadline"]) == ("2021-12-06", "2023-12-31")
        assert "107/2021" in set_plan["deadline_basis"]

    async def test_may_have_a_deadline_of_its_own(self, desk: Desk) -> None:
        own = {"starts_on": "2026-01-05", "deadline": "2027-06-30", "deadline_basis": "Kế hoạch 137/KH-UBND"}
        assert (await put(desk, "H32.14", volume=9, **own)).json()["deadline_basis"] == "Kế hoạch 137/KH-UBND"
        assert problem(await put(desk, "H32.15", volume=9, deadline="2027-06-30")) == (422, "invalid_request")
        late = await put(desk, "H32.15", volume=9, starts_on="2026-01-05")
        assert problem(late) == (422, "digitisation_plan_backwards")

    async def test_is_changed_only_in_the_version_that_was_read(self, desk: Desk) -> None:
        first = await put(desk, "H32.14", volume=9)
        for stale in (None, '"2"', "*"):
            assert problem(await put(desk, "H32.14", volume=10, if_match=stale)) == (412, "digitisation_plan_changed")
        assert problem(await put(desk, "H32.15", volume=10, if_match='"1"'))[0] == 412
        changed = await put(desk, "H32.14", volume=60_000, if_match=first.headers["etag"])
        assert (changed.json()["deadline"], changed.headers["etag"]) == ("2024-12-31", '"2"')

    async def test_of_another_agency_is_not_there(self, desk: Desk) -> None:
        await put(desk, "H32.14", volume=9)
        assert problem(await put(desk, "H32.14", volume=9, by="H32.15")) == (404, "digitisation_plan_not_found")
        for path in (f"{PLANS}/H32.14", f"{PLANS}/H32.14/burn-down"):
            assert problem(await desk.get(path, agency="H32.15")) == (404, "digitisation_plan_not_found")
        assert (await desk.get(PLANS, agency="H32.15")).json()["items"] == []
        assert problem(await desk.get(PLANS, scopes=["x"])) == (403, "forbidden")
        refused = await desk.client.put(
            f"{PLANS}/H32.14", json={"volume": 9}, headers=desk.headers(scopes=["results:read"])
        )
        assert problem(refused) == (403, "forbidden")

    async def test_counts_units_without_a_plan_of_their_own(self, desk: Desk) -> None:
        for agency in ("H32.14", "H32.14.02", "H32.1"):
            await put(desk, agency, volume=100)
        day = date(2026, 4, 1)
        await digitise(desk, ("H32.14", day, 10), ("H32.14.01", day, 3), ("H32.14.02", day, 5), ("H32.15", day, 7))
        page = (await desk.get(f"{PLANS}?as_of=2026-04-02", agency="H32")).json()
        done = {item["agency_code"]: item["progress"]["done"] for item in page["items"]}
        assert done == {"H32.1": 0, "H32.14": 13, "H32.14.02": 5}
        burnt = (await desk.get(f"{PLANS}/H32.14/burn-down?as_of=2026-04-02&every=day")).json()
        assert [point["done_total"] for point in burnt["points"][-3:]] == [0, 13, 13]

    async def test_is_looked_at_as_of_a_day(self, desk: Desk) -> None:
        await put(desk, "H32.14", volume=100)
        await digitise(desk, ("H32.14", date(2026, 4, 1), 10), ("H32.14", date(2026, 4, 3), 10))
        for day, done in (("2026-03-31", 0), ("2026-04-02", 10), ("2026-04-03", 20)):
            assert (await desk.get(f"{PLANS}/H32.14?as_of={day}")).json()["progress"]["done"] == done
        assert problem(await desk.get(f"{PLANS}?as_of=2999-01-01")) == (422, "invalid_request")

    async def test_list_goes_on_behind_its_cursor(self, desk: Desk) -> None:
        for nth in range(1, 6):
            await put(desk, f"H32.{nth}", volume=9)
        seen, cursor = [], ""
        while cursor is not None:
            page = (await desk.get(f"{PLANS}?limit=2{cursor and '&cursor=' + cursor}", agency="H32")).json()
            seen += [item["agency_code"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert seen == [f"H32.{nth}" for nth in range(1, 6)]
        assert problem(await desk.get(f"{PLANS}?cursor=%25"))[0] == 422


async def test_report_adds_up_and_names_the_urgent_first(desk: Desk) -> None:
    today = date(2026, 4, 2)
    future = {"starts_on": "2026-01-01", "deadline": "2026-12-31", "deadline_basis": "x"}
    await put(desk, "H32.1", volume=100, **future)
    await put(desk, "H32.2", volume=100)
    await put(desk, "H32.3", volume=100, **future)
    await put(desk, "H32.4", volume=100, **future)
    await digitise(desk, ("H32.1", today, 30), ("H32.3", today - timedelta(days=60), 30), ("H32.4", today, 130))
    report = (await desk.get("/digitisation/report?as_of=2026-04-02", agency="H32")).json()
    assert [item["agency_code"] for item in report["items"]] == ["H32.2", "H32.3", "H32.1", "H32.4"]
    assert report["states"] == {"overdue": 1, "stalled": 1, "late": 0, "on_track": 1, "done": 1}
    assert (report["volume"], report["done"], report["remaining"], report["uncounted"]) == (400, 160, 240, 30)
    assert "rate" in report["definition"]
