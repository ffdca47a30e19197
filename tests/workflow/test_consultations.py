"""Other agencies are asked side by side; the step waits for all of them; they see the question and no more."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.workflow.operations.escalations import escalate
from shared import clock
from tests.workflow.office import ANOTHER, CODE, OFFICIAL, Office, withdrawal
from tests.workflow.processes import LINEAR

FIRST, SECOND = "H32.15", "H32.16"


async def consult(office: Office, *, agencies: tuple[str, ...] = (FIRST, SECOND), **changes: Any) -> httpx.Response:
    body = {
        "agencies": list(agencies),
        "question": "Có phù hợp quy hoạch không?",
        "documents": [{"id": "019d6578-a002-7000-8000-00000000000d", "name": "Bản vẽ"}],
        "respond_by": (clock.now() + timedelta(days=2)).isoformat(),
        "official": OFFICIAL,
    } | changes
    return await office.post(f"/tasks/{(await office.tasks())['check'].id}/consult", body)


async def answer(office: Office, consultation_id: str, agency: str, **more: Any) -> httpx.Response:
    body = {"opinion": "agree", "text": "Thống nhất.", "official": ANOTHER}
    return await office.post(f"/consultations/{consultation_id}/answer", body, agency=agency, **more)


async def asked(office: Office, **more: Any) -> list[str]:
    await office.start(LINEAR)
    answered = await consult(office, **more)
    assert answered.status_code == 201, answered.text
    return [one["id"] for one in answered.json()["items"]]


class TestJoin:
    """A step is not completed before every agency has answered or is waived."""

    async def test_waits_for_all(self, office: Office) -> None:
        first, second = await asked(office)
        for outstanding, (one, agency) in ((2, (first, FIRST)), (1, (second, SECOND))):
            refused = await office.act("check", "complete")
            assert (refused.status_code, refused.json()["code"]) == (409, "consultation_outstanding")
            assert refused.json()["outstanding"] == outstanding
            assert (await answer(office, one, agency)).status_code == 200
        await office.complete("check")
        told = await office.told_names()
        assert told.count("consultation.asked") == told.count("consultation.answered") == 2

    async def test_goes_on_without_one_for_a_reason(self, office: Office) -> None:
        first, second = await asked(office)
        await answer(office, first, FIRST)
        body = {"reason": "Quá hạn, quy hoạch đã công bố", "official": OFFICIAL}
        waived = await office.post(f"/consultations/{second}/waive", body)
        assert (waived.status_code, waived.json()["status"]) == (200, "waived")
        await office.complete("check")
        listed = (await office.get(f"/cases/{CODE}/consultations"))["items"]
        assert [(one["status"], one["waive_reason"]) for one in listed] == [
            ("answered", None),
            ("waived", "Quá hạn, quy hoạch đã công bố"),
        ]

    async def test_the_clock_runs_on(self, office: Office) -> None:
        await asked(office)
        assert await office.status() == "running"
        assert [entry.kind for entry in await office.ledger()] == ["start"]

    @pytest.mark.parametrize("end", ["withdrawal", "return"])
    async def test_falls_away_when_the_step_goes_another_way(self, office: Office, end: str) -> None:
        await office.start(LINEAR)
        await office.complete("check")
        task_id = (await office.tasks())["decide"].id
        body = {"agencies": [FIRST], "question": "Ý kiến?", "official": OFFICIAL}
        respond_by = (clock.now() + timedelta(days=2)).isoformat()
        await office.post(f"/tasks/{task_id}/consult", body | {"respond_by": respond_by})
        if end == "return":
            assert (await office.act("decide", "return", reason="Thiếu giấy tờ")).status_code == 200
        else:
            await office.hear(withdrawal())
        assert (await office.told_names()).count("consultation.cancelled") == 1
        assert (await office.tasks())["decide"].consultations_open == 0
        assert (await office.client.get("/consultations", headers=office.headers(agency=FIRST))).json()["items"] == []


class TestAnswer:
    """Each agency answers once, as itself."""

    async def test_only_once(self, office: Office) -> None:
        first, _ = await asked(office)
        again = [await answer(office, first, FIRST, key="once") for _ in range(2)]
        assert again[0].json() == again[1].json()
        other = await answer(office, first, FIRST)
        assert (other.status_code, other.json()["code"]) == (409, "illegal_move")
        assert (await office.tasks())["check"].consultations_open == 1

    async def test_nobody_answers_for_another(self, office: Office) -> None:
        first, _ = await asked(office)
        for agency in (SECOND, "H32.14", "H33"):
            refused = await answer(office, first, agency)
            assert (refused.status_code, refused.json()["code"]) == (404, "consultation_not_found")

    async def test_who_was_asked_sees_the_question_and_no_more(self, office: Office) -> None:
        first, _ = await asked(office)
        headers = office.headers(agency=FIRST)
        page = (await office.client.get("/consultations", headers=headers)).json()
        assert [one["id"] for one in page["items"]] == [first]
        seen = (await office.client.get(f"/consultations/{first}", headers=headers)).json()
        assert (seen["question"], seen["documents"][0]["name"]) == ("Có phù hợp quy hoạch không?", "Bản vẽ")
        task_id = (await office.tasks())["check"].id
        for path in (f"/cases/{CODE}", f"/cases/{CODE}/consultations", f"/tasks/{task_id}"):
            assert (await office.client.get(path, headers=headers)).status_code == 404


class TestDeadline:
    """Who does not answer in time is late, is told of once, and may still answer."""

    async def test_late_once_then_answered(self, office: Office) -> None:
        first, _ = await asked(office)
        later = clock.now() + timedelta(days=3)
        for expected in (2, 0):
            done = await escalate(office.database, office.app.state.rules, now=later)
            assert done.told["consultation.late"] == expected
        headers = office.headers(agency=FIRST)
        late = (await office.client.get("/consultations", params={"late": "true"}, headers=headers)).json()
        assert [one["status"] for one in late["items"]] == ["late"]
        assert (await office.act("check", "complete")).json()["code"] == "consultation_outstanding"
        assert (await answer(office, first, FIRST)).json()["status"] == "answered"


@pytest.mark.parametrize(
    "changes",
    [
        {"agencies": (FIRST, FIRST)},
        {"agencies": ("H32.14",)},
        {"respond_by": "2026-01-01T00:00:00Z"},
    ],
    ids=["twice", "oneself", "in the past"],
)
async def test_malformed(office: Office, changes: dict[str, Any]) -> None:
    await office.start(LINEAR)
    refused = await consult(office, **changes)
    assert (refused.status_code, refused.json()["code"]) == (422, "consultation_invalid")
    assert (await office.tasks())["check"].consultations_open == 0


async def test_nobody_is_asked_again_before_the_answer(office: Office) -> None:
    first, _ = await asked(office)
    assert (await consult(office, agencies=(FIRST,))).json()["code"] == "consultation_invalid"
    await answer(office, first, FIRST)
    assert (await consult(office, agencies=(FIRST,))).status_code == 201
