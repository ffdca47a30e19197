"""Figures about time: each with its definition, pauses left out, with and without what was entered after the fact."""

from datetime import timedelta
from typing import Any

import pytest

from services.workflow.operations import cases, tasks
from shared import clock
from shared.events.results import ResultIssued, ResultReturned
from shared.events.values import Process, ReturnMethod
from shared.ids import new_id
from tests.workflow.office import CODE, OFFICIAL, Office, accepted
from tests.workflow.processes import CODES, LINEAR, step

OTHER = "H32.14-261123-0002"
RESULT = Process(code="linear", steps=(step("check"), step("decide", "check").model_copy(update={"output": "result"})))


def window(**more: Any) -> dict[str, Any]:
    now = clock.now()
    return {"from": (now - timedelta(days=90)).isoformat(), "to": (now + timedelta(days=1)).isoformat()} | more


def issued() -> ResultIssued:
    return ResultIssued(
        result_id=new_id(),
        number="12/GP",
        kind_code="GP",
        kind_name="Giấy phép",
        agency_code="H32.14",
        media_type="application/pdf",
        size_bytes=1,
        sha256="0" * 64,
        issued_by=OFFICIAL,
        issued_at=clock.now() - timedelta(days=2),
    )


def returned() -> ResultReturned:
    return ResultReturned(
        result_id=new_id(),
        number="12/GP",
        method=ReturnMethod.COUNTER,
        returned_at=clock.now(),
        returned_by=OFFICIAL,
    )


class TestOverdue:
    """A step missed its date or not; that is its unit's, its step's and its official's."""

    @pytest.mark.parametrize("by", ["agency", "unit", "step", "official"])
    async def test_by(self, office: Office, by: str) -> None:
        await office.start(LINEAR, at=clock.now() - timedelta(days=30))
        await office.start(LINEAR, code=OTHER, at=clock.now())
        await office.complete("check")
        await office.complete("check", code=OTHER)
        shown = await office.get("/statistics/overdue", **window(by=by))
        top = shown["items"][0]
        assert top["overdue"] == {"numerator": 1, "denominator": 2, "percent": 50.0}
        assert top["working_minutes_late"] > 480
        named = {"agency": {}, "unit": {"unit": "unit-check"}, "step": {"step_key": "check"}}
        expected = named.get(by, {"official": OFFICIAL})
        assert {name: top[name] for name in expected} == expected
        assert shown["total"]["overdue"]["denominator"] == 2
        assert shown["definition"]
        assert shown["as_of"]

    async def test_a_pause_is_no_delay(self, office: Office) -> None:
        await office.start(LINEAR, at=clock.now() - timedelta(minutes=1))
        await office.pause("stop")
        task_id = (await office.tasks())["check"].id
        async with office.database.session() as session:
            work = office.official_work(session, clock.now() + timedelta(days=30))
            await cases.resume_case(work, dossier_code=CODE, resumed_by=OFFICIAL)
            done = await tasks.complete_task(work, task_id=task_id, official=OFFICIAL, note="")
            assert done.minutes_late == 0

    async def test_what_is_still_at_work_and_overdue(self, office: Office) -> None:
        await office.start(LINEAR, at=clock.now() - timedelta(days=30))
        shown = await office.get("/statistics/overdue", **window())
        assert shown["items"][0]["still_overdue"] == 1
        assert shown["items"][0]["overdue"] == {"numerator": 0, "denominator": 0, "percent": None}

    async def test_of_others_nothing_is_seen(self, office: Office) -> None:
        await office.start(LINEAR, at=clock.now() - timedelta(days=30), agency="H32.15")
        shown = await office.get("/statistics/overdue", **window())
        assert (shown["items"], shown["total"]) == ([], None)

    @pytest.mark.parametrize(("start", "end"), [(0, 0), (1, 0), (-400, 0)])
    async def test_a_window_that_is_none(self, office: Office, start: int, end: int) -> None:
        now = clock.now()
        query = {"from": (now + timedelta(days=start)).isoformat(), "to": (now + timedelta(days=end)).isoformat()}
        answer = await office.client.get("/statistics/overdue", params=query, headers=office.headers())
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


class TestLateEntry:
    """What was entered after the fact is flagged, and figures exist with and without it."""

    async def test_with_and_without(self, office: Office) -> None:
        at = clock.now() - timedelta(hours=3)
        for code in (CODE, OTHER):
            await office.start(LINEAR, code=code, at=at)
        back = (clock.now() - timedelta(hours=1)).isoformat()
        answer = await office.act("check", "complete", completed_at=back, late_reason="Mất mạng")
        assert (answer.json()["late_reason"], answer.json()["completed_at"] < answer.json()["recorded_at"]) == (
            "Mất mạng",
            True,
        )
        for code, steps in ((CODE, ("decide", "sign")), (OTHER, ("check", "decide", "sign"))):
            await office.complete(*steps, code=code)
        shown = await office.get("/statistics/on-time", **window())
        assert shown["on_time"] == {"numerator": 2, "denominator": 2, "percent": 100.0}
        assert shown["on_time_entered_in_time"]["denominator"] == shown["entered_late"] == 1
        steps = (await office.get("/statistics/overdue", **window()))["total"]
        assert (steps["entered_late"], steps["overdue_entered_in_time"]["denominator"]) == (1, 5)
        assert (await office.get(f"/cases/{CODE}"))["entered_late"] is True

    async def test_an_overdue_step_entered_late_is_left_out_as_overdue_too(self, office: Office) -> None:
        await office.start(LINEAR, at=clock.now() - timedelta(days=30))
        back = (clock.now() - timedelta(days=10)).isoformat()
        await office.act("check", "complete", completed_at=back, late_reason="Mất mạng")
        await office.complete("decide")
        total = (await office.get("/statistics/overdue", **window()))["total"]
        assert (total["overdue"]["numerator"], total["overdue"]["denominator"]) == (2, 2)
        assert (total["overdue_entered_in_time"]["numerator"], total["overdue_entered_in_time"]["denominator"]) == (
            1,
            1,
        )

    async def test_needs_a_reason(self, office: Office) -> None:
        await office.start(LINEAR)
        back = (clock.now() - timedelta(minutes=30)).isoformat()
        answer = await office.act("check", "complete", completed_at=back)
        assert (answer.status_code, answer.json()["code"]) == (422, "late_reason_missing")
        assert (await office.statuses())["check"] == "open"


class TestUnentered:
    """What is finished in fact but not entered is listed until it is."""

    async def found(self, office: Office, kind: str, hours: int = 0) -> list[str]:
        page = await office.get("/cases/unentered", kind=kind, hours=hours)
        return [one["dossier_code"] for one in page["items"]]

    async def test_steps_open_though_the_result_is_issued(self, office: Office) -> None:
        await office.start(RESULT)
        assert await self.found(office, "steps") == []
        await office.hear(issued())
        assert await self.found(office, "steps", hours=24) == [CODE]
        assert await self.found(office, "steps", hours=72) == []
        await office.complete("check", "decide")
        assert await self.found(office, "steps") == []
        assert await self.found(office, "return") == [CODE]
        await office.hear(returned())
        assert await self.found(office, "return") == []

    async def test_a_result_that_was_never_entered(self, office: Office) -> None:
        await office.start(RESULT)
        await office.complete("check", "decide")
        assert await self.found(office, "result") == [CODE]
        await office.hear(issued())
        assert await self.found(office, "result") == []

    async def test_a_result_told_of_before_its_case(self, office: Office) -> None:
        await office.publish(RESULT)
        await office.hear(issued())
        assert await office.waiting() == []
        await office.hear(accepted(RESULT))
        assert await self.found(office, "steps") == [CODE]

    async def test_both_in_one_batch(self, office: Office) -> None:
        await office.publish(RESULT)
        await office.hear(issued(), returned(), accepted(RESULT))
        case = await office.case()
        assert case is not None
        assert case.result_issued_at is not None
        assert case.result_returned_at is not None


def test_the_process_is_of_the_procedure() -> None:
    assert RESULT.code in CODES
