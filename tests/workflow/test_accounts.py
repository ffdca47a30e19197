"""The roster: taken as a whole, twice is once, leavers stay known, rights follow units and dates."""

from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.workflow.errors import RosterRefused
from services.workflow.models import Account, Assignment, StaffedAgency
from services.workflow.operations.roster import (
    AssignmentGiven,
    OfficialGiven,
    Roster,
    RosterReport,
    UnitGiven,
    apply_roster,
)
from services.workflow.queries import accounts
from shared import clock
from shared.clock import VN
from tests.workflow.office import AGENCY, ANOTHER, CODE, OFFICIAL, Office
from tests.workflow.processes import LINEAR

TODAY = clock.now().astimezone(VN).date()
UNITS = [
    UnitGiven(agency=AGENCY, code="office", name="Văn phòng"),
    UnitGiven(agency=AGENCY, code="unit-check", name="Bộ phận một cửa", parent="office"),
    UnitGiven(agency=AGENCY, code="unit-decide", name="Phòng chuyên môn"),
]


def official(username: str = OFFICIAL, **more: Any) -> OfficialGiven:
    return OfficialGiven(username=username, agency=AGENCY, name=f"Ông {username}", **more)


def holds(username: str = OFFICIAL, unit: str = "unit-check", role: str = "specialist", **more: Any) -> AssignmentGiven:
    return AssignmentGiven(username=username, agency=AGENCY, unit=unit, role=role, **more)


async def give(
    office: Office,
    *officials: OfficialGiven,
    held: list[AssignmentGiven] | None = None,
    leavers_max: float = 1.0,
    **more: Any,
) -> RosterReport:
    async with office.database.session() as session:
        work = office.official_work(session)
        roster = Roster(units=UNITS, officials=list(officials), assignments=held or [])
        report = await apply_roster(work, roster, source="import", leavers_max=leavers_max, **more)
        await work.commit()
    return report


class TestRoster:
    """A roster is taken as a whole."""

    async def test_the_same_again_changes_nothing(self, office: Office) -> None:
        given = [official(), official(ANOTHER, email="b@example.org")]
        held = [holds(), holds(ANOTHER, "unit-decide", valid_from=date(2026, 1, 1))]
        first = await give(office, *given, held=held)
        assert (first.created, first.assignments_begun, first.units_changed) == (2, 2, 3)
        assert set(asdict(await give(office, *given, held=held)).values()) == {0}

    async def test_leavers_are_deactivated_and_stay_known(self, office: Office) -> None:
        await give(office, official(), official(ANOTHER), held=[holds(ANOTHER)])
        assert (await give(office, official())).deactivated == 1
        shown = await office.get(f"/officials/{ANOTHER}")
        assert (shown["active"], shown["deactivated_at"] is not None, len(shown["assignments"])) == (False, True, 1)
        assert [one["username"] for one in (await office.get("/officials"))["items"]] == [OFFICIAL]
        assert (await give(office, official(), official(ANOTHER))).changed == 1
        assert (await office.get(f"/officials/{ANOTHER}"))["deactivated_at"] is None

    async def test_an_exodus_is_refused_as_a_whole(self, office: Office) -> None:
        everybody = [official(f"official-{number}") for number in range(12)]
        await give(office, *everybody)
        with pytest.raises(RosterRefused, match="9 of 12"):
            await give(office, *everybody[:3], leavers_max=0.2)
        assert all(account.active for account in await office.rows(Account))

    async def test_an_assignment_that_is_gone_ended_yesterday(self, office: Office) -> None:
        begun = TODAY - timedelta(days=30)
        await give(office, official(), held=[holds(valid_from=begun), holds(unit="unit-decide")])
        report = await give(office, official())
        assert report.assignments_ended == 2
        kept = await office.rows(Assignment)
        assert [(one.unit_code, one.valid_from, one.valid_to) for one in kept] == [
            ("unit-check", begun, TODAY - timedelta(days=1))
        ]

    async def test_of_other_agencies_nothing_is_touched(self, office: Office) -> None:
        elsewhere = replace(official("elsewhere"), agency="H32.15")
        await give(office, official(), elsewhere)
        assert (await give(office, official())).deactivated == 0
        assert (await office.client.get("/officials/elsewhere", headers=office.headers())).status_code == 404

    async def test_enforcement_stays_as_it_was_set(self, office: Office) -> None:
        await give(office, official(), enforced=False)
        await give(office, official())
        assert [one.enforced for one in await office.rows(StaffedAgency)] == [False]


class TestRights:
    """Where the roster is enforced, who works on a task must hold its role in its unit on that day."""

    @pytest.mark.parametrize(
        ("held", "status"),
        [
            (holds(), 200),
            (holds(unit="office"), 200),
            (holds(unit="unit-decide"), 403),
            (holds(role="leader"), 403),
            (holds(valid_from=TODAY + timedelta(days=1)), 403),
            (holds(valid_from=date(2025, 1, 1), valid_to=TODAY - timedelta(days=1)), 403),
            (holds(valid_from=date(2025, 1, 1), valid_to=TODAY), 200),
        ],
        ids=["own unit", "unit above", "other unit", "other role", "not yet", "no longer", "last day"],
    )
    async def test_to_claim(self, office: Office, held: AssignmentGiven, status: int) -> None:
        await give(office, official(), held=[held])
        await office.start(LINEAR)
        answer = await office.act("check", "claim")
        assert answer.status_code == status, answer.text
        if status == 403:
            assert answer.json()["code"] == "official_not_entitled"
            assert (await office.statuses())["check"] == "open"

    async def test_a_unit_below_gives_nothing_above(self, office: Office) -> None:
        await give(office, official(), held=[holds()])
        units = [replace(UNITS[0], parent="unit-check"), replace(UNITS[1], parent=None), UNITS[2]]
        async with office.database.session() as session:
            work = office.official_work(session)
            roster = Roster(units=units, officials=[official()], assignments=[holds(unit="office")])
            await apply_roster(work, roster, source="import", leavers_max=1.0)
            await work.commit()
        await office.start(LINEAR)
        assert (await office.act("check", "claim")).status_code == 403

    async def test_who_left_or_is_unknown_does_nothing(self, office: Office) -> None:
        await give(office, official(active=False), held=[holds()])
        await office.start(LINEAR)
        for name in (OFFICIAL, "nobody"):
            for action in ("claim", "complete"):
                answer = await office.act("check", action, official=name)
                assert (answer.status_code, answer.json()["code"]) == (403, "official_not_entitled")

    async def test_nobody_is_given_a_task_they_may_not_do(self, office: Office) -> None:
        await give(office, official(), official(ANOTHER), held=[holds(), holds(ANOTHER, "unit-decide")])
        await office.start(LINEAR)
        await office.act("check", "claim")
        answer = await office.act("check", "reassign", official=ANOTHER, reason="Nghỉ phép")
        assert answer.json()["code"] == "official_not_entitled"
        assert (await office.tasks())["check"].official == OFFICIAL

    async def test_without_accounts_or_enforcement_anybody_works(self, office: Office) -> None:
        await give(office, official(), enforced=False)
        await office.start(LINEAR)
        await office.complete("check")
        accounts.forget_enforced()
        assert await office.statuses(CODE) == {"check": "done", "decide": "open", "sign": "waiting"}
