"""What officials do with tasks: claim, release, reassign, complete, return, many at once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared import clock
from shared.events.workflow import TaskCompleted, TaskReassigned, TaskReleased
from shared.ids import new_id
from tests.workflow.office import ANOTHER, CODE, OFFICIAL, Office, withdrawal
from tests.workflow.processes import BRANCHES, LINEAR, PARALLEL

BODIES: dict[str, dict[str, Any]] = {
    "claim": {},
    "release": {"reason": "Đi họp"},
    "reassign": {"reason": "Nghỉ phép"},
    "complete": {"note": "Xong"},
    "return": {"reason": "Thiếu giấy tờ"},
}

LEADS_TO = {
    ("open", "claim"): "claimed",
    ("open", "complete"): "done",
    ("open", "return"): "returned",
    ("claimed", "release"): "open",
    ("claimed", "reassign"): "claimed",
    ("claimed", "complete"): "done",
    ("claimed", "return"): "returned",
}


async def _bring_to(office: Office, status: str) -> None:
    """Bring the step `decide` of a case to a status."""
    await office.start(LINEAR)
    if status != "waiting":
        await office.complete("check")
    if status in {"claimed", "returned"}:
        await office.act("decide", "claim")
    if status == "returned":
        await office.act("decide", "return", reason="Thiếu giấy tờ")
    if status == "done":
        await office.complete("decide")
    if status == "cancelled":
        await office.hear(withdrawal())
    assert (await office.statuses())["decide"] == status


class TestActionsInEveryStatus:
    """What may be done to a task depends on where it stands."""

    @pytest.mark.parametrize("action", list(BODIES))
    @pytest.mark.parametrize("status", ["waiting", "open", "claimed", "returned", "done", "cancelled"])
    async def test_over_http(self, office: Office, status: str, action: str) -> None:
        await _bring_to(office, status)
        before = await office.told_names()
        answer = await office.act("decide", action, **BODIES[action])
        end = LEADS_TO.get((status, action))
        if end is not None:
            assert (answer.status_code, answer.json()["status"]) == (200, end)
            return
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_move")
        assert answer.json()["status_now"] == status
        assert await office.told_names() == before


class TestClaim:
    """An official takes a task."""

    async def test_is_told(self, office: Office) -> None:
        await office.start(LINEAR)
        answer = await office.act("check", "claim")
        assert (answer.json()["status"], answer.json()["official"]) == ("claimed", OFFICIAL)
        assert (await office.told_names())[-1] == "task.claimed"

    @pytest.mark.parametrize("action", ["claim", "complete", "release", "return"])
    async def test_keeps_others_away(self, office: Office, action: str) -> None:
        await _bring_to(office, "claimed")
        answer = await office.act("decide", action, official=ANOTHER, **BODIES[action])
        assert (answer.status_code, answer.json()["code"]) == (409, "task_claimed_by_another")
        assert answer.json()["official"] == OFFICIAL

    async def test_of_two_at_once_one_gets_it(self, office: Office) -> None:
        await office.start(LINEAR)
        answers = await asyncio.gather(office.act("check", "claim"), office.act("check", "claim", official=ANOTHER))
        assert sorted(answer.status_code for answer in answers) == [200, 409]

    async def test_the_same_call_again_is_one(self, office: Office) -> None:
        await office.start(LINEAR)
        task_id = (await office.tasks())["check"].id
        answers = [await office.post(f"/tasks/{task_id}/claim", {"official": OFFICIAL}, key="once") for _ in range(2)]
        assert answers[0].json() == answers[1].json()
        again = await office.post(f"/tasks/{task_id}/claim", {"official": OFFICIAL}, key="twice")
        assert (again.status_code, again.json()["code"]) == (409, "illegal_move")
        assert (await office.told_names()).count("task.claimed") == 1

    async def test_stays_while_the_case_is_paused(self, office: Office) -> None:
        await _bring_to(office, "claimed")
        await office.pause("stop")
        assert (await office.statuses())["decide"] == "claimed"


class TestHandOver:
    """A task changes hands."""

    async def test_released_for_anyone(self, office: Office) -> None:
        await _bring_to(office, "claimed")
        answer = await office.act("decide", "release", reason="Đi họp")
        assert answer.json()["official"] is None
        assert isinstance((await office.told())[-1], TaskReleased)
        assert (await office.act("decide", "claim", official=ANOTHER)).status_code == 200

    async def test_reassigned_to_another(self, office: Office) -> None:
        await _bring_to(office, "claimed")
        answer = await office.act("decide", "reassign", official=ANOTHER, reason="Nghỉ phép")
        assert answer.json()["official"] == ANOTHER
        told = (await office.told())[-1]
        assert isinstance(told, TaskReassigned)
        assert (told.previous_official, told.official) == (OFFICIAL, ANOTHER)
        assert (await office.act("decide", "complete", official=ANOTHER)).status_code == 200


class TestComplete:
    """An official finishes a task."""

    async def test_an_open_task_is_claimed_on_the_way(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.act("check", "complete", note="Đủ điều kiện")
        assert (await office.told_names())[-3:] == ["task.claimed", "task.completed", "task.opened"]
        task = (await office.tasks())["check"]
        assert (task.official, task.note, task.status) == (OFFICIAL, "Đủ điều kiện", "done")

    async def test_refused_while_paused(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.pause("stop")
        for action in ("complete", "return"):
            answer = await office.act("check", action, **BODIES[action])
            assert (answer.status_code, answer.json()["code"]) == (409, "case_paused")
            assert answer.json()["case_status"] == "stopped"
        await office.pause("resume")
        await office.complete("check")

    async def test_a_second_time_is_refused(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.complete("check")
        answer = await office.act("check", "complete")
        assert (answer.status_code, answer.json()["status_now"]) == (409, "done")

    async def test_late_entry_keeps_when_it_was_done(self, office: Office) -> None:
        done_at = clock.now() - timedelta(minutes=30)
        await office.start(LINEAR)
        answer = await office.act("check", "complete", completed_at=done_at.isoformat(), late_reason="Mất mạng")
        assert answer.status_code == 200, answer.text
        tasks = await office.tasks()
        assert tasks["check"].completed_at == done_at == tasks["decide"].opened_at
        assert tasks["check"].recorded_at is not None
        assert tasks["check"].recorded_at > done_at
        told = [fact for fact in await office.told() if isinstance(fact, TaskCompleted)]
        assert told[0].completed_at == done_at

    @pytest.mark.parametrize("minutes", [1, -61])
    async def test_refuses_a_time_ahead_or_before_the_task(self, office: Office, minutes: int) -> None:
        await office.start(LINEAR)
        at = clock.now() + timedelta(minutes=minutes)
        answer = await office.act("check", "complete", completed_at=at.isoformat())
        assert (answer.status_code, answer.json()["code"]) == (422, "completion_time_invalid")
        assert (await office.statuses())["check"] == "open"

    async def test_refuses_a_time_before_the_clock_last_ran_again(self, office: Office) -> None:
        await office.start(LINEAR)
        before_pause = clock.now() - timedelta(minutes=1)
        await office.pause("stop")
        await office.pause("resume")
        answer = await office.act("check", "complete", completed_at=before_pause.isoformat())
        assert answer.json()["code"] == "completion_time_invalid"

    async def test_the_join_opens_at_the_latest_end_of_its_branches(self, office: Office) -> None:
        await office.start(PARALLEL)
        half_past = clock.now() - timedelta(minutes=30)
        late = {"late_reason": "Mất mạng"}
        await office.act("split", "complete", completed_at=(half_past - timedelta(minutes=5)).isoformat(), **late)
        await office.complete("left")
        await office.act("right", "complete", completed_at=half_past.isoformat(), **late)
        tasks = await office.tasks()
        assert tasks["join"].opened_at == tasks["left"].completed_at


class TestReturn:
    """A task goes back to the steps before it."""

    async def test_reopens_the_step_before_and_comes_back(self, office: Office) -> None:
        await _bring_to(office, "claimed")
        await office.act("decide", "return", reason="Thiếu giấy tờ")
        assert await office.statuses() == {"check": "open", "decide": "returned", "sign": "waiting"}
        assert (await office.told_names())[-2:] == ["task.returned", "task.opened"]
        assert (await office.tasks())["check"].official is None
        await office.complete("check", "decide", "sign")
        assert await office.status() == "completed"

    async def test_twice_down_to_the_first_step(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.complete("check", "decide")
        await office.act("sign", "return", reason="Sai mẫu")
        await office.act("decide", "return", reason="Sai mẫu")
        assert await office.statuses() == {"check": "open", "decide": "returned", "sign": "returned"}
        await office.complete("check", "decide", "sign")
        assert await office.status() == "completed"

    async def test_a_join_sends_back_to_all_its_branches(self, office: Office) -> None:
        await office.start(PARALLEL)
        await office.complete("split", "left", "right")
        await office.act("join", "return", reason="Chưa thống nhất")
        assert await office.statuses() == {"split": "done", "left": "open", "right": "open", "join": "returned"}
        await office.complete("left")
        assert (await office.statuses())["join"] == "returned"
        await office.complete("right", "join")
        assert await office.status() == "completed"

    async def test_a_branch_goes_back_alone_and_the_other_stands(self, office: Office) -> None:
        await office.start(PARALLEL)
        await office.complete("split", "left")
        await office.act("right", "return", reason="Chia lại")
        assert await office.statuses() == {"split": "open", "left": "done", "right": "returned", "join": "waiting"}
        await office.complete("split", "right", "join")
        assert await office.status() == "completed"

    async def test_the_first_step_has_none_before(self, office: Office) -> None:
        await office.start(LINEAR)
        answer = await office.act("check", "return", reason="Thiếu giấy tờ")
        assert (answer.status_code, answer.json()["code"]) == (409, "nothing_before")


class TestBulk:
    """Many tasks are finished in one call."""

    async def test_each_is_decided_by_itself(self, office: Office) -> None:
        codes = [f"H32.14-261123-{number:04d}" for number in range(1, 7)]
        for code in codes:
            await office.start(LINEAR, code=code)
        first = [(await office.tasks(code))["check"].id for code in codes]
        await office.act("check", "claim", code=codes[1], official=ANOTHER)
        await office.pause("stop", code=codes[2])
        await office.complete("check", code=codes[3])
        wanted = [*first, new_id(), first[0], (await office.tasks(codes[4]))["sign"].id]
        before = {code: await office.told_names(code) for code in codes}
        answer = await office.post("/tasks/complete", _bulk(wanted))
        assert answer.status_code == 200, answer.text
        codes_told = [one["refusal"]["code"] if one["refusal"] else "done" for one in answer.json()["outcomes"]]
        assert codes_told == [
            "done",
            "task_claimed_by_another",
            "case_paused",
            "illegal_move",
            "done",
            "done",
            "task_not_found",
            "illegal_move",
            "illegal_move",
        ]
        assert (answer.json()["done"], answer.json()["refused"]) == (3, 6)
        for code in codes[1:4]:
            assert await office.told_names(code) == before[code]

    async def test_both_branches_of_a_case_at_once(self, office: Office) -> None:
        await office.start(BRANCHES)
        answer = await office.post("/tasks/complete", _bulk([task.id for task in (await office.tasks()).values()]))
        assert answer.json()["done"] == 2
        assert await office.status() == "completed"
        assert (await office.told_names())[-1] == "case.completed"

    async def test_the_same_call_again_is_one(self, office: Office) -> None:
        await office.start(LINEAR)
        body = _bulk([(await office.tasks())["check"].id])
        answers = [await office.post("/tasks/complete", body, key="once") for _ in range(2)]
        assert answers[0].json() == answers[1].json()
        assert (await office.told_names()).count("task.completed") == 1

    async def test_not_more_than_200(self, office: Office) -> None:
        answer = await office.post("/tasks/complete", _bulk([new_id() for _ in range(201)]))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")

    async def test_others_tasks_are_not_found(self, office: Office) -> None:
        await office.start(LINEAR)
        body = _bulk([(await office.tasks())["check"].id])
        answer = await office.post("/tasks/complete", body, agency="H32.15")
        assert answer.json()["outcomes"][0]["refusal"]["code"] == "task_not_found"
        assert (await office.statuses(CODE))["check"] == "open"


def _bulk(task_ids: list[Any]) -> dict[str, Any]:
    return {"tasks": [{"task_id": str(task_id), "official": OFFICIAL, "note": ""} for task_id in task_ids]}
