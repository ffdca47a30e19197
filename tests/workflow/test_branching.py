"""Cases at forks: officials choose, facts decide, returns lead to another choice, ways not taken are skipped."""

from typing import Any

import pytest

from shared.events.values import Branch, Comparison, Condition, Decision, Process
from shared.events.workflow import TaskCompleted
from tests.workflow.office import CODE, Office, withdrawal
from tests.workflow.processes import step


def chosen(key: str) -> Branch:
    """Make a branch that an official chooses."""
    return Branch(key=key, name=key, when=Condition(fact="outcome", value=key))


REVIEW = Process(
    code="linear",
    steps=(
        step("check"),
        step("visit", "result:inspect"),
        step("hear", "result:inspect"),
        step("draft", "result:approve", "visit", "hear"),
        step("refuse", "result:reject"),
        step("sign", "draft", "refuse"),
    ),
    decisions=(
        Decision(
            key="result",
            name="Kết quả",
            after=("check",),
            branches=tuple(map(chosen, ("approve", "inspect", "reject"))),
        ),
    ),
)
BIG = Condition(fact="area_m2", op=Comparison.AT_LEAST, value=1000)
BY_FACTS = Process(
    code="linear",
    steps=(step("check"), step("big", "size:big"), step("small", "size:small"), step("online", "channel:online")),
    decisions=(
        Decision(
            key="size",
            name="Diện tích",
            after=("check",),
            branches=(Branch(key="big", name="Lớn", when=BIG), Branch(key="small", name="Nhỏ")),
        ),
        Decision(
            key="channel",
            name="Kênh",
            branches=(
                Branch(key="online", name="Trực tuyến", when=Condition(fact="channel", value="online")),
                Branch(key="other", name="Khác"),
            ),
        ),
    ),
)


async def complete(office: Office, key: str, **more: Any) -> dict[str, Any]:
    """Complete a step and return the answer's body."""
    answer = await office.act(key, "complete", **more)
    return {"status": answer.status_code, **answer.json()}


class TestOutcome:
    """An official chooses the way on completing the step before it."""

    async def test_opens_its_way_and_skips_the_others(self, office: Office) -> None:
        await office.start(REVIEW)
        assert (await office.tasks())["check"].outcomes == ["approve", "inspect", "reject"]
        assert (await complete(office, "check", outcome="reject"))["outcome"] == "reject"
        assert await office.statuses() == {
            "check": "done",
            "visit": "skipped",
            "hear": "skipped",
            "draft": "skipped",
            "refuse": "open",
            "sign": "waiting",
        }
        await office.complete("refuse", "sign")
        assert await office.status() == "completed"
        (told,) = [one for one in await office.told() if isinstance(one, TaskCompleted) and one.step_key == "check"]
        assert told.outcome == "reject"
        assert (await office.told_names()).count("task.skipped") == 3

    async def test_may_lead_to_parallel_steps_that_join(self, office: Office) -> None:
        await office.start(REVIEW)
        await complete(office, "check", outcome="inspect")
        await office.complete("visit")
        assert (await office.statuses())["draft"] == "waiting"
        await office.complete("hear")
        assert (await office.statuses())["draft"] == "open"

    @pytest.mark.parametrize("outcome", [{}, {"outcome": "maybe"}, {"outcome": ""}])
    async def test_must_be_one_that_there_is(self, office: Office, outcome: dict[str, str]) -> None:
        await office.start(REVIEW)
        refused = await complete(office, "check", **outcome)
        assert refused["status"] == 422
        assert (await office.statuses())["check"] == "open"
        if outcome.get("outcome") != "":
            assert (refused["code"], refused["errors"][0]["field"]) == ("outcome_invalid", "outcome")
            assert "approve, inspect, reject" in refused["errors"][0]["message_vi"]

    async def test_is_refused_where_there_is_no_choice(self, office: Office) -> None:
        await office.start(REVIEW)
        await complete(office, "check", outcome="reject")
        assert (await complete(office, "refuse", outcome="reject"))["code"] == "outcome_invalid"

    async def test_is_chosen_anew_after_a_return(self, office: Office) -> None:
        await office.start(REVIEW)
        await complete(office, "check", outcome="inspect")
        await office.complete("visit")
        assert (await office.act("hear", "return", reason="Sai đối tượng")).status_code == 200
        assert (await office.statuses())["check"] == "open"
        await complete(office, "check", outcome="approve")
        statuses = await office.statuses()
        assert (statuses["visit"], statuses["hear"], statuses["draft"]) == ("done", "skipped", "open")
        assert (await office.act("draft", "return", reason="Xem lại")).status_code == 200
        await complete(office, "check", outcome="reject")
        statuses = await office.statuses()
        assert (statuses["draft"], statuses["refuse"]) == ("skipped", "open")
        await office.complete("refuse", "sign")
        assert await office.status() == "completed"

    async def test_brings_back_what_was_skipped(self, office: Office) -> None:
        await office.start(REVIEW)
        await complete(office, "check", outcome="reject")
        await office.act("refuse", "return", reason="Xem lại")
        await complete(office, "check", outcome="inspect")
        statuses = await office.statuses()
        assert (statuses["visit"], statuses["hear"], statuses["refuse"]) == ("open", "open", "skipped")

    async def test_in_bulk(self, office: Office) -> None:
        await office.start(REVIEW)
        task_id = str((await office.tasks())["check"].id)
        items = [{"task_id": task_id, "official": "an"}, {"task_id": task_id, "official": "an", "outcome": "reject"}]
        answer = (await office.post("/tasks/complete", {"tasks": items})).json()
        assert [one["done"] for one in answer["outcomes"]] == [False, True]

    async def test_is_shown_with_the_case(self, office: Office) -> None:
        await office.start(REVIEW)
        assert (await office.get(f"/cases/{CODE}"))["decisions"][0]["taken"] is None
        await complete(office, "check", outcome="reject")
        seen = await office.get(f"/cases/{CODE}")
        assert seen["decisions"][0]["taken"] == "reject"
        assert [task["status"] for task in seen["tasks"]].count("skipped") == 3

    async def test_skipped_steps_stay_so_when_the_dossier_is_withdrawn(self, office: Office) -> None:
        await office.start(REVIEW)
        await complete(office, "check", outcome="reject")
        await office.hear(withdrawal())
        assert sorted(set((await office.statuses()).values())) == ["cancelled", "done", "skipped"]


class TestFacts:
    """Facts of the case decide, those from the acceptance and those that officials give."""

    async def test_from_the_acceptance_decide_at_the_start(self, office: Office) -> None:
        await office.start(BY_FACTS)
        assert (await office.statuses())["online"] == "open"

    @pytest.mark.parametrize(("area", "way"), [(1000, "big"), (999.5, "small")])
    async def test_given_on_completion_decide(self, office: Office, area: float, way: str) -> None:
        await office.start(BY_FACTS)
        await complete(office, "check", facts={"area_m2": area})
        statuses = await office.statuses()
        assert {key for key in ("big", "small") if statuses[key] == "open"} == {way}

    @pytest.mark.parametrize("facts", [{}, {"area_m2": "lớn"}, {"colour": "red", "area_m2": 5}, {"area_m2": True}])
    async def test_must_be_given_as_asked(self, office: Office, facts: dict[str, Any]) -> None:
        await office.start(BY_FACTS)
        refused = await complete(office, "check", facts=facts)
        assert (refused["status"], (await office.statuses())["check"]) == (422, "open")
        assert refused["errors"][0]["field"].startswith("facts.")

    async def test_once_given_stay(self, office: Office) -> None:
        await office.start(BY_FACTS)
        await complete(office, "check", facts={"area_m2": 5})
        await office.act("small", "return", reason="Đo lại")
        assert (await complete(office, "check"))["status"] == "done"
        assert (await office.statuses())["small"] == "open"
