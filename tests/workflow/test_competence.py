"""One agency receives what another decides (NĐ 118/2025): both see the case, the one that decides does the work."""

from typing import Any

import pytest

from services.workflow import queries
from services.workflow.queries import CaseFilter, Page, TaskFilter
from shared import clock
from shared.caller import Caller
from tests.workflow.office import CODE, OFFICIAL, Office, accepted
from tests.workflow.processes import LINEAR

RECEIVING, COMPETENT = "H32.90", "H32.14"


async def start(office: Office) -> None:
    await office.publish(LINEAR)
    await office.hear(accepted(LINEAR, agency=RECEIVING, competent=COMPETENT))
    assert await office.waiting() == []


async def seen(office: Office, path: str, caller: str, **query: Any) -> list[str]:
    answer = await office.client.get(path, params=query, headers=office.headers(agency=caller))
    return [one["dossier_code"] for one in answer.json()["items"]]


class TestWhoSees:
    """Both agencies and those above them."""

    @pytest.mark.parametrize(
        ("agency", "status"), [(RECEIVING, 200), (COMPETENT, 200), ("H32", 200), ("H32.15", 404), ("H32.9", 404)]
    )
    async def test_the_case(self, office: Office, agency: str, status: int) -> None:
        await start(office)
        task_id = (await office.tasks())["check"].id
        for path in (f"/cases/{CODE}", f"/tasks/{task_id}", f"/cases/{CODE}/slips"):
            assert (await office.client.get(path, headers=office.headers(agency=agency))).status_code == status

    async def test_in_lists(self, office: Office) -> None:
        await start(office)
        for agency in (RECEIVING, COMPETENT, "H32"):
            assert await seen(office, "/cases", agency) == [CODE]
            assert await seen(office, "/cases", agency, status="running") == [CODE]
        assert await seen(office, "/cases", "H32", agency=RECEIVING) == [CODE]
        assert await seen(office, "/cases", "H32.15") == []
        assert await seen(office, "/tasks", COMPETENT) == [CODE]
        assert await seen(office, "/tasks", RECEIVING) == []


class TestWhoWorks:
    """Only the agency that decides."""

    async def test_on_steps(self, office: Office) -> None:
        await start(office)
        task_id = (await office.tasks())["check"].id
        for action, more in (("claim", {}), ("complete", {}), ("return", {"reason": "Thiếu"})):
            body = {"official": OFFICIAL} | more
            answer = await office.post(f"/tasks/{task_id}/{action}", body, agency=RECEIVING)
            assert (answer.status_code, answer.json()["code"]) == (403, "not_competent")
        assert (
            await office.post(f"/tasks/{task_id}/claim", {"official": OFFICIAL}, agency=COMPETENT)
        ).status_code == 200

    async def test_on_the_date(self, office: Office) -> None:
        await start(office)
        body = {"due_at": clock.now().isoformat(), "reason": "Chờ", "official": OFFICIAL}
        answer = await office.post(f"/cases/{CODE}/extend", body, agency=RECEIVING)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_competent")


async def test_what_a_merged_agency_left_is_its_successors_too(office: Office) -> None:
    """A caller that inherited a closed agency finds its work beside its own."""
    await start(office)
    heir = Caller("one-stop", "H47", frozenset({"tasks:read"}), inherited=(COMPETENT, RECEIVING))
    page = Page(limit=5)
    async with office.database.session() as session:
        tasks, _ = await queries.list_tasks(session, caller=heir, wanted=TaskFilter(), page=page)
        cases, _ = await queries.list_cases(session, caller=heir, wanted=CaseFilter(), page=page)
    assert [task.dossier_code for task in tasks] == [case.dossier_code for case in cases] == [CODE]
