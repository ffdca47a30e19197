"""Versions, days of validity, and the public check of a file."""

import hashlib

import pytest

from deploy.local.papers import pdf
from shared.ids import new_id
from tests.results.desk import PDF, Desk, accepted
from tests.results.test_routes import problem


class TestVersions:
    """A result that takes the place of another."""

    async def test_takes_it_when_it_is_issued_and_the_line_is_known(self, desk: Desk) -> None:
        await desk.hear(accepted())
        first = await desk.issued()
        second = await desk.drafted(pdf(["two"]), query={"supersedes": first})
        assert (await desk.get(f"/results/{first}")).json()["status"] == "issued"
        assert (await desk.issue(second)).json()["version"] == 2
        third = await desk.drafted(pdf(["three"]), query={"supersedes": second})
        await desk.issue(third)
        for one in (first, second, third):
            line = (await desk.get(f"/results/{one}/versions")).json()["items"]
            assert [(item["id"], item["status"]) for item in line] == [
                (first, "superseded"),
                (second, "superseded"),
                (third, "issued"),
            ]
        told = [event["type"] for event in await desk.outbox()]
        assert told.count("results.result.superseded.v1") == 2

    async def test_has_one_successor_whoever_is_first(self, desk: Desk) -> None:
        await desk.hear(accepted())
        first = await desk.issued()
        one, other = [await desk.drafted(pdf([str(nth)]), query={"supersedes": first}) for nth in range(2)]
        await desk.issue(one)
        assert problem(await desk.issue(other)) == (409, "superseding_result_not_valid")
        kind = await desk.upload(query={"supersedes": one, "kind_code": "KQ.02"})
        assert problem(kind) == (409, "superseding_result_not_valid")
        assert problem(await desk.upload(query={"supersedes": str(new_id())})) == (404, "result_not_found")


class TestDays:
    """Days on which a result is valid."""

    @pytest.mark.parametrize(
        ("days", "status"),
        [
            ({"valid_until": "2020-01-01"}, "expired"),
            ({"valid_from": "2999-01-01"}, "not_yet_valid"),
            ({"valid_from": "2020-01-01", "valid_until": "2999-01-01"}, "valid"),
        ],
    )
    async def test_are_told_to_everybody(self, desk: Desk, days: dict[str, str], status: str) -> None:
        await desk.hear(accepted())
        result_id = await desk.drafted()
        body = {"number": "1/GP", "issued_by": "x", **days}
        assert (await desk.post(result_id, "issue", body)).status_code == 200
        found = (await desk.client.get("/verify/1/GP")).json()
        assert (found["status"], found["matches"][0]["valid_until"]) == (status, days.get("valid_until"))

    async def test_are_in_order(self, desk: Desk) -> None:
        await desk.hear(accepted())
        body = {"number": "1", "issued_by": "x", "valid_from": "2026-02-01", "valid_until": "2026-01-01"}
        assert problem(await desk.post(await desk.drafted(), "issue", body)) == (422, "invalid_request")


class TestFile:
    """A file that somebody drops in."""

    async def test_is_checked_byte_for_byte_and_kept_nowhere(self, desk: Desk) -> None:
        await desk.hear(accepted())
        await desk.issue(await desk.drafted(), "1/GP")
        answer = await desk.client.post("/verify", content=PDF)
        assert (answer.json()["status"], answer.json()["reference"]) == ("valid", hashlib.sha256(PDF).hexdigest())
        assert (await desk.client.post("/verify", content=b"")).status_code == 422
        for spoilt in (PDF + b"\n", PDF[:-1]):
            assert (await desk.client.post("/verify", content=spoilt)).json()["status"] == "unknown"
            assert not desk.file(hashlib.sha256(spoilt).hexdigest()).exists()

    async def test_of_any_size_is_refused_beyond_the_limit(self, desk: Desk) -> None:
        most = desk.app.state.settings.verify_bytes_max
        assert problem(await desk.client.post("/verify", content=bytes(most + 1))) == (413, "file_too_large")
        assert (await desk.client.post("/verify", content=bytes(most))).status_code == 200
