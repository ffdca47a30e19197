"""One official stands in for another for some time, and that is seen afterwards."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared import clock
from shared.events.workflow import TaskClaimed, TaskCompleted
from tests.workflow.office import AGENCY, ANOTHER, CODE, OFFICIAL, Office
from tests.workflow.processes import LINEAR
from tests.workflow.test_accounts import give, holds, official


async def delegate(office: Office, **changes: Any) -> httpx.Response:
    now = clock.now()
    body = {
        "agency_code": AGENCY,
        "delegator": OFFICIAL,
        "official": ANOTHER,
        "starts_at": (now - timedelta(minutes=1)).isoformat(),
        "ends_at": (now + timedelta(days=5)).isoformat(),
        "reason": "Nghỉ phép năm",
        "made_by": OFFICIAL,
    } | changes
    return await office.post("/delegations", {name: value for name, value in body.items() if value is not None})


class TestDelegation:
    """It holds for its time and its scope."""

    async def test_another_finishes_and_both_are_told(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.act("check", "claim")
        assert (await delegate(office)).status_code == 201
        answer = await office.act("check", "complete", official=ANOTHER)
        assert (answer.json()["official"], answer.json()["acting_for"]) == (ANOTHER, OFFICIAL)
        told = next(fact for fact in await office.told() if isinstance(fact, TaskCompleted))
        assert (told.official, told.acting_for) == (ANOTHER, OFFICIAL)

    @pytest.mark.parametrize(
        "changes",
        [
            {"units": ["unit-decide"]},
            {"procedures": ["9.999999"]},
            {"starts_at": (clock.now() + timedelta(days=1)).isoformat()},
            {"official": "somebody.else"},
            {"delegator": "somebody.else"},
        ],
        ids=["other unit", "other procedure", "not yet", "to another", "from another"],
    )
    async def test_it_does_not_hold_for_what_it_does_not_say(self, office: Office, changes: dict[str, Any]) -> None:
        await office.start(LINEAR)
        await office.act("check", "claim")
        assert (await delegate(office, **changes)).status_code == 201
        answer = await office.act("check", "complete", official=ANOTHER)
        assert (answer.status_code, answer.json()["code"]) == (409, "task_claimed_by_another")

    async def test_ended_early_it_holds_no_longer(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.act("check", "claim")
        made = (await delegate(office, units=["unit-check"], procedures=["1.000001"])).json()
        path = f"/delegations/{made['id']}/end"
        ended = await office.post(path, {"ended_by": OFFICIAL, "reason": "Trở lại sớm"})
        assert (ended.status_code, ended.json()["ended_by"]) == (200, OFFICIAL)
        assert (await office.act("check", "complete", official=ANOTHER)).status_code == 409
        again = await office.post(path, {"ended_by": OFFICIAL, "reason": "Trở lại sớm"})
        assert (again.status_code, again.json()["code"]) == (409, "delegation_over")

    async def test_the_worklist_shows_whom_one_stands_in_for(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.act("check", "claim")
        await delegate(office)
        query = {"official": ANOTHER, "delegated": "true"}
        assert [one["step_key"] for one in (await office.get("/tasks", **query))["items"]] == ["check"]
        assert (await office.get("/tasks", official=ANOTHER))["items"] == []
        listed = await office.get("/delegations", official=ANOTHER, at=clock.now().isoformat())
        assert [one["delegator"] for one in listed["items"]] == [OFFICIAL]

    @pytest.mark.parametrize(
        "changes",
        [
            {"official": None},
            {"unit": "unit-check"},
            {"official": OFFICIAL},
            {"ends_at": (clock.now() - timedelta(days=1)).isoformat()},
            {"agency_code": "H32.15"},
        ],
        ids=["to nobody", "to two", "to oneself", "in the past", "another agency's"],
    )
    async def test_malformed(self, office: Office, changes: dict[str, Any]) -> None:
        answer = await delegate(office, **changes)
        assert (answer.status_code, answer.json()["code"]) == (422, "delegation_invalid")
        assert answer.json()["errors"]


class TestWithRoster:
    """Where the roster is enforced, the right of who is away is what counts."""

    async def test_an_open_task_is_taken_in_anothers_place(self, office: Office) -> None:
        await give(office, official(), official(ANOTHER), held=[holds()])
        await office.start(LINEAR)
        assert (await office.act("check", "claim", official=ANOTHER)).status_code == 403
        await delegate(office)
        answer = await office.act("check", "claim", official=ANOTHER)
        assert (answer.status_code, answer.json()["acting_for"]) == (200, OFFICIAL)
        told = next(fact for fact in await office.told() if isinstance(fact, TaskClaimed))
        assert told.acting_for == OFFICIAL

    async def test_nobody_delegates_what_they_do_not_hold(self, office: Office) -> None:
        await give(office, official(), official(ANOTHER), held=[holds(unit="unit-decide")])
        await office.start(LINEAR)
        await delegate(office)
        answer = await office.act("check", "claim", official=ANOTHER)
        assert (answer.status_code, answer.json()["code"]) == (403, "official_not_entitled")

    async def test_a_unit_stands_in(self, office: Office) -> None:
        held = [holds(), holds(ANOTHER, "unit-decide", role="leader")]
        await give(office, official(), official(ANOTHER), held=held)
        await office.start(LINEAR)
        assert (await delegate(office, official=None, unit="unknown")).json()["code"] == "delegate_unknown"
        assert (await delegate(office, official=None, unit="unit-decide")).status_code == 201
        answer = await office.act("check", "complete", official=ANOTHER, code=CODE)
        assert (answer.status_code, answer.json()["acting_for"]) == (200, OFFICIAL)

    async def test_to_who_left_is_refused(self, office: Office) -> None:
        await give(office, official(), official(ANOTHER, active=False), held=[holds()])
        assert (await delegate(office)).json()["code"] == "official_not_entitled"
