"""Warnings: paperless days, who is asked to submit online, what could be wholly online, an owner's open dossiers."""

from datetime import date
from typing import Any

import pytest

from services.intake.models import RuleEntry
from services.intake.routes.rules import KEEP
from shared.events.values import Channel, PartyKind
from tests.intake.counter import AGENCY, Counter, dossier
from tests.support.assertions import eventually

RULE: dict[str, Any] = {
    "kind": "paperless_day",
    "agency": "H32",
    "procedures": ["1.000656"],
    "message": "This is a day without paper.",
    "message_vi": "Hôm nay là ngày không nộp hồ sơ giấy.",
    "legal_basis": "Công văn 3370/UBND-HCC",
    "valid_from": "2026-01-01",
}
KEEPER = ("catalogue:write",)
THURSDAY = date(2026, 4, 9)


async def set_rule(counter: Counter, **changes: Any) -> dict[str, Any]:
    """Return a new rule, in force in the running process."""
    answer = await counter.post("/submission-rules", RULE | changes, scopes=KEEPER)
    assert answer.status_code == 201, answer.text
    await eventually(lambda: _known(counter, answer.json()["rule"]))
    return answer.json()


async def _known(counter: Counter, rule: dict[str, Any]) -> bool:
    return RuleEntry.model_validate(rule) in counter.app.state.rules


def warned(answer: Any) -> list[str]:
    """Return the codes of an answer's warnings."""
    assert answer.status_code == 201, answer.text
    return [warning["code"] for warning in answer.json()["warnings"]]


class TestRule:
    """A rule of submission."""

    async def test_warns_and_refuses_nobody(self, counter: Counter) -> None:
        await set_rule(counter)
        answer = await counter.submit()
        assert "paperless_day" in warned(answer)
        warning = answer.json()["warnings"][0]
        assert (warning["message_vi"], warning["legal_basis"]) == (RULE["message_vi"], RULE["legal_basis"])
        assert "paperless_day" not in warned(await counter.submit(dossier(channel="online")))

    async def test_is_changed_and_ended_by_its_keepers(self, counter: Counter) -> None:
        rule = await set_rule(counter)
        ended = RULE | {"valid_to": "2026-02-01"}
        headers = counter.headers(scopes=KEEPER)
        path = f"/submission-rules/{rule['id']}"
        answers = [
            await counter.client.put(path, json=ended, headers=headers | {"Idempotency-Key": key, "If-Match": '"1"'})
            for key in ("first", "second")
        ]
        assert [answer.status_code for answer in answers] == [200, 412]
        listed = (await counter.client.get("/submission-rules")).json()["items"]
        assert [(one["revision"], one["rule"]["valid_to"]) for one in listed] == [(2, "2026-02-01")]
        over = (await counter.client.get("/submission-rules", params={"on": "2026-03-01"})).json()["items"]
        assert over == []

    async def test_is_set_for_agencies_of_ones_own(self, counter: Counter) -> None:
        assert (await counter.post("/submission-rules", RULE)).status_code == 403
        answer = await counter.post("/submission-rules", RULE, scopes=[KEEP], agency="H32.14")
        assert (answer.status_code, answer.json()["code"]) == (404, "rule_not_found")
        wrong = await counter.post("/submission-rules", RULE | {"valid_to": "2025-01-01"}, scopes=KEEPER)
        assert wrong.status_code == 422

    @pytest.mark.parametrize(
        ("changes", "holds"),
        [
            ({}, True),
            ({"weekdays": ["thursday"]}, True),
            ({"weekdays": ["monday", "friday"]}, False),
            ({"applicants": ["state_agency"]}, False),
            ({"procedures": []}, True),
            ({"procedures": [], "excepted": ["1.000656"]}, False),
            ({"agency": "H32.14"}, True),
            ({"agency": "H32.05"}, False),
            ({"channels": ["postal"]}, False),
            ({"valid_to": "2026-04-09"}, True),
            ({"valid_to": "2026-04-08"}, False),
            ({"valid_from": "2026-04-10"}, False),
        ],
    )
    def test_holds_when_all_that_it_names_does(self, changes: dict[str, Any], *, holds: bool) -> None:
        rule = RuleEntry.model_validate(RULE | changes)
        assert holds is rule.holds(
            agency=AGENCY,
            procedure="1.000656",
            channel=Channel.DIRECT,
            applicant=PartyKind.CITIZEN,
            day=THURSDAY,
        )


class TestLevel:
    """Toàn trình or một phần."""

    async def test_a_dossier_is_wholly_online_when_every_step_is(self, counter: Counter) -> None:
        files = [{"component_code": code, "sha256": "a" * 64} for code in ("TP01", "TP02")]
        answer = await counter.submit(dossier(channel="online", return_method="online", documents=files))
        assert (answer.json()["handled_as"], answer.json()["handled_because"]) == ("full_online", [])
        assert warned(answer) == []

    async def test_otherwise_it_says_why_not(self, counter: Counter) -> None:
        answer = await counter.submit()
        assert answer.json()["handled_as"] == "partial"
        reasons = [reason["code"] for reason in answer.json()["handled_because"]]
        assert reasons == ["handed_in_offline", "paper_handed_in", "result_at_counter"]
        assert warned(answer) == ["could_be_wholly_online"]
        view = await counter.view(answer.json()["code"])
        assert [reason["code"] for reason in view["handled_because"]] == reasons


class TestDuplicate:
    """An owner's open dossier for the same procedure."""

    async def test_is_pointed_out_with_its_code(self, counter: Counter) -> None:
        first = await counter.submitted()
        answer = await counter.submit()
        assert (answer.json()["warnings"][-1]["code"], answer.json()["warnings"][-1]["dossier_code"]) == (
            "owner_has_open_dossier",
            first,
        )

    async def test_of_an_agency_that_is_not_yours_has_no_code(self, counter: Counter) -> None:
        await counter.submitted(agency_code="H32.14.22")
        answer = await counter.submit(agency="H32.14.21")
        assert answer.json()["warnings"][-1]["dossier_code"] is None

    @pytest.mark.parametrize("action", ["reject", "withdraw"])
    async def test_counts_only_while_it_is_open(self, counter: Counter, action: str) -> None:
        code = await counter.submitted()
        await counter.done(code, action)
        assert "owner_has_open_dossier" not in warned(await counter.submit())

    async def test_is_another_owners_or_another_procedures_no_matter(self, counter: Counter) -> None:
        await counter.submitted()
        other = {"id_number": "056190001235"}
        assert "owner_has_open_dossier" not in warned(await counter.submit(dossier(applicant=other)))
        assert "owner_has_open_dossier" not in warned(await counter.submit(dossier(procedure_code="1.002211")))
