"""Earlier results in place of papers: claimed with consent, answered by results, waited for by the acceptance."""

from dataclasses import replace
from typing import Any

import pytest

from services.intake.models import ComponentEntry, Condition
from shared import clock
from shared.events.intake import DossierSubmitted, DossierSupplemented
from shared.events.results import ReuseConfirmed, ReuseRefused
from shared.events.values import Channel, PartyKind
from shared.ids import new_id
from tests.intake.counter import CCCD, DOSSIER, OFFICIAL, Counter, dossier

RESULT = "01979c7e-0000-7000-8000-000000000001"


def claim(component: str = "TP02", **changes: Any) -> dict[str, Any]:
    """Return a paper that an earlier result is to stand for."""
    consent = {"by": "Nguyễn Thị An", "at": clock.now().isoformat(), "text": "Tôi đồng ý cho đọc kết quả cũ"}
    reuse = {"result_id": RESULT, "consent": consent, "purpose": "Đăng ký khai tử"}
    return {"component_code": component, "reuse": reuse} | changes


def confirmed(document_id: Any, component: str = "TP02") -> ReuseConfirmed:
    """Return what results says when a claim is right."""
    return ReuseConfirmed.model_validate(
        {
            "document_id": document_id,
            "component_code": component,
            "result_id": RESULT,
            "number": "12/GP-UBND",
            "kind_code": "KQ.G15.000034",
            "sha256": "c" * 64,
            "confirmed_at": clock.now(),
        }
    )


def refused(document_id: Any, component: str = "TP02") -> ReuseRefused:
    """Return what results says when a claim is wrong."""
    return ReuseRefused.model_validate(
        {
            "document_id": document_id,
            "component_code": component,
            "result_id": RESULT,
            "reason": "not_the_owners",
            "refused_at": clock.now(),
        }
    )


async def claimed(counter: Counter) -> tuple[str, DossierSubmitted]:
    """Return a dossier with a claim, and what was told about it."""
    code = await counter.submitted(documents=[DOSSIER["documents"][0], claim()])
    (told,) = await counter.told(code)
    assert isinstance(told, DossierSubmitted)
    return code, told


class TestReuse:
    """An earlier result in place of a paper."""

    async def test_is_told_with_owner_consent_and_purpose(self, counter: Counter) -> None:
        _, told = await claimed(counter)
        (asked,) = told.reuse
        assert (str(asked.result_id), asked.purpose, asked.consent_by) == (RESULT, "Đăng ký khai tử", "Nguyễn Thị An")
        assert asked.owner.id_number == CCCD
        assert asked.document_id == told.documents[1].id

    async def test_is_waited_for_and_the_acceptance_follows_it(self, counter: Counter) -> None:
        code, told = await claimed(counter)
        answer = await counter.do(code, "accept")
        assert (answer.status_code, answer.json()["code"]) == (409, "reuse_open")
        assert answer.json()["components"] == [{"component_code": "TP02", "answer": "waiting"}]
        (heard,) = await counter.hear(confirmed(told.reuse[0].document_id), code=code)
        await counter.done(code, "accept")
        document = (await counter.view(code))["documents"][1]
        assert (document["reused_result"], document["reuse_answer"]) == ("12/GP-UBND", "confirmed")
        rows = await counter.rows("SELECT causation_id FROM outbox WHERE type LIKE '%accepted%'")
        assert [row["causation_id"] for row in rows] == [heard.id]

    async def test_that_is_refused_needs_the_paper_after_all(self, counter: Counter) -> None:
        code, told = await claimed(counter)
        await counter.hear(refused(told.reuse[0].document_id), code=code)
        answer = await counter.do(code, "accept")
        assert (answer.status_code, answer.json()["components"][0]["answer"]) == (409, "refused")
        assert (await counter.view(code))["documents"][1]["reuse_refusal"] == "not_the_owners"
        await counter.done(code, "request-supplement", "supplement", "accept")

    async def test_may_come_with_a_supplement(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "request-supplement")
        answer = await counter.do(code, "supplement", {"documents": [claim("other")]})
        assert answer.status_code == 200, answer.text
        told = (await counter.told(code))[-1]
        assert isinstance(told, DossierSupplemented)
        assert (await counter.do(code, "accept")).json()["code"] == "reuse_open"
        await counter.hear(confirmed(told.reuse[0].document_id, "other"), code=code)
        await counter.done(code, "accept")

    async def test_of_a_dossier_not_known_yet_waits(self, counter: Counter) -> None:
        await counter.hear(confirmed(new_id()), code="H32.14.21-261122-9999")
        assert "CauseMissing" in (await counter.rows("SELECT reason FROM waiting"))[0]["reason"]

    async def test_needs_its_consent(self, counter: Counter) -> None:
        lacking = claim()
        del lacking["reuse"]["consent"]
        assert (await counter.submit(dossier(documents=[DOSSIER["documents"][0], lacking]))).status_code == 422
        both = claim(paper=True)
        answer = await counter.submit(dossier(documents=[DOSSIER["documents"][0], both]))
        assert answer.json()["errors"][0]["field"] == "body.documents.1"


class TestSupplementOverdue:
    """A supplement that did not come in time."""

    async def test_is_listed_and_closed_by_an_official_with_a_reason(self, counter: Counter) -> None:
        waiting, late = await counter.submitted(), await counter.submitted()
        for code in (waiting, late):
            await counter.done(code, "request-supplement")
        assert (await counter.do(late, "close")).json()["code"] == "supplement_not_overdue"
        await counter.time_out(late)
        listed = (await counter.get("/dossiers", query={"supplement_overdue": True})).json()["items"]
        assert [(line["code"], "close" in line["actions"]) for line in listed] == [(late, True)]
        others = (await counter.get("/dossiers", query={"supplement_overdue": False})).json()["items"]
        assert [(line["code"], "close" in line["actions"]) for line in others] == [(waiting, False)]
        await counter.done(late, "close")
        view = await counter.view(late)
        assert (view["status"], view["rejection"]["rejected_by"]) == ("rejected", OFFICIAL)

    async def test_is_taken_all_the_same_while_nobody_closed_it(self, counter: Counter) -> None:
        code = await counter.submitted()
        await counter.done(code, "request-supplement")
        await counter.time_out(code)
        assert (await counter.view(code))["open_supplement"]["late"]
        await counter.done(code, "supplement")
        assert (await counter.view(code))["supplements"][0]["late"]


class TestCondition:
    """When a component is required."""

    @pytest.mark.parametrize(
        ("condition", "holds"),
        [
            ({}, True),
            ({"cases": ["TH01"]}, True),
            ({"cases": ["TH02"]}, False),
            ({"applicants": ["organisation"]}, False),
            ({"channels": ["online", "postal"]}, True),
            ({"represented": True}, True),
            ({"represented": False}, False),
            ({"answers": {"co_yeu_to_nuoc_ngoai": [True]}}, True),
            ({"answers": {"co_yeu_to_nuoc_ngoai": [False]}}, False),
            ({"cases": ["TH01"], "represented": False}, False),
        ],
    )
    def test_is_all_that_it_names(self, condition: dict[str, Any], *, holds: bool) -> None:
        found = Condition.model_validate(condition).holds(
            case="TH01",
            applicant=PartyKind.CITIZEN,
            channel=Channel.ONLINE,
            represented=True,
            answers={"co_yeu_to_nuoc_ngoai": True},
        )
        assert found is holds

    async def test_decides_what_a_dossier_may_not_lack(self, counter: Counter) -> None:
        catalogue = counter.app.state.catalogue
        entry = catalogue.version("1.000656", 1)
        proxy = ComponentEntry.model_validate(
            entry.components[2].model_dump() | {"required": True, "when": {"represented": True}}
        )
        changed = entry.model_copy(update={"components": (*entry.components[:2], proxy)})
        counter.app.state.catalogue = replace(catalogue, _entries={("1.000656", 1): changed})
        try:
            own = await counter.submit()
            proxied = await counter.submit(dossier(owner=DOSSIER["applicant"] | {"name": "Nguyễn Văn Bình"}))
        finally:
            counter.app.state.catalogue = catalogue
        assert (own.status_code, proxied.status_code) == (201, 422)
        assert "TP03" in proxied.json()["errors"][0]["message"]
