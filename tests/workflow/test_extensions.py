"""A later date with an apology: as often and as early as the rule in force says, in the ledger and on form 04."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from services.workflow.operations.extensions import extend_case
from services.workflow.operations.rules import ExtensionRule, load_rules
from shared import clock
from shared.clock import VN
from shared.errors import DomainError
from shared.events.values import Duration, DurationUnit
from shared.events.workflow import CaseDueDateChanged
from shared.worktime import load_calendar
from tests.workflow.office import CODE, OFFICIAL, Office
from tests.workflow.processes import LINEAR

TEN_DAYS = Duration(amount=10, unit=DurationUnit.WORKING_DAY)
RULE = ExtensionRule.model_validate(
    {"from": "2025-07-01", "to": None, "times_max": 1, "notice_days": 1, "form": "04", "legal_basis": "NĐ 118/2025"}
)


def later(moment: datetime, *, minutes: int = 960) -> datetime:
    return load_calendar().add(moment, minutes)


async def extend(office: Office, **changes: Any) -> httpx.Response:
    case = await office.case()
    assert case is not None
    assert case.due_at is not None
    body = {"due_at": later(case.due_at).isoformat(), "reason": "Chờ thẩm định thực địa", "official": OFFICIAL}
    return await office.post(f"/cases/{CODE}/extend", body | changes)


class TestExtend:
    """The date moves, the ledger explains it, the letter is kept."""

    async def test_moves_the_date_and_tells(self, office: Office) -> None:
        await office.start(LINEAR, term=TEN_DAYS)
        before = await office.case()
        answer = await extend(office)
        assert answer.status_code == 200, answer.text
        told = (await office.told())[-1]
        assert isinstance(told, CaseDueDateChanged)
        assert before is not None
        assert (told.previous_due_at, told.because, told.changed_by) == (before.due_at, "extension", OFFICIAL)
        assert told.due_at == datetime.fromisoformat(answer.json()["due_at"])
        await office.assert_ledger_holds()
        shown = await office.get(f"/cases/{CODE}")
        assert "gia hạn" in shown["why_due"][-1]["text_vi"]

    async def test_a_pause_after_it_counts_from_the_new_date(self, office: Office) -> None:
        await office.start(LINEAR, term=TEN_DAYS)
        await extend(office)
        await office.pause("stop")
        await office.pause("resume")
        await office.assert_ledger_holds()

    async def test_only_once(self, office: Office) -> None:
        await office.start(LINEAR, term=TEN_DAYS)
        assert (await extend(office)).status_code == 200
        again = await extend(office)
        assert (again.status_code, again.json()["code"]) == (409, "extensions_used_up")
        assert again.json()["times_max"] == 1

    async def test_the_same_call_again_is_one(self, office: Office) -> None:
        await office.start(LINEAR, term=TEN_DAYS)
        case = await office.case()
        assert case is not None
        assert case.due_at is not None
        body = {"due_at": later(case.due_at).isoformat(), "reason": "Chờ thẩm định", "official": OFFICIAL}
        answers = [await office.post(f"/cases/{CODE}/extend", body, key="once") for _ in range(2)]
        assert answers[0].json() == answers[1].json()
        assert (await office.told_names()).count("case.due_date_changed") == 1

    @pytest.mark.parametrize(
        ("lead_days", "code"), [(2, None), (1, None), (0, "extension_too_late"), (-3, "extension_too_late")]
    )
    async def test_at_least_a_day_before(self, office: Office, lead_days: int, code: str | None) -> None:
        await office.start(LINEAR, term=TEN_DAYS)
        case = await office.case()
        assert case is not None
        assert case.due_at is not None
        due_day = case.due_at.astimezone(VN)
        now = due_day.replace(hour=23, minute=59) - timedelta(days=lead_days)
        async with office.database.session() as session:
            work = office.official_work(session, now)
            extending = extend_case(
                work, dossier_code=CODE, due_at=later(case.due_at), reason="Chờ", official=OFFICIAL, rule=RULE
            )
            if code is None:
                await extending
                return
            with pytest.raises(DomainError) as refused:
                await extending
            assert refused.value.code == code
            assert work.telling.events == []

    async def test_not_while_it_stands_still_nor_after_its_end(self, office: Office) -> None:
        await office.start(LINEAR, term=TEN_DAYS)
        await office.pause("stop")
        assert (await extend(office)).json()["code"] == "case_paused"
        await office.pause("resume")
        await office.complete("check", "decide", "sign")
        assert (await extend(office)).json()["code"] == "illegal_move"

    async def test_without_a_term_there_is_nothing_to_extend(self, office: Office) -> None:
        await office.start(LINEAR, term=None)
        answer = await office.post(
            f"/cases/{CODE}/extend", {"due_at": "2099-01-01T00:00:00Z", "reason": "Chờ", "official": OFFICIAL}
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "no_due_date")

    async def test_to_a_later_working_day_only(self, office: Office) -> None:
        await office.start(LINEAR, term=TEN_DAYS)
        case = await office.case()
        assert case is not None
        assert case.due_at is not None
        sunday = case.due_at + timedelta(days=(6 - case.due_at.astimezone(VN).weekday()) % 7 or 7)
        for wanted in (case.due_at, case.due_at - timedelta(days=1), sunday):
            answer = await extend(office, due_at=wanted.isoformat())
            assert (answer.status_code, answer.json()["code"]) == (422, "extension_invalid")


class TestRules:
    """Rules are data with dates."""

    def test_the_rule_of_the_day_counts(self) -> None:
        rules = load_rules(None)
        for day, basis in ((date(2024, 3, 1), "61/2018"), (date(2025, 6, 30), "61/2018"), (date(2025, 7, 1), "118")):
            rule = rules.extension(datetime(day.year, day.month, day.day, 12, tzinfo=VN))
            assert rule is not None
            assert basis in rule.legal_basis
        assert rules.extension(datetime(2010, 1, 1, tzinfo=VN)) is None

    @pytest.mark.parametrize("broken", ["overlap", "order", "unknown"])
    def test_a_document_that_contradicts_itself_is_refused(self, tmp_path: Path, broken: str) -> None:
        document = json.loads(load_rules(None).model_dump_json(by_alias=True))
        if broken == "overlap":
            document["extensions"][0]["to"] = "2025-08-01"
        elif broken == "order":
            document["escalations"].reverse()
        else:
            document["more"] = 1
        path = tmp_path / "rules.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(ValidationError):
            load_rules(path)


async def test_no_rule_in_force_allows_none(office: Office) -> None:
    await office.start(LINEAR, term=TEN_DAYS)
    async with office.database.session() as session:
        work = office.official_work(session)
        with pytest.raises(DomainError, match="allows 0"):
            await extend_case(work, dossier_code=CODE, due_at=clock.now(), reason="Chờ", official=OFFICIAL, rule=None)
