"""Rounds tell of nearing and missed dates: once each, and one bad case never stops the others."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import text

from services.workflow.models import Notice
from services.workflow.operations.escalations import Round, escalate
from services.workflow.operations.rules import Rules
from shared import clock
from shared.worktime import load_calendar
from tests.workflow.office import CODE, OFFICIAL, Office
from tests.workflow.processes import BRANCHES, LINEAR

LONG_AGO = clock.now() - timedelta(days=60)


async def go_round(office: Office, now: datetime | None = None, *, batch: int = 200) -> Round:
    return await escalate(office.database, office.app.state.rules, now=now or clock.now(), batch=batch)


async def levels(office: Office, code: str = CODE) -> list[tuple[str, str]]:
    told = [one for one in await office.rows(Notice) if one.dossier_code == code]
    return [("task" if one.task_id else "case", one.level_key) for one in sorted(told, key=lambda one: one.id)]


class TestLevels:
    """Each level is told of when it is reached, to whom it is meant for."""

    async def test_in_turn_as_time_goes_by(self, office: Office) -> None:
        await office.start(LINEAR, at=clock.now())
        task, calendar = (await office.tasks())["check"], load_calendar()
        assert task.due_at is not None
        await office.act("check", "claim")
        moments = [
            clock.now() - timedelta(days=5),
            task.due_at - timedelta(seconds=1),
            task.due_at + timedelta(seconds=1),
            calendar.add(task.due_at, 481),
        ]
        expected = [[], ["nearing"], ["nearing", "overdue"], ["nearing", "overdue", "overdue_a_day"]]
        for moment, keys in zip(moments, expected, strict=True):
            await go_round(office, moment)
            await go_round(office, moment)
            assert [key for of, key in await levels(office) if of == "task"] == keys
        notices = (await office.get("/notices", official=OFFICIAL, addressee="official"))["items"]
        assert [one["level"] for one in notices] == ["nearing"]

    async def test_found_late_only_the_highest_is_told(self, office: Office) -> None:
        await office.start(LINEAR, at=LONG_AGO)
        assert sorted(await levels(office)) == []
        await go_round(office)
        assert sorted(await levels(office)) == [("case", "overdue"), ("task", "overdue_a_day")]
        told = await office.told_names()
        assert (told.count("task.escalated"), told.count("case.escalated")) == (1, 1)

    async def test_standing_still_nothing_nears(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.pause("stop")
        await go_round(office, clock.now() + timedelta(days=40))
        assert await levels(office) == []

    async def test_a_step_that_opens_again_is_told_of_again(self, office: Office) -> None:
        await office.start(LINEAR, at=LONG_AGO)
        await office.complete("check")
        await go_round(office, clock.now() + timedelta(days=20))
        await office.act("decide", "return", reason="Thiếu giấy tờ")
        await go_round(office, clock.now() + timedelta(days=20))
        assert (await levels(office)).count(("task", "overdue_a_day")) == 2

    async def test_what_ended_is_left_alone(self, office: Office) -> None:
        await office.start(BRANCHES, at=LONG_AGO)
        await office.complete("left", "right")
        done = await go_round(office)
        assert sum(done.told.values()) == 0


class TestRounds:
    """A round goes through everything, whatever happens to one case."""

    async def test_one_bad_case_stops_no_other(self, office: Office) -> None:
        codes = [f"H32.14-261123-{number:04d}" for number in range(1, 8)]
        for code in codes:
            await office.start(LINEAR, code=code, at=LONG_AGO)
        # Numbers for its events cannot be given: whoever tells something about this case fails.
        bad = "ALTER TABLE subject_sequence ADD CONSTRAINT bad CHECK (subject <> :code OR last < 6) NOT VALID"
        async with office.database.session() as session:
            await session.execute(text(bad.replace(":code", f"'{codes[2]}'")))
            await session.commit()
        try:
            done = await go_round(office, batch=3)
            assert set(done.failed) == {codes[2]}
            assert {code for code in codes if await levels(office, code)} == set(codes) - {codes[2]}
        finally:
            async with office.database.session() as session:
                await session.execute(text("ALTER TABLE subject_sequence DROP CONSTRAINT bad"))
                await session.commit()
        assert (await go_round(office)).failed == []
        assert sorted(await levels(office, codes[2])) == [("case", "overdue"), ("task", "overdue_a_day")]

    async def test_two_rounds_at_once_tell_once(self, office: Office) -> None:
        for number in range(1, 6):
            await office.start(LINEAR, code=f"H32.14-261123-{number:04d}", at=LONG_AGO)
        await asyncio.gather(*(go_round(office, batch=2) for _ in range(3)))
        await go_round(office)
        found = Counter((one.target, one.level) for one in await office.rows(Notice))
        assert set(found.values()) == {1}
        assert len(found) == 10

    async def test_pages_through_more_than_a_batch(self, office: Office) -> None:
        for number in range(1, 6):
            await office.start(LINEAR, code=f"H32.14-261123-{number:04d}", at=LONG_AGO)
        done = await go_round(office, batch=2)
        assert (done.told["task.overdue_a_day"], done.told["case.overdue"]) == (5, 5)

    async def test_without_levels_nothing_is_told(self, office: Office) -> None:
        await office.start(LINEAR, at=LONG_AGO)
        done = await escalate(office.database, Rules(extensions=(), escalations=()), now=clock.now())
        assert done.told == {"consultation.late": 0}
