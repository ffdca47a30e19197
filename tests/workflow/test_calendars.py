"""Calendars as officials amend them: what would change, then the change, its list, and the explanations."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import text

from services.workflow import queries
from services.workflow.operations.calendars import apply_round, days_left
from services.workflow.states import ClockKind
from shared.clock import VN, now
from shared.events.values import Duration, DurationUnit
from shared.events.workflow import CalendarPublished, CaseDueDateChanged
from shared.worktime import load_calendar
from tests.workflow.office import CODE, Office, accepted
from tests.workflow.processes import LINEAR

MANAGE = ("tasks:read", "tasks:work", "catalogue:write")
OTHERS = [f"H32.14-261123-{nth:04d}" for nth in range(2, 6)]


@pytest.fixture
async def published(office: Office) -> Office:
    """Make the calendar that ships the one in force, and the process known."""
    await apply_round(office.database)
    await office.publish(LINEAR)
    return office


def working_day_after(start: datetime, days: int) -> date:
    """Return the date on which so many working days from a moment are over."""
    return load_calendar().due(start, days, "working_day").astimezone(VN).date()


def amended(day: date, *, version: str = "test.2", **changes: Any) -> dict[str, Any]:
    """Return the calendar that ships with a day more off."""
    document = load_calendar().document.model_dump(mode="json")
    off = [*document["days_off"], {"date": day.isoformat(), "name": "Nghỉ bù"}]
    return document | {"version": version, "days_off": off} | changes


async def publish(
    office: Office,
    document: dict[str, Any],
    *,
    base: str | None = None,
    agency: str = "H32",
    agencies: Sequence[str] = (),
) -> Response:
    """Put a version in force over HTTP."""
    headers = office.headers(agency=agency, scopes=MANAGE)
    if base is not None:
        headers |= {"If-Match": f'"{base}"'}
    body = {"document": document, "agencies": list(agencies), "reason": "Nghỉ bù theo thông báo", "published_by": "an"}
    return await office.client.post(f"/calendars/{document['name']}/versions", json=body, headers=headers)


class TestAmendment:
    """A day more off moves due dates: said beforehand, then done, with the list kept."""

    async def test_shows_what_would_change_then_changes_it_and_keeps_the_list(self, published: Office) -> None:
        office, start = published, now() - timedelta(hours=1)
        await office.hear(accepted(at=start), subject=CODE)
        await office.hear(accepted(at=start, term=None), subject=OTHERS[0])
        before = (await office.case()).due_at  # type: ignore[union-attr]
        document = amended(working_day_after(start, 3))
        headers = office.headers(agency="H32", scopes=MANAGE)
        foreseen = (
            await office.client.post("/calendars/vn/preview", json={"document": document}, headers=headers)
        ).json()
        (move,) = foreseen["items"]
        assert (foreseen["looked_at"], foreseen["next_cursor"]) == (2, None)
        assert (await office.case()).due_at == before  # type: ignore[union-attr]
        assert (await publish(office, document, base=load_calendar().version)).status_code == 201
        assert await apply_round(office.database) == 2
        after = await office.case()
        assert after is not None
        assert after.due_at == datetime.fromisoformat(move["new_due_at"])
        assert after.calendar_version == "test.2"
        await office.assert_ledger_holds()
        await office.assert_ledger_holds(OTHERS[0])
        listed = (await office.get("/calendars/vn/versions/test.2/changes"))["items"]
        assert [(one["dossier_code"], one["previous_due_at"], one["due_at"]) for one in listed] == [
            (CODE, move["due_at"], move["new_due_at"])
        ]
        told = [fact for fact in await office.told() if isinstance(fact, CaseDueDateChanged)]
        assert [(fact.previous_due_at, fact.due_at, fact.because) for fact in told] == [
            (before, after.due_at, "calendar")
        ]
        assert [entry.kind for entry in await office.ledger()] == [ClockKind.START, ClockKind.RECALCULATE]
        assert await apply_round(office.database) == 0

    async def test_moves_the_steps_in_hand(self, published: Office) -> None:
        start = now() - timedelta(hours=1)
        await published.hear(accepted(at=start))
        step = (await published.tasks())["check"]
        assert step.due_at is not None
        await publish(published, amended(start.astimezone(VN).date() + timedelta(days=0)), base=load_calendar().version)
        await apply_round(published.database)
        moved = (await published.tasks())["check"].due_at
        assert moved is not None
        assert moved >= step.due_at

    async def test_of_a_paused_case_counts_when_it_goes_on(self, published: Office) -> None:
        await published.hear(accepted())
        await published.pause("stop")
        await publish(published, amended(working_day_after(now(), 2)), base=load_calendar().version)
        await apply_round(published.database)
        await published.assert_ledger_holds()
        assert (await published.pause("resume")).status_code == 200
        await published.assert_ledger_holds()

    async def test_reaches_a_case_that_was_accepted_by_the_version_before(self, published: Office) -> None:
        await publish(published, amended(working_day_after(now(), 2)), base=load_calendar().version)
        await apply_round(published.database)
        await published.hear(accepted())
        case = await published.case()
        assert case is not None
        assert case.calendar_version == load_calendar().version
        assert await apply_round(published.database) == 1
        await published.assert_ledger_holds()

    async def test_leaves_ended_cases_alone(self, published: Office) -> None:
        await published.hear(accepted())
        await published.complete("check", "decide", "sign")
        await publish(published, amended(working_day_after(now(), 2)), base=load_calendar().version)
        assert await apply_round(published.database) == 0

    async def test_leaves_a_case_that_somebody_holds_for_the_next_round(self, published: Office) -> None:
        for code in (CODE, OTHERS[0]):
            await published.hear(accepted(), subject=code)
        await publish(published, amended(working_day_after(now(), 2)), base=load_calendar().version)
        async with published.database.session() as session:
            await queries.lock_cases(session, [CODE])
            assert await apply_round(published.database) == 1
        assert await apply_round(published.database) == 1
        await published.assert_ledger_holds()

    async def test_lists_a_case_it_cannot_explain_and_goes_on(self, published: Office) -> None:
        for code in (CODE, OTHERS[0]):
            await published.hear(accepted(), subject=code)
        async with published.database.session() as session:
            await session.execute(
                text("UPDATE case_file SET due_at = now() WHERE dossier_code = :code"), {"code": CODE}
            )
            await session.commit()
        await publish(published, amended(working_day_after(now(), 2)), base=load_calendar().version)
        await apply_round(published.database)
        listed = (await published.get("/calendars/vn/versions/test.2/changes"))["items"]
        assert {one["dossier_code"]: bool(one["problem"]) for one in listed} == {CODE: True, OTHERS[0]: False}
        assert await apply_round(published.database) == 0


class TestPublishing:
    """Who may put which calendar in force."""

    async def test_tells_it(self, published: Office) -> None:
        await publish(published, amended(date(2026, 12, 24)), base=load_calendar().version)
        told = [fact for fact in await published.told("vn") if isinstance(fact, CalendarPublished)]
        assert [(fact.version, fact.nth) for fact in told] == [(load_calendar().version, 1), ("test.2", 2)]

    async def test_from_a_version_that_is_no_longer_in_force(self, published: Office) -> None:
        base = load_calendar().version
        assert (await publish(published, amended(date(2026, 12, 24)), base=base)).status_code == 201
        late = await publish(published, amended(date(2026, 12, 25), version="test.3"), base=base)
        assert (late.status_code, late.json()["code"], late.json()["version"]) == (412, "calendar_changed", "test.2")

    async def test_needs_the_version_it_was_made_from(self, published: Office) -> None:
        answer = await publish(published, amended(date(2026, 12, 24)))
        assert (answer.status_code, answer.json()["code"]) == (428, "if_match_missing")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"first_year": 2026, "days_off": [], "make_up_days": [], "provisional_years": []}, "document.last_year"),
            ({"version": None}, "document.version"),
        ],
    )
    async def test_refuses_what_loses_years_or_a_name(
        self, published: Office, changes: dict[str, Any], field: str
    ) -> None:
        base = load_calendar().version
        changes = {name: value if value is not None else base for name, value in changes.items()}
        answer = await publish(published, amended(date(2026, 12, 24)) | changes, base=base)
        assert answer.status_code == 422
        assert field in {one["field"] for one in answer.json()["errors"]}

    async def test_an_agency_has_one_calendar(self, published: Office) -> None:
        document = amended(date(2026, 12, 24), name="h32.14", version="1")
        assert (await publish(published, document, agency="H32.14", agencies=["H32.14"])).status_code == 201
        second = await publish(published, document | {"name": "h32"}, agencies=["H32.14"])
        assert second.status_code == 422
        assert "h32.14" in second.json()["errors"][0]["message"]

    @pytest.mark.parametrize(("name", "agencies"), [("vn", []), ("h32.15", ["H32.15"])])
    async def test_of_others_is_refused(self, published: Office, name: str, agencies: list[str]) -> None:
        document = amended(date(2026, 12, 24), name=name)
        answer = await publish(published, document, base="x", agency="H32.14", agencies=agencies)
        assert answer.status_code == 404

    async def test_that_contradicts_itself_is_refused(self, published: Office) -> None:
        answer = await publish(published, amended(date(2026, 1, 1)), base=load_calendar().version)
        assert answer.status_code == 422


class TestClockOfACase:
    """Why this date."""

    async def test_explains_every_span(self, published: Office) -> None:
        await published.hear(accepted(at=now() - timedelta(hours=30)))
        await published.pause("stop")
        seen = await published.get(f"/cases/{CODE}/clock")
        assert seen["due_at"] == seen["recomputed_due_at"]
        assert {span["kind"] for span in seen["spans"]} >= {"working_day", "pause"}
        assert all(span["text_vi"] for span in seen["spans"])
        ends = [span["end"] for span in seen["spans"][:-1]]
        assert ends == [span["start"] for span in seen["spans"][1:]]
        assert len(seen["why"]) == 2

    async def test_of_a_same_day_procedure(self, published: Office) -> None:
        start = datetime(2026, 3, 10, 15, 1, tzinfo=VN)
        due_at = load_calendar().same_day_due(start)
        term = Duration(amount=1, unit=DurationUnit.WORKING_DAY)
        fact = accepted(at=start, term=term).model_copy(update={"same_day": True, "due_at": due_at})
        await published.hear(fact)
        seen = await published.get(f"/cases/{CODE}/clock")
        assert seen["due_at"] == seen["recomputed_due_at"] == "2026-03-11T10:00:00Z"
        assert "nhận sau 15:00" in seen["why"][0]["text_vi"]


class TestEnd:
    """A calendar that ends refuses; it never fails."""

    async def test_completing_a_step_beyond_the_last_year_is_refused_and_nothing_changes(
        self, published: Office
    ) -> None:
        document = amended(date(2026, 12, 24), name="h32.14", version="1")
        short = document | {"last_year": now().year, "first_year": now().year}
        short["days_off"] = short["make_up_days"] = short["provisional_years"] = []
        short["week"] = {day: [] for day in short["week"]} | {"monday": [["07:00", "07:01"]]}
        assert (await publish(published, short, agency="H32.14", agencies=["H32.14"])).status_code == 201
        fact = accepted(term=None).model_copy(update={"calendar_code": "h32.14", "calendar_version": "1"})
        await published.hear(fact)
        assert (await published.waiting())[0][1].startswith("CalendarEnds")

    def test_is_seen_a_quarter_ahead(self) -> None:
        row = type("Row", (), {"calendar_code": "vn", "document": {"last_year": 2027}})
        assert days_left([row], date(2027, 10, 2)) == {"vn": 90}  # type: ignore[list-item]

    async def test_a_calendar_nobody_knows_is_waited_for(self, published: Office) -> None:
        await published.hear(accepted().model_copy(update={"calendar_version": "2099.1"}))
        assert "has not" in (await published.waiting())[0][1] or "not known" in (await published.waiting())[0][1]


async def test_reading(published: Office) -> None:
    headers = published.headers()
    answer = await published.client.get("/calendars/vn", headers=headers)
    assert answer.headers["ETag"] == f'"{load_calendar().version}"'
    assert answer.json()["document"]["name"] == "vn"
    assert [one["calendar_code"] for one in (await published.get("/calendars"))["items"]] == ["vn"]
    assert [one["nth"] for one in (await published.get("/calendars/vn/versions"))["items"]] == [1]
    assert (await published.client.get("/calendars/none", headers=headers)).status_code == 404
