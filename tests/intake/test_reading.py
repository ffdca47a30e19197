"""Reading dossiers: lists in pages, tags, and who sees personal data."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.intake.app import create_app
from services.intake.settings import IntakeSettings
from shared import clock, migrations
from tests.intake.counter import CCCD, OFFICIAL, Counter

NAME = "Nguyễn Thị An"


async def _listed(counter: Counter, *, agency: str = "H32", **query: Any) -> list[str]:
    answer = await counter.get("/dossiers", query=query, agency=agency)
    assert answer.status_code == 200, answer.text
    return [line["code"] for line in answer.json()["items"]]


class TestList:
    """Listing dossiers."""

    async def test_latest_first_in_pages_that_show_each_once(self, counter: Counter) -> None:
        start = clock.now() - timedelta(days=1)
        times = [(start + timedelta(hours=n // 2)).isoformat() for n in range(7)]
        codes = [await counter.submitted(submitted_at=time, late_reason="Mất điện") for time in times]
        seen: list[str] = []
        cursor = None
        while True:
            page = (await counter.get("/dossiers", query={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
            seen += [line["code"] for line in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 7
        assert seen == sorted(codes, key=lambda code: (codes.index(code) // 2, code), reverse=True)

    async def test_pages_hold_exactly_what_a_look_at_everything_holds(self, counter: Counter) -> None:
        places = ["H32.14.21", "H32.14.22", "H32.14.31"]
        for turn in range(9):
            more = {"competent_agency_code": "H32.14.22"} if turn % 4 == 0 else {}
            code = await counter.submitted(agency_code=places[turn % 3], **more)
            if turn % 2:
                await counter.done(code, "accept")
        rows = await counter.rows("SELECT * FROM dossier ORDER BY submitted_at DESC, code DESC")
        for agency in ("H32", "H32.14", "H32.14.21", "H32.14.22", "H32.05"):
            for status in (None, "submitted", "accepted"):
                mine = [row["code"] for row in rows if _seen(row, agency) and status in {None, row["status"]}]
                assert await _pages(counter, agency, status) == mine

    async def test_filters(self, counter: Counter) -> None:
        first = await counter.submitted()
        second = await counter.submitted(agency_code="H32.14.22")
        third = await counter.submitted(procedure_code="1.002211")
        await counter.done(third, "accept")
        assert await _listed(counter, agency="H32.14.22") == [second]
        assert await _listed(counter, status="accepted") == [third]
        assert await _listed(counter, procedure="1.002211") == [third]
        answer = await counter.get("/dossiers", query={"agency": "H32.14.21", "status": "submitted"})
        assert [line["code"] for line in answer.json()["items"]] == [first]

    async def test_shows_only_what_the_caller_may_see(self, counter: Counter) -> None:
        first, second = await counter.submitted(), await counter.submitted(agency_code="H32.14.22")
        assert await _listed(counter, agency="H32.14.21") == [first]
        assert await _listed(counter, agency="H32.14") == [second, first]
        assert await _listed(counter, agency="H32.1") == []
        answer = await counter.get("/dossiers", query={"agency": "H32.14.22"}, agency="H32.14.21")
        assert answer.json()["items"] == []

    async def test_offers_what_can_be_done_and_no_personal_data(self, counter: Counter) -> None:
        await counter.done(await counter.submitted(), "request-supplement")
        answer = await counter.get("/dossiers")
        assert answer.json()["items"][0]["actions"] == ["supplement", "withdraw", "retract"]
        assert NAME not in answer.text
        assert CCCD not in answer.text

    @pytest.mark.parametrize(
        "query",
        [
            {"limit": 0},
            {"limit": 201},
            {"status": "lost"},
            {"agency": "x"},
            {"procedure": "a\x00"},
            {"cursor": "WyJ4IiwieSJd"},
            {"cursor": "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwieSJd"},
        ],
    )
    async def test_refuses_what_it_does_not_understand(self, counter: Counter, query: dict[str, Any]) -> None:
        assert (await counter.get("/dossiers", query=query)).status_code == 422


class TestGet:
    """Reading one dossier."""

    async def test_is_not_sent_again_unchanged(self, counter: Counter) -> None:
        code = await counter.submitted()
        tag = (await counter.get(f"/dossiers/{code}")).headers["ETag"]
        assert (await counter.get(f"/dossiers/{code}", sent={"If-None-Match": tag})).status_code == 304
        await counter.done(code, "accept")
        assert (await counter.get(f"/dossiers/{code}", sent={"If-None-Match": tag})).status_code == 200

    async def test_needs_the_right(self, counter: Counter) -> None:
        code = await counter.submitted()
        for path in (f"/dossiers/{code}", "/dossiers"):
            assert (await counter.get(path, scopes=["dossiers:submit"])).status_code == 403
            assert (await counter.client.get(path)).status_code == 401


class TestPrivacy:
    """Keeping personal data where it belongs."""

    async def test_nothing_personal_is_logged(self, counter: Counter, capfd: pytest.CaptureFixture[str]) -> None:
        code = await counter.submitted()
        await counter.submit(key="x", scopes=[])
        await counter.done(code, "accept", "withdraw")
        await asyncio.gather(*(counter.submitted() for _ in range(3)))
        logged = "".join(capfd.readouterr())
        assert NAME not in logged
        assert CCCD not in logged

    async def test_answers_to_decisions_hold_none(self, counter: Counter) -> None:
        code = await counter.submitted()
        answers = [await counter.submit(), await counter.do(code, "accept", {"accepted_by": OFFICIAL})]
        assert all(NAME not in answer.text and CCCD not in answer.text for answer in answers)


class TestService:
    """The service as a whole."""

    async def test_models_and_migrations_agree(self, database_url: str) -> None:
        await asyncio.to_thread(migrations.check, "services.intake", database_url)

    async def test_says_how_it_is(self, counter: Counter) -> None:
        ready = await counter.client.get("/health/ready")
        assert (ready.status_code, ready.json()["database"], ready.json()["status"]) == (200, True, "degraded")
        assert (await counter.client.get("/metrics")).status_code == 200

    def test_every_unsafe_call_documents_its_problems(self, settings: IntakeSettings) -> None:
        document = create_app(settings).openapi()
        for path, calls in document["paths"].items():
            if path.startswith(("/dossiers", "/portal", "/documents")):
                for call in calls.values():
                    assert {"401", "403", "422"} <= set(call["responses"]), path


def _seen(row: Any, agency: str) -> bool:
    places = (row["agency_code"], row["competent_agency_code"] or "")
    return any(place == agency or place.startswith(f"{agency}.") for place in places)


async def _pages(counter: Counter, agency: str, status: str | None) -> list[str]:
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2} | ({"status": status} if status else {})
    while True:
        page = (await counter.get("/dossiers", query=query, agency=agency)).json()
        seen += [line["code"] for line in page["items"]]
        if page["next_cursor"] is None:
            return seen
        query["cursor"] = page["next_cursor"]
