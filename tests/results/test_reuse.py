"""Results that stand for papers: claims, consent, statistics, the access log."""

import json
from typing import Any
from uuid import UUID

import pytest

from deploy.docs.bus import example
from services.results.operations import CONFIRMED
from services.results.storage import retention
from shared import clock
from shared.events.intake import DossierRetracted, DossierSubmitted
from shared.ids import new_id
from tests.results.desk import CODE, OWNER, PDF, Desk, accepted
from tests.results.test_routes import problem

NEW = "H32.20-260408-0001"
REUSER = ("results:reuse",)
SEARCH: dict[str, Any] = {
    "owner_id_number": OWNER.id_number,
    "kind_codes": ["KQ.01"],
    "consent": {"by": OWNER.name, "at": "2026-04-07T09:00:00+07:00", "text": "Tôi đồng ý."},
    "purpose": "Cấp giấy phép xây dựng",
    "dossier_code": NEW,
}


def submitted(claimed: str | UUID, **changes: Any) -> DossierSubmitted:
    """Return the submission of another dossier of the same owner, with a result in place of its only paper."""
    data = example("intake.dossier.submitted.v1")
    paper = data["documents"][0] | {"id": str(new_id()), "digitised": False, "sha256": None}
    claim = data["reuse"][0] | {
        "document_id": paper["id"],
        "result_id": str(claimed),
        "owner": OWNER.model_dump(mode="json"),
        "consent_at": "2026-04-07T09:00:00+07:00",
    }
    more = {"documents": [paper], "reuse": [claim | changes], "agency_code": "H32.20"}
    return DossierSubmitted.model_validate(data | more)


async def answers(desk: Desk) -> list[tuple[str, str | None]]:
    """Return what was answered to claims: event and reason."""
    told = [event for event in await desk.outbox() if event["type"].startswith("results.reuse")]
    return [(event["type"].split(".")[2], json.loads(event["body"]).get("reason")) for event in told]


class TestClaims:
    """A claim that a result stands for a paper."""

    async def test_is_confirmed_logged_and_counted(self, desk: Desk) -> None:
        await desk.hear(accepted())
        result_id = await desk.issued()
        (event,) = await desk.hear(submitted(result_id), code=NEW)
        assert await answers(desk) == [("confirmed", None)]
        last = (await desk.outbox())[-1]
        assert (last["subject"], last["causation_id"]) == (NEW, event.id)
        (read,) = await desk.rows("SELECT via, dossier_code, purpose FROM document_access")
        assert (read["via"], read["dossier_code"]) == ("reuse", NEW)
        assert [row["verdict"] for row in await desk.rows("SELECT verdict FROM reuse")] == [CONFIRMED]
        assert [row["reused"] for row in await desk.rows("SELECT reused FROM dossier_papers")] == [1]

    async def test_of_a_dossier_entered_by_mistake_counts_nowhere(self, desk: Desk) -> None:
        await desk.hear(accepted())
        await desk.hear(submitted(await desk.issued()), code=NEW)
        await desk.hear(
            DossierRetracted(reason="Nhập trùng", retracted_at=clock.now(), retracted_by="can.bo"), code=NEW
        )
        assert await desk.rows("SELECT * FROM dossier_papers") == []

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"owner": {"kind": "citizen", "name": "Khác", "id_number": "056090000009"}}, "owner_differs"),
            ({"owner": {"kind": "citizen", "name": "Không số"}}, "owner_unknown"),
            ({"consent_text": " "}, "consent_missing"),
            ({"consent_at": "2999-01-01T00:00:00Z"}, "consent_missing"),
            ({"result_id": str(new_id())}, "result_not_found"),
        ],
    )
    async def test_is_refused_with_the_reason(self, desk: Desk, changes: dict[str, Any], reason: str) -> None:
        await desk.hear(accepted())
        await desk.hear(submitted(await desk.issued(), **changes), code=NEW)
        assert await answers(desk) == [("refused", reason)]
        assert not await desk.rows("SELECT id FROM document_access")

    @pytest.mark.parametrize(("action", "reason"), [("revoke", "result_not_valid"), ("expire", "result_expired")])
    async def test_is_refused_when_the_result_has_ended(self, desk: Desk, action: str, reason: str) -> None:
        await desk.hear(accepted())
        result_id = await desk.issued()
        if action == "revoke":
            await desk.post(result_id, "revoke", {"reason": "thu hồi"})
        else:
            await desk.rows("UPDATE result SET valid_until = '2020-01-01' RETURNING id")
        await desk.hear(submitted(result_id), code=NEW)
        assert await answers(desk) == [("refused", reason)]
        assert (await desk.client.get(f"/verify/{result_id}")).json()["status"] == {
            "revoke": "revoked",
            "expire": "expired",
        }[action]

    async def test_of_a_draft_finds_nothing(self, desk: Desk) -> None:
        await desk.hear(accepted())
        await desk.hear(submitted(await desk.drafted()), code=NEW)
        assert await answers(desk) == [("refused", "result_not_found")]


class TestSearch:
    """Finding an owner's results with consent."""

    async def search(self, desk: Desk, **changes: Any) -> Any:
        headers = desk.headers(agency="H32.20", scopes=REUSER)
        return await desk.client.post("/reuse/searches", json=SEARCH | changes, headers=headers)

    async def test_finds_another_agencys_result_and_lets_it_be_read_for_the_purpose(self, desk: Desk) -> None:
        await desk.hear(accepted())
        result_id = await desk.issued()
        found = (await self.search(desk)).json()
        assert [one["id"] for one in found["items"]] == [result_id]
        path = f"/reuse/searches/{found['id']}/documents/{result_id}"
        answer = await desk.get(path, agency="H32.20", scopes=REUSER)
        assert (answer.status_code, answer.content) == (200, PDF)
        log = (await desk.get(f"/results/accesses?result_id={result_id}")).json()["items"]
        assert [(one["via"], one["purpose"], one["dossier_code"], one["consent_id"]) for one in log] == [
            ("consent", SEARCH["purpose"], NEW, found["id"])
        ]
        assert (await desk.get("/results/accesses", agency="H32.20")).json()["items"] == []

    async def test_finds_neither_other_owners_nor_other_kinds_nor_what_has_ended(self, desk: Desk) -> None:
        await desk.hear(accepted())
        await desk.issued(query={"kind_code": "KQ.02"})
        await desk.post(await desk.issued(), "revoke", {"reason": "x"})
        await desk.drafted()
        assert (await self.search(desk)).json()["items"] == []
        assert (await self.search(desk, owner_id_number="056090000009", kind_codes=[])).json()["items"] == []

    async def test_gives_nothing_without_right_or_consent(self, desk: Desk) -> None:
        await desk.hear(accepted())
        result_id = await desk.issued()
        refused = await desk.client.post("/reuse/searches", json=SEARCH, headers=desk.headers())
        assert problem(refused) == (403, "forbidden")
        path = f"/reuse/searches/{new_id()}/documents/{result_id}"
        assert problem(await desk.get(path, scopes=REUSER)) == (404, "consent_not_found")
        found = (await self.search(desk)).json()
        await desk.rows("UPDATE consent SET valid_until = now() - interval '1 second' RETURNING id")
        path = f"/reuse/searches/{found['id']}/documents/{result_id}"
        assert problem(await desk.get(path, agency="H32.20", scopes=REUSER)) == (404, "consent_not_found")
        assert problem(await self.search(desk, consent={"by": "x"})) == (422, "invalid_request")


class TestStatistics:
    """The share that a province publishes."""

    async def test_is_made_of_facts_with_its_definition(self, desk: Desk) -> None:
        """Two dossiers of one day, one with a result in place of its paper and a result of its own."""
        await desk.hear(accepted())
        result_id = await desk.issued()
        await desk.hear(submitted(result_id), accepted(agency="H32.20"), code=NEW)
        await desk.issue(await desk.drafted(code=NEW, agency="H32.20"), agency="H32.20")
        await desk.hear(submitted(new_id()), code="H32.20-260408-0002")
        found = (await desk.get("/statistics/reuse?since=2026-04-07&until=2026-04-07", agency="H32")).json()
        shares = {one["name"]: (one["numerator"], one["denominator"], one["percent"]) for one in found["ratios"]}
        assert shares == {"reused_of_fully_digitised": (1, 1, 100.0), "reused_of_submitted": (1, 2, 50.0)}
        empty = (await desk.get("/statistics/reuse?since=2026-04-08&until=2026-04-09", agency="H32")).json()
        assert {(one["denominator"], one["percent"]) for one in empty["ratios"]} == {(0, None)}
        elsewhere = "/statistics/reuse?since=2026-04-07&until=2026-04-07&agency_code=H32.20"
        assert (await desk.get(elsewhere, agency="H32.14")).json()["ratios"][1]["denominator"] == 0


async def test_the_access_log_forgets_after_its_time(desk: Desk) -> None:
    await desk.hear(accepted())
    result_id = await desk.issued()
    await desk.get(f"/results/{result_id}/document", purpose="check")
    assert await retention.forget(desk.database, clock.now().replace(year=2020)) == 0
    assert await retention.forget(desk.database, clock.now()) == 1
    assert CODE not in str(await desk.rows("SELECT * FROM document_access"))
