"""Reading results: by officials, and by everybody who holds a document in hand."""

import hashlib
from typing import Any

import pytest

from deploy.local.papers import pdf
from shared.ids import new_id
from tests.results.desk import CODE, COUNTER, PDF, Desk, accepted, completed
from tests.results.test_routes import LARGE, problem

ELSEWHERE = "H32.20-260407-0001"


class TestDownload:
    """A document on its way out."""

    async def test_is_what_came_in(self, desk: Desk) -> None:
        await desk.hear(accepted())
        result_id = await desk.drafted(LARGE)
        answer = await desk.get(f"/results/{result_id}/document", purpose="trả cho công dân".encode().hex())
        assert (answer.status_code, answer.content) == (200, LARGE)
        assert answer.headers["etag"] == f'"{hashlib.sha256(LARGE).hexdigest()}"'
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"].startswith(f'attachment; filename="{result_id}.pdf"')

    async def test_is_named_by_its_number_without_leaving_its_folder(self, desk: Desk) -> None:
        await desk.hear(accepted())
        result_id = await desk.drafted()
        await desk.issue(result_id, "../15/GPXD-UBND Đ")
        answer = await desk.get(f"/results/{result_id}/document", purpose="check")
        assert answer.headers["content-disposition"].endswith("UTF-8''..-15-GPXD-UBND%20%C4%90.pdf")

    async def test_is_remembered_with_its_purpose(self, desk: Desk) -> None:
        await desk.hear(accepted())
        result_id = await desk.drafted()
        await desk.get(f"/results/{result_id}/document", purpose="Tr%E1%BA%A3%20cho%20d%C3%A2n", agency="H32")
        rows = await desk.rows("SELECT result_id, client_id, agency_code, purpose FROM document_access")
        assert [tuple(map(str, row.values())) for row in rows] == [(result_id, "one-stop", "H32", "Trả cho dân")]

    async def test_needs_a_purpose(self, desk: Desk) -> None:
        await desk.hear(accepted())
        result_id = await desk.drafted()
        assert problem(await desk.get(f"/results/{result_id}/document")) == (422, "invalid_request")
        assert not await desk.rows("SELECT id FROM document_access")

    async def test_is_spared_who_has_it_already(self, desk: Desk) -> None:
        await desk.hear(accepted())
        result_id = await desk.drafted()
        tag = f'"{hashlib.sha256(PDF).hexdigest()}"'
        headers = desk.headers() | {"X-Purpose": "check", "If-None-Match": tag}
        answer = await desk.client.get(f"/results/{result_id}/document", headers=headers)
        assert (answer.status_code, answer.content) == (304, b"")

    @pytest.mark.parametrize("size", [1, 40_000])
    async def test_never_arrives_complete_when_it_is_damaged(self, desk: Desk, size: int) -> None:
        await desk.hear(accepted())
        document = pdf([f"{new_id()} " * size])
        result_id = await desk.drafted(document)
        path = desk.file(hashlib.sha256(document).hexdigest())
        path.write_bytes(bytes([document[0] ^ 1]) + document[1:])
        if size == 1:
            answer = await desk.get(f"/results/{result_id}/document", purpose="check")
            assert problem(answer) == (500, "file_damaged")
        else:
            with pytest.raises(RuntimeError, match="response already started"):
                await desk.get(f"/results/{result_id}/document", purpose="check")

    async def test_that_is_gone_is_a_problem(self, desk: Desk) -> None:
        await desk.hear(accepted())
        document = pdf([str(new_id())])
        result_id = await desk.drafted(document)
        desk.file(hashlib.sha256(document).hexdigest()).unlink()
        answer = await desk.get(f"/results/{result_id}/document", purpose="check")
        assert problem(answer) == (500, "file_missing")


class TestAgencies:
    """What an agency may know of."""

    @pytest.mark.parametrize("agency", ["H32.20", "H32.1", "H32.14.2", "H33"])
    async def test_another_agencys_result_does_not_exist(self, desk: Desk, agency: str) -> None:
        await desk.hear(accepted())
        result_id = await desk.drafted()
        for path in (f"/results/{result_id}", f"/results/{result_id}/document"):
            answer = await desk.get(path, agency=agency, purpose="check")
            assert problem(answer) == (404, "result_not_found")
        for action, body in ACTIONS.items():
            answer = await desk.post(result_id, action, body | {}, agency=agency)
            assert problem(answer) == (404, "result_not_found"), action
        assert problem(await desk.upload(agency=agency)) == (404, "dossier_not_found")
        assert (await desk.get("/results", agency=agency)).json()["items"] == []
        assert not await desk.rows("SELECT id FROM document_access")

    @pytest.mark.parametrize("agency", ["H32", "H32.14"])
    async def test_its_own_and_those_below_it_do(self, desk: Desk, agency: str) -> None:
        await desk.hear(accepted())
        result_id = await desk.drafted(agency=agency)
        assert (await desk.get(f"/results/{result_id}", agency=agency)).json()["id"] == result_id
        assert [one["id"] for one in (await desk.get("/results", agency=agency)).json()["items"]] == [result_id]

    async def test_an_unknown_result_looks_the_same(self, desk: Desk) -> None:
        await desk.hear(accepted())
        hidden = await desk.get(f"/results/{await desk.drafted()}", agency="H33")
        absent = await desk.get(f"/results/{new_id()}", agency="H33")
        assert hidden.json() | {"result_id": 0} == absent.json() | {"result_id": 0}


ACTIONS: dict[str, dict[str, Any]] = {
    "issue": {"number": "1/GP", "issued_by": "x"},
    "return": {**COUNTER},
    "revoke": {"reason": "x"},
    "supersede": {"superseded_by": "0191d5c0-0000-7000-8000-000000000000", "reason": "x"},
}


class TestList:
    """Results, page by page."""

    async def test_walks_every_result_once_newest_first(self, desk: Desk) -> None:
        await desk.hear(accepted())
        await desk.hear(accepted(agency="H32.20"), code=ELSEWHERE)
        drafts = [await desk.drafted() for _ in range(5)]
        await desk.drafted(code=ELSEWHERE, agency="H32.20")
        found, query = [], f"/results?dossier_code={CODE}&limit=2"
        page = (await desk.get(query, agency="H32")).json()
        found += page["items"]
        while page["next_cursor"]:
            page = (await desk.get(f"{query}&cursor={page['next_cursor']}", agency="H32")).json()
            found += page["items"]
        assert [one["id"] for one in found] == drafts[::-1]

    async def test_filters_by_status(self, desk: Desk) -> None:
        await desk.hear(accepted())
        await desk.drafted()
        issued = await desk.issued()
        assert [one["id"] for one in (await desk.get("/results?status=issued")).json()["items"]] == [issued]

    @pytest.mark.parametrize("query", ["cursor=nonsense", "cursor=%00", "limit=0", "limit=201", "wrong=1"])
    async def test_refuses_what_makes_no_sense(self, desk: Desk, query: str) -> None:
        assert problem(await desk.get(f"/results?{query}")) == (422, "invalid_request")


class TestVerify:
    """The public check."""

    async def check(self, desk: Desk, reference: str) -> dict[str, Any]:
        answer = await desk.client.get(f"/verify/{reference}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def test_knows_a_result_by_number_id_and_fingerprint(self, desk: Desk) -> None:
        await desk.hear(accepted())
        result_id = await desk.drafted()
        await desk.issue(result_id, "15/GPXD-UBND")
        sha256 = hashlib.sha256(PDF).hexdigest()
        for reference in ("15/GPXD-UBND", result_id, sha256, sha256.upper()):
            found = await self.check(desk, reference)
            assert (found["status"], found["matches"][0]["sha256"]) == ("valid", sha256)
        assert set(found["matches"][0]) == {
            "status", "number", "kind_code", "kind_name", "agency_code", "issued_at", "issued_on", "valid_from",
            "valid_until", "version", "sha256", "media_type", "signed", "digitised"
        }  # fmt: skip

    async def test_does_not_know_a_draft_or_a_stranger(self, desk: Desk) -> None:
        await desk.hear(accepted())
        draft = await desk.drafted()
        for reference in (draft, hashlib.sha256(PDF).hexdigest(), "16/GP", str(new_id())):
            assert await self.check(desk, reference) == {"reference": reference, "status": "unknown", "matches": []}

    async def test_says_what_became_of_a_result(self, desk: Desk) -> None:
        await desk.hear(accepted(), completed())
        old, new = await desk.issued(), await desk.issued()
        await desk.give_back(old)
        assert (await self.check(desk, old))["status"] == "valid"
        await desk.post(old, "supersede", {"superseded_by": new, "reason": "sai tên"})
        await desk.post(new, "revoke", {"reason": "thu hồi"})
        assert (await self.check(desk, old))["status"] == "superseded"
        assert (await self.check(desk, new))["status"] == "revoked"

    async def test_tells_agencies_with_the_same_number_apart(self, desk: Desk) -> None:
        await desk.hear(accepted())
        await desk.hear(accepted(agency="H32.20"), code=ELSEWHERE)
        await desk.issue(await desk.drafted(), "1/GP")
        other = await desk.drafted(code=ELSEWHERE, agency="H32.20")
        await desk.issue(other, "1/GP", agency="H32.20")
        await desk.post(other, "revoke", {"reason": "thu hồi"}, agency="H32.20")
        both = await self.check(desk, "1/GP")
        assert (both["status"], len(both["matches"])) == ("valid", 2)
        assert (await self.check(desk, "1/GP?agency_code=H32.20"))["status"] == "revoked"
