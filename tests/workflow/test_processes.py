"""Processes over HTTP: imported, listed, versioned, exported, and taken by the cases they are for."""

import random
from datetime import timedelta
from time import process_time
from typing import Any

import pytest
from httpx import Response

from services.workflow.operations.bpmn.drawing import Definition
from services.workflow.operations.bpmn.importing import from_bpmn
from services.workflow.operations.bpmn.writing import write
from services.workflow.operations.processes import import_processes, read_file
from shared.clock import VN, now
from tests.workflow.drawn import FILES, Ours, content, structured, walk
from tests.workflow.office import AGENCY, CODE, Office, accepted
from tests.workflow.processes import CODES, LINEAR

MANAGE = ("tasks:read", "tasks:work", "catalogue:write")
BY = {"imported_by": "an"}
CAMUNDA = content("camunda-modeler.bpmn")


def body(code: str = "QT-1", **changes: Any) -> dict[str, Any]:
    """Return a process of two steps as JSON."""
    steps = [
        {"key": "a", "name": "A", "unit": "Phòng A", "role": "specialist", "minutes": 60},
        {"key": "b", "name": "B", "unit": "Phòng B", "role": "leader", "minutes": 60, "after": ["a"]},
    ]
    return {"code": code, "name": "Quy trình", "agency_code": AGENCY, "steps": steps} | changes


async def post(office: Office, path: str, *, agency: str = AGENCY, **more: Any) -> Response:
    """Send a call as the office that keeps the processes."""
    return await office.client.post(path, headers=office.headers(agency=agency, scopes=MANAGE), **more)


async def create(office: Office, *, agency: str = AGENCY, **changes: Any) -> dict[str, Any]:
    """Keep a process; return the answer's body with its status."""
    answer = await post(office, "/processes", json=body(**changes), params=BY, agency=agency)
    return {"status": answer.status_code, **answer.json()}


class TestImport:
    """New versions, the same again, and what is refused."""

    async def test_of_a_file_and_back(self, office: Office) -> None:
        answer = await office.client.post(
            "/processes/bpmn",
            content=CAMUNDA,
            params=BY,
            headers=office.headers(agency="H32", scopes=MANAGE) | {"Content-Type": "application/xml"},
        )
        assert answer.status_code == 201, answer.text
        assert answer.json()["code"] == "cap-phep-xay-dung"
        headers = office.headers()
        path = "/processes/cap-phep-xay-dung/versions/1/bpmn"
        given_back = await office.client.get(path, headers=headers)
        assert given_back.content == CAMUNDA
        assert given_back.headers["Content-Type"] == "application/xml"
        redrawn = await office.client.get(path, params={"redraw": True}, headers=headers)
        again, findings = from_bpmn(redrawn.content)
        original, _ = from_bpmn(CAMUNDA)
        assert findings == []
        assert again is not None
        assert original is not None
        assert again.process == original.process

    async def test_of_the_same_again_changes_nothing(self, office: Office) -> None:
        assert (await create(office))["outcome"] == "created"
        assert (await create(office))["outcome"] == "unchanged"
        changed = await create(office, name="Quy trình mới")
        assert (changed["outcome"], changed["version"]) == ("created", 2)
        versions = (await office.get("/processes/QT-1/versions"))["items"]
        assert [(one["version"], one["name"]) for one in versions] == [(2, "Quy trình mới"), (1, "Quy trình")]
        assert (await office.get("/processes/QT-1/versions/1"))["name"] == "Quy trình"
        assert (await office.get("/processes/QT-1"))["version"] == 2

    async def test_dry_runs_keep_nothing(self, office: Office) -> None:
        items = [{"name": name, "bpmn": content(name).decode()} for name in FILES]
        request = {"items": items, "dry_run": True, "imported_by": "an"}
        answer = (await post(office, "/processes/import", json=request, agency="H32")).json()
        assert answer["created"] + answer["refused"] == len(FILES)
        assert (await office.get("/processes"))["items"] == []

    async def test_of_many_decides_each_by_itself(self, office: Office) -> None:
        items = [
            {"name": "good.json", "process": body("QT-1")},
            {
                "name": "bad.bpmn",
                "bpmn": CAMUNDA.decode().replace('name="minutes" value="240"', 'name="x" value="1"', 1),
            },
            {"name": "twice.json", "process": body("QT-2")},
            {"name": "twice-too.json", "process": body("QT-2")},
        ]
        answer = (await post(office, "/processes/import", json={"items": items, **BY})).json()
        assert [one["outcome"] for one in answer["outcomes"]] == ["created", "refused", "refused", "refused"]
        found = {one["code"] for one in answer["outcomes"][1]["findings"]}
        assert found == {"no_time", "not_yours"}
        assert answer["outcomes"][1]["findings"][0]["line"] > 0

    async def test_of_what_cannot_run_names_every_reason(self, office: Office) -> None:
        steps = [{**one, "after": ["nobody"], "unit": ""} for one in body()["steps"]]
        refused = await create(office, steps=steps)
        assert (refused["status"], refused["code"]) == (422, "process_refused")
        assert {one["field"] for one in refused["errors"]} == {"step a", "step b"}
        assert len(refused["errors"]) == 4

    @pytest.mark.parametrize(
        ("changes", "agency"),
        [({"agency_code": "H32.15"}, AGENCY), ({"agency_code": None}, AGENCY), ({"valid_to": "2000-01-01"}, AGENCY)],
    )
    async def test_of_what_is_not_yours_or_never_valid(
        self, office: Office, changes: dict[str, Any], agency: str
    ) -> None:
        assert (await create(office, agency=agency, **changes))["status"] == 422

    async def test_refuses_a_rival_for_the_same_procedure_and_agency(self, office: Office) -> None:
        await create(office, procedure_code="1.000001")
        refused = await create(office, code="QT-2", procedure_code="1.000001")
        assert "QT-1" in refused["errors"][0]["message"]
        assert (await create(office, code="QT-2", procedure_code="1.000002"))["status"] == 201

    async def test_needs_the_right(self, office: Office) -> None:
        answer = await office.client.post("/processes", json=body(), params=BY, headers=office.headers())
        assert answer.status_code == 403

    @pytest.mark.parametrize("text", [b"", b"<x/>", b"\x00\xff", CAMUNDA[:2000]])
    async def test_of_no_process_is_refused(self, office: Office, text: bytes) -> None:
        headers = office.headers(scopes=MANAGE) | {"Content-Type": "application/xml"}
        answer = await office.client.post("/processes/bpmn", content=text, params=BY, headers=headers)
        assert answer.status_code == 422, answer.text


class TestList:
    """Finding processes."""

    async def test_by_procedure_agency_and_words_in_pages(self, office: Office) -> None:
        for nth in range(5):
            await create(office, code=f"QT-{nth}", name=f"Cấp phép {nth}", procedure_code=f"1.00000{nth}")
        seen, cursor = [], ""
        while cursor is not None:
            page = await office.get("/processes", limit=2, cursor=cursor)
            seen += [one["code"] for one in page["items"]]
            cursor = page["next_cursor"]
        assert seen == [f"QT-{nth}" for nth in range(5)]
        assert [one["code"] for one in (await office.get("/processes", procedure="1.000003"))["items"]] == ["QT-3"]
        assert [one["code"] for one in (await office.get("/processes", q="phép 2"))["items"]] == ["QT-2"]
        assert len((await office.get("/processes", agency="H32"))["items"]) == 5

    async def test_of_unknown_ones(self, office: Office) -> None:
        for path in ("/processes/none", "/processes/none/versions", "/processes/none/versions/1"):
            assert (await office.client.get(path, headers=office.headers())).status_code == 404


class TestCases:
    """A case takes the process drawn for its procedure, agency and day, and stays on it."""

    async def started(self, office: Office, code: str, **more: Any) -> set[str]:
        await office.publish(LINEAR)
        await office.hear(accepted(**more), subject=code)
        assert await office.waiting() == []
        return set(await office.statuses(code))

    async def valid(self, office: Office, **changes: Any) -> None:
        """Keep a process that was valid already yesterday: the dossiers here were accepted an hour ago."""
        yesterday = (now().astimezone(VN).date() - timedelta(days=1)).isoformat()
        await create(office, procedure_code=CODES["linear"], valid_from=yesterday, **changes)

    async def test_take_the_drawn_one_else_the_catalogues(self, office: Office) -> None:
        assert await self.started(office, CODE) == {"check", "decide", "sign"}
        await self.valid(office)
        assert await self.started(office, "H32.14-261123-0002") == {"a", "b"}
        case = await office.case("H32.14-261123-0002")
        assert case is not None
        assert (case.process_code, case.process_version) == ("QT-1", 1)
        assert await self.started(office, "H32.15-261123-0001", agency="H32.15") == {"check", "decide", "sign"}

    async def test_take_the_most_specific_agencys(self, office: Office) -> None:
        await self.valid(office, agency="H32", code="ALL", agency_code="H32")
        one = [{"key": "only", "name": "O", "unit": "U", "role": "r", "minutes": 1}]
        await self.valid(office, code="OWN", steps=one)
        assert await self.started(office, CODE) == {"only"}
        assert await self.started(office, "H32.15-261123-0001", agency="H32.15") == {"a", "b"}

    async def test_stay_on_the_version_they_started_with(self, office: Office) -> None:
        await self.valid(office)
        await self.started(office, CODE)
        one = [{"key": "only", "name": "O", "unit": "U", "role": "r", "minutes": 1}]
        await self.valid(office, steps=one)
        assert await self.started(office, "H32.14-261123-0002") == {"only"}
        await office.complete("a", "b")
        assert await office.status() == "completed"

    async def test_take_the_one_valid_on_the_day_of_acceptance(self, office: Office) -> None:
        tomorrow = (now().astimezone(VN).date() + timedelta(days=1)).isoformat()
        await create(office, procedure_code=CODES["linear"], valid_from=tomorrow)
        assert await self.started(office, CODE) == {"check", "decide", "sign"}


def drawn(count: int) -> tuple[list[bytes], int]:
    """Return so many random processes as BPMN files, and how many steps they have together."""
    chance, files, steps = random.Random(count), list[bytes](), 0
    for nth in range(count):
        process = structured(chance, 12)
        steps += len(process.steps)
        files.append(write(Definition(f"QT-{nth}", "Quy trình", process, agency_code=AGENCY)))
    return files, steps


class TestProvince:
    """2,745 processes: a province's."""

    @pytest.mark.large
    async def test_are_imported_and_stepped_within_a_millisecond_each(self, office: Office) -> None:
        seconds, steps = await self.run(office, 2_745)
        assert seconds / steps < 0.001

    async def test_a_few_of_them(self, office: Office) -> None:
        await self.run(office, 60)

    async def run(self, office: Office, count: int) -> tuple[float, int]:
        """Import and step so many processes; return the CPU seconds of the stepping and how many steps were done."""
        files, _ = drawn(count)
        items = [read_file(f"{nth}.bpmn", file) for nth, file in enumerate(files)]
        async with office.database.session() as session:
            work = office.official_work(session)
            outcomes = await import_processes(work, items, imported_by="an")
            await work.commit()
        assert {one.kind for one in outcomes} == {"created"}
        seconds, steps = 0.0, 0
        for nth, item in enumerate(items):
            assert item.definition is not None
            ours, started = Ours(item.definition.process), process_time()
            steps += sum(1 for _ in walk(ours, random.Random(nth)))
            seconds += process_time() - started
        return seconds, steps
