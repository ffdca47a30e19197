"""The reconciliation over HTTP: runs, reports, differences, telling anew, and what the dossier's own trace says."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.gateway.auditor import Auditor
from tests.gateway.cashier import Cashier
from tests.gateway.hall import Hall
from tests.gateway.lives import CITIZEN, Life, rejected, returned
from tests.gateway.test_payer import code_of, take
from tests.gateway.visitor import Visitor
from tests.portal.process import PortalProcess
from tests.support.assertions import eventually

BASE = "/api/v1/ops/portal"
WHY = {"reason": "Cổng mất hồ sơ"}


@pytest.fixture
async def auditor(house: Hall, portal: PortalProcess) -> AsyncIterator[Auditor]:
    """Lend who reconciles, on the database of the gateway that runs."""
    async with httpx.AsyncClient(base_url=f"{portal.url}/_control", timeout=30) as control:
        (await control.post("/reset")).raise_for_status()
        yield Auditor(house, Cashier(house, portal.url, control))


async def tell(auditor: Auditor, *lives: Life) -> None:
    await take(auditor.hall, *lives)
    async with auditor.cashier.paying():
        await auditor.cashier.all_paid()


async def differ(auditor: Auditor, life: Life) -> int:
    """Let a difference stand that only a person may settle; return its number."""
    await tell(auditor, life)
    hoso = (await auditor.cashier.dossier(life.code))["hoso"]
    await auditor.tell_past_us(hoso | {"ChuHoSo": "Ai Đó Khác"})
    await auditor.reconcile()
    (found,) = await auditor.differences()
    return found["id"]


class TestRun:
    async def test_is_asked_for_once_while_it_waits(self, visitor: Visitor) -> None:
        first, second = [await visitor.post(f"{BASE}/reconciliations", who="ops") for _ in range(2)]
        assert (first.status_code, second.json()["id"]) == (202, first.json()["id"])
        assert first.json()["finished_at"] is None

    async def test_is_reported_with_ratios_and_counts(self, visitor: Visitor, auditor: Auditor) -> None:
        lives = [returned(Life(code=code_of(1))), rejected(Life(code=code_of(2)))]
        await tell(auditor, *lives)
        run = await auditor.reconcile()
        report = (await visitor.get(f"{BASE}/reconciliations/{run['id']}", who="ops")).json()
        assert (report["dossiers_in_step"]["numerator"], report["dossiers_in_step"]["denominator"]) == (2, 2)
        assert report["dossiers_in_step"]["share"] == 1.0
        assert report["dossiers_synced"]["definition"].startswith("Index 1.4")
        assert [(row["status"], row["ours"], row["theirs"]) for row in report["counts"]] == [(3, 1, 1), (10, 1, 1)]
        state = (await visitor.get(BASE, who="ops")).json()["reconciliation"]
        assert (state["last"]["id"], state["in_step_share"], state["differences"]) == (run["id"], 1.0, 0)

    async def test_gives_its_counts_to_a_spreadsheet(self, visitor: Visitor, auditor: Auditor) -> None:
        await tell(auditor, rejected(Life()))
        run = await auditor.reconcile()
        answer = await visitor.get(f"{BASE}/reconciliations/{run['id']}/counts", who="ops")
        lines = answer.content.decode("utf-8-sig").splitlines()
        assert lines[0] == "day,agency_code,status,ours,theirs"
        assert lines[1].endswith(",H32.14,3,1,1")
        assert (await visitor.get(f"{BASE}/reconciliations/999999/counts", who="ops")).status_code == 404

    @pytest.mark.parametrize("path", ["", "/reconciliations", "/differences", "/reconciliations/1"])
    async def test_is_for_ops_only(self, visitor: Visitor, path: str) -> None:
        assert (await visitor.get(BASE + path, who="statistics")).status_code == 403


class TestDifference:
    async def test_is_listed_without_anything_personal_and_in_the_dossiers_own_trace(
        self, visitor: Visitor, auditor: Auditor
    ) -> None:
        life = rejected(Life())
        number = await differ(auditor, life)
        listed = (await visitor.get(f"{BASE}/differences", who="ops", params={"standing": True})).json()
        assert [(one["id"], one["kind"], one["theirs"]["fields"]) for one in listed] == [
            (number, "content_differs", ["ChuHoSo"])
        ]
        trace = await visitor.get(f"/api/v1/ops/dossiers/{life.code}", who="ops")
        timeline = await visitor.get(f"/api/v1/dossiers/{life.code}/timeline", who="one-stop")
        for answer in (trace.json()["sync"], timeline.json()["sync"]):
            assert (answer["told_status"], answer["differences"][0]["state"]) == (3, "redriven")
            assert answer["compared_at"]
        assert CITIZEN.name not in trace.text
        assert "Ai Đó Khác" not in trace.text + timeline.text

    async def test_is_settled_by_a_person_who_tells_anew(self, visitor: Visitor, auditor: Auditor) -> None:
        """The automatic telling was in vain; the same key twice is one telling."""
        life = rejected(Life())
        number = await differ(auditor, life)
        async with auditor.cashier.paying():
            await auditor.cashier.all_paid()
        await auditor.tell_past_us((await auditor.cashier.dossier(life.code))["hoso"] | {"ChuHoSo": "Ai Nữa"})
        path = f"{BASE}/differences/{number}/redrive"
        first, again = [await visitor.post(path, who="ops", json=WHY, key="k-1") for _ in range(2)]
        assert (first.status_code, first.json()) == (200, again.json())
        assert (first.json()["redriven_by"], first.json()["redrives"]) == ("ops", 2)
        async with auditor.cashier.paying():
            await auditor.cashier.all_paid()
        await auditor.reconcile()
        assert [one["state"] for one in await auditor.differences()] == ["settled"]
        assert (await visitor.post(path, who="ops", json=WHY)).json()["code"] == "difference_closed"

    async def test_that_is_explained_does_not_come_back_until_it_changes(
        self, visitor: Visitor, auditor: Auditor
    ) -> None:
        life = Life()
        life.submit()
        life.start(life.accept())
        await tell(auditor, life)
        hoso = (await auditor.cashier.dossier(life.code))["hoso"]
        await auditor.tell_past_us(hoso | {"TrangThaiHoSo": "9"})
        await auditor.reconcile()
        (found,) = await auditor.differences()
        assert (found["kind"], found["state"]) == ("status_differs", "open")
        refused = await visitor.post(f"{BASE}/differences/{found['id']}/redrive", who="ops", json=WHY)
        assert refused.json()["code"] == "difference_needs_person"
        explained = await visitor.post(f"{BASE}/differences/{found['id']}/explain", who="ops", json=WHY)
        assert (explained.json()["state"], explained.json()["closed_by"]) == ("explained", "ops")
        await auditor.hall.rows("UPDATE portal_dossier SET compare_at = told_at")
        run = await auditor.reconcile()
        assert (run["compared"], run["differences"]) == (1, 0)
        await auditor.tell_past_us(hoso | {"TrangThaiHoSo": "10"})
        await auditor.hall.rows("UPDATE portal_dossier SET compare_at = told_at")
        assert (await auditor.reconcile())["differences"] == 1

    async def test_needs_a_reason_and_the_scope_to_act(self, visitor: Visitor, auditor: Auditor) -> None:
        number = await differ(auditor, rejected(Life()))
        path = f"{BASE}/differences/{number}/explain"
        assert (await visitor.post(path, who="ops", json={"reason": " "})).status_code == 422
        assert (await visitor.post(path, who="statistics", json=WHY)).status_code == 403
        assert (await visitor.post(f"{BASE}/differences/99999999/explain", who="ops", json=WHY)).status_code == 404


class TestRedriveDossier:
    async def test_tells_every_status_again_in_order(self, visitor: Visitor, auditor: Auditor) -> None:
        """To a portal that was emptied: its record afterwards is the one before."""
        life = returned(Life())
        await tell(auditor, life)
        before = await auditor.cashier.dossier(life.code)
        await auditor.lose(life.code)
        answer = await visitor.post(f"{BASE}/dossiers/{life.code}/redrive", who="ops", json=WHY)
        assert answer.json() == {"dossier_code": life.code, "messages": len(life.statuses)}
        async with auditor.cashier.paying():
            await auditor.cashier.all_paid()
        after = await auditor.cashier.dossier(life.code)
        assert (after["hoso"], len(after["tien_do"])) == (before["hoso"], len(life.statuses))
        assert await auditor.cashier.told() == {life.code: life.statuses}

    async def test_begun_too_early_can_be_begun_later(self, visitor: Visitor, auditor: Auditor) -> None:
        """The portal still held it and refused its first status; nothing stands still for ever."""
        life = returned(Life())
        await tell(auditor, life)
        await visitor.post(f"{BASE}/dossiers/{life.code}/redrive", who="ops", json=WHY)
        async with auditor.cashier.paying():
            await eventually(lambda: _failing(auditor))
            body = WHY | {"first": len(life.statuses)}
            answer = await visitor.post(f"{BASE}/dossiers/{life.code}/redrive", who="ops", json=body)
            assert answer.json()["messages"] == 1
            await auditor.cashier.all_paid()
        assert await auditor.cashier.told() == {life.code: life.statuses}
        assert (await auditor.reconcile())["in_step"] == 1

    async def test_waits_for_what_is_on_its_way(self, visitor: Visitor, auditor: Auditor) -> None:
        life = rejected(Life())
        await take(auditor.hall, life)
        answer = await visitor.post(f"{BASE}/dossiers/{life.code}/redrive", who="ops", json=WHY)
        assert (answer.status_code, answer.json()["code"]) == (409, "still_owed")

    async def test_knows_no_dossier_of_another_agency(self, visitor: Visitor, auditor: Auditor) -> None:
        life = Life(code="H33.14-260407-0001", agency="H33.14")
        await take(auditor.hall, rejected(life))
        answer = await visitor.post(f"{BASE}/dossiers/{life.code}/redrive", who="ops", json=WHY)
        assert answer.status_code == 404


async def _failing(auditor: Auditor) -> bool:
    return any(debt["attempts"] > 0 for debt in await auditor.cashier.owed())
