"""HTTP: who may see and do what, worklists, cases and why their dates are what they are."""

from datetime import timedelta
from typing import Any

import pytest

from services.workflow import queries
from shared import clock
from shared.ids import new_id
from tests.workflow.office import ANOTHER, CODE, OFFICIAL, ONE_STOP, Office, withdrawal
from tests.workflow.processes import LINEAR, PARALLEL

SECOND = "H32.14.02-261123-0001"
THIRD = "H32.15-261123-0001"
READS = ["/tasks", "/tasks/{task}", "/cases", "/cases/{case}"]
WRITES = [
    ("/tasks/{task}/claim", {"official": OFFICIAL}),
    ("/tasks/{task}/release", {"official": OFFICIAL, "reason": "Đi họp"}),
    ("/tasks/{task}/reassign", {"official": OFFICIAL, "reason": "Đi họp"}),
    ("/tasks/{task}/complete", {"official": OFFICIAL}),
    ("/tasks/{task}/return", {"official": OFFICIAL, "reason": "Đi họp"}),
    ("/cases/{case}/stop", {"reason": "Chờ", "legal_basis": "Luật", "stopped_by": OFFICIAL}),
    ("/cases/{case}/resume", {"resumed_by": OFFICIAL}),
    (
        "/cases/{case}/request-supplement",
        {"content": "Bản sao", "respond_by": "2099-01-01T00:00:00Z", "requested_by": OFFICIAL},
    ),
]


async def _path(office: Office, template: str) -> str:
    tasks = await office.tasks()
    return template.format(task=tasks["check"].id if tasks else new_id(), case=CODE)


class TestRights:
    """Without a token, a right or the agency nothing is seen and nothing done."""

    @pytest.mark.parametrize("template", READS)
    async def test_to_read(self, office: Office, template: str) -> None:
        await office.start(LINEAR)
        path = await _path(office, template)
        assert (await office.client.get(path)).status_code == 401
        answer = await office.client.get(path, headers=office.headers(scopes=["dossiers:read"]))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert (await office.client.get(path, headers=office.headers())).status_code == 200

    @pytest.mark.parametrize(("template", "body"), [*WRITES, ("/tasks/complete", {"tasks": []})])
    async def test_to_write(self, office: Office, template: str, body: dict[str, Any]) -> None:
        await office.start(LINEAR)
        path = await _path(office, template)
        assert (await office.client.post(path, json=body)).status_code == 401
        answer = await office.post(path, body, scopes=["tasks:read"])
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    @pytest.mark.parametrize(("template", "body"), WRITES)
    async def test_anothers_dossier_is_not_found(self, office: Office, template: str, body: dict[str, Any]) -> None:
        await office.start(LINEAR)
        before = await office.told_names()
        for agency in ("H32.15", "H32.1", "H32.14.02"):
            answer = await office.post(await _path(office, template), body, agency=agency)
            assert (answer.status_code, answer.json()["status"]) == (404, 404)
        assert await office.told_names() == before

    async def test_the_agency_above_sees_those_below(self, office: Office) -> None:
        await office.start(LINEAR)
        for agency, status in (("H32", 200), ("H32.14", 200), ("H3", 404), ("H32.14.02", 404)):
            for path in (f"/cases/{CODE}", await _path(office, "/tasks/{task}")):
                answer = await office.client.get(path, headers=office.headers(agency=agency))
                assert answer.status_code == status

    async def test_nothing_there_is_not_found(self, office: Office) -> None:
        for template, body in WRITES:
            answer = await office.post(await _path(office, template), body)
            assert answer.json()["code"] in {"task_not_found", "case_not_found"}


class TestRequests:
    """What is sent is checked before anything is done."""

    @pytest.mark.parametrize(
        "body",
        [{}, {"official": ""}, {"official": OFFICIAL, "more": 1}, {"official": OFFICIAL, "completed_at": "2026-01-01"}],
    )
    async def test_malformed(self, office: Office, body: dict[str, Any]) -> None:
        await office.start(LINEAR)
        answer = await office.post(await _path(office, "/tasks/{task}/complete"), body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert answer.json()["errors"]

    async def test_without_a_key(self, office: Office) -> None:
        await office.start(LINEAR)
        headers = office.headers()
        del headers["Idempotency-Key"]
        answer = await office.client.post(
            await _path(office, "/tasks/{task}/claim"), json={"official": OFFICIAL}, headers=headers
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")

    async def test_a_key_used_for_another_request(self, office: Office) -> None:
        await office.start(LINEAR)
        path = await _path(office, "/tasks/{task}/claim")
        await office.post(path, {"official": OFFICIAL}, key="one")
        answer = await office.post(path, {"official": ANOTHER}, key="one")
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")

    async def test_a_cursor_of_elsewhere(self, office: Office) -> None:
        for path in ("/tasks", "/cases"):
            answer = await office.client.get(path, params={"cursor": "abc"}, headers=office.headers())
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


class TestWorklist:
    """Officials find what they can work on."""

    async def test_by_agency_unit_role_official_status_and_date(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.start(LINEAR, code=SECOND, agency="H32.14.02", at=clock.now() - timedelta(days=40))
        await office.start(LINEAR, code=THIRD, agency="H32.15")
        await office.complete("check")
        await office.act("decide", "claim", official=ANOTHER)

        async def found(**query: Any) -> list[tuple[str, str]]:
            items = (await office.get("/tasks", **query))["items"]
            return [(item["dossier_code"], item["step_key"]) for item in items]

        ours, below = (CODE, "decide"), (SECOND, "check")
        assert await found() == [below, ours]
        assert await found(agency="H32.14.02") == [below]
        assert await found(agency="H32.15") == []
        assert await found(unit="unit-decide") == [ours]
        assert await found(role="specialist") == [below, ours]
        assert await found(role="leader") == []
        assert await found(official=ANOTHER) == [ours]
        assert await found(status="open") == [below]
        assert await found(status="returned") == []
        assert await found(status="done", unit="unit-check") == [(CODE, "check")]
        assert await found(status="done", official=OFFICIAL) == [(CODE, "check")]
        assert await found(due_before=(clock.now() - timedelta(days=20)).isoformat()) == [below]

    @pytest.mark.parametrize("status", ["done", "waiting", "cancelled", "lost"])
    async def test_not_all_that_ever_was(self, office: Office, status: str) -> None:
        answer = await office.client.get("/tasks", params={"status": status}, headers=office.headers())
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert "status" in answer.json()["errors"][0]["field"]

    async def test_page_by_page_nothing_is_missed_or_doubled(self, office: Office) -> None:
        at = clock.now() - timedelta(days=1)
        for number in range(1, 8):
            await office.start(PARALLEL, code=f"H32.14-261123-{number:04d}", at=at - timedelta(hours=number // 3))
        everything = [item["id"] for item in (await office.get("/tasks", limit=200))["items"]]
        pages, cursor = [], {}
        while True:
            page = await office.get("/tasks", limit=2, **cursor)
            pages += [item["id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert pages == everything
        assert len(set(pages)) == 7

    async def test_one_task(self, office: Office) -> None:
        await office.start(LINEAR)
        shown = await office.get(await _path(office, "/tasks/{task}"))
        assert (shown["step_key"], shown["status"], shown["official"]) == ("check", "open", None)


class TestCases:
    """A case shows where it stands and why its date is what it is."""

    async def test_shows_tasks_ledger_and_reasons(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.pause("stop")
        await office.pause("resume")
        shown = await office.get(f"/cases/{CODE}")
        assert (shown["status"], shown["term_amount"], shown["term_unit"]) == ("running", 5, "working_day")
        assert [task["step_key"] for task in shown["tasks"]] == ["check", "decide", "sign"]
        assert [entry["kind"] for entry in shown["clock"]] == ["start", "pause", "resume"]
        assert [entry["nth"] for entry in shown["clock"]] == [1, 2, 3]
        assert shown["clock"][-1]["due_at"] == shown["due_at"] == shown["why_due"][-1]["due_at"]
        assert "dừng giải quyết" in shown["why_due"][1]["text_vi"]

    async def test_shows_what_is_awaited(self, office: Office) -> None:
        await office.start(LINEAR)
        answer = await office.pause("request-supplement")
        shown = await office.get(f"/cases/{CODE}")
        assert shown["supplement_id"] == answer.json()["supplement_id"]
        assert (shown["status"], shown["pause_reason"]) == ("awaiting_supplement", "supplement")
        assert shown["paused_since"] is not None

    async def test_overdue_are_those_whose_clock_ran_out(self, office: Office) -> None:
        long_ago = clock.now() - timedelta(days=30)
        codes = {
            name: f"H32.14-261023-00{len(name):02d}" for name in ("late", "paused", "new", "complete", "withdrawn")
        }
        for name, code in codes.items():
            await office.start(LINEAR, code=code, at=clock.now() if name == "new" else long_ago)
        await office.pause("stop", code=codes["paused"])
        await office.complete("check", "decide", "sign", code=codes["complete"])
        await office.hear(withdrawal(), subject=codes["withdrawn"])

        async def found(**query: Any) -> set[str]:
            return {item["dossier_code"] for item in (await office.get("/cases", **query))["items"]}

        assert await found() == {codes["late"], codes["paused"], codes["new"]}
        assert await found(overdue="true") == {codes["late"], codes["paused"]}
        assert await found(overdue="true", status="completed") == {codes["complete"]}
        assert await found(status="withdrawn") == {codes["withdrawn"]}
        assert await found(status="stopped") == {codes["paused"]}

    async def test_standing_still_before_its_date_a_case_does_not_become_overdue(self, office: Office) -> None:
        await office.start(LINEAR)
        await office.pause("stop")
        case = await office.case()
        assert case is not None
        assert case.due_at is not None
        async with office.database.session() as session:
            wanted = queries.CaseFilter(overdue_at=case.due_at + timedelta(days=30))
            page = queries.Page(limit=5)
            rows, _ = await queries.list_cases(session, caller=ONE_STOP, wanted=wanted, page=page)
        assert rows == []
