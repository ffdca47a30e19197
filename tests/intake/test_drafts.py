"""Drafts: saved half filled in, taken up again, submitted once, gone when their time is over."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.intake import operations
from services.intake.schemas.drafts import DRAFT_BYTES_MAX
from shared import clock
from tests.intake.counter import Counter, dossier


async def started(counter: Counter, body: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a new draft."""
    answer = await counter.post("/drafts", {"dossier": body if body is not None else dossier(), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def save(counter: Counter, draft_id: str, body: Any, **sent: str) -> httpx.Response:
    """Save a draft anew."""
    return await counter.client.put(
        f"/drafts/{draft_id}", json={"dossier": body}, headers=counter.headers() | {"Idempotency-Key": "save", **sent}
    )


async def _end(counter: Counter, draft_id: str) -> None:
    async with counter.database.session() as session:
        await session.execute(text("UPDATE draft SET expires_at = now() WHERE id = :id"), {"id": draft_id})
        await session.commit()


class TestDraft:
    """A draft."""

    async def test_takes_what_is_not_finished_and_says_what_is_missing(self, counter: Counter) -> None:
        draft = await started(counter, {"procedure_code": "1.000656", "channel": "online"})
        missing = {problem["field"] for problem in draft["problems"]}
        assert {"body.agency_code", "body.applicant", "body.return_method"} <= missing
        whole = await started(counter, dossier(documents=[]))
        assert [problem["message_vi"] for problem in whole["problems"]] == [
            "Thiếu thành phần bắt buộc: Tờ khai đăng ký khai tử.",
            "Thiếu thành phần bắt buộc: Giấy báo tử hoặc giấy tờ thay thế.",
        ]
        assert (await started(counter))["problems"] == []

    async def test_is_found_again_by_its_reference(self, counter: Counter) -> None:
        first, second = await started(counter, {}, reference="ho-so-1"), await started(counter, {}, reference="ho-so-2")
        page = (await counter.get("/drafts", query={"limit": 1})).json()
        assert [line["id"] for line in page["items"]] == [second["id"]]
        page = (await counter.get("/drafts", query={"limit": 1, "cursor": page["next_cursor"]})).json()
        assert ([line["id"] for line in page["items"]], page["next_cursor"]) == ([first["id"]], None)
        found = (await counter.get("/drafts", query={"reference": "ho-so-1"})).json()["items"]
        assert [line["id"] for line in found] == [first["id"]]

    async def test_is_saved_by_one_of_two_who_read_the_same(self, counter: Counter) -> None:
        draft = await started(counter, {})
        tag = (await counter.get(f"/drafts/{draft['id']}")).headers["ETag"]
        answers = [
            await save(counter, draft["id"], {"n": n}, **{"Idempotency-Key": f"k{n}", "If-Match": tag}) for n in (1, 2)
        ]
        assert [answer.status_code for answer in answers] == [200, 412]
        view = (await counter.get(f"/drafts/{draft['id']}")).json()
        assert view["dossier"] == {"n": 1}
        assert view["expires_at"] > draft["expires_at"]

    async def test_becomes_a_dossier_once_and_keeps_nothing_else(self, counter: Counter) -> None:
        draft = await started(counter)
        answer = await counter.post(f"/drafts/{draft['id']}/submit", None)
        assert answer.status_code == 201, answer.text
        code = answer.json()["code"]
        assert (await counter.told_names(code)) == ["dossier.submitted"]
        view = (await counter.get(f"/drafts/{draft['id']}")).json()
        assert (view["dossier_code"], view["dossier"], view["problems"]) == (code, {}, [])
        again = await counter.post(f"/drafts/{draft['id']}/submit", None)
        assert (again.status_code, again.json()["code"]) == (409, "draft_submitted")
        assert (await save(counter, draft["id"], {})).status_code == 409

    @pytest.mark.parametrize("body", [{}, dossier(documents=[]), {"procedure_code": ["1"]}])
    async def test_is_submitted_whole_or_not(self, counter: Counter, body: dict[str, Any]) -> None:
        draft = await started(counter, body)
        answer = await counter.post(f"/drafts/{draft['id']}/submit", None)
        assert answer.status_code == 422
        assert all(error["field"].startswith("body.") for error in answer.json()["errors"])
        assert (await counter.get(f"/drafts/{draft['id']}")).json()["dossier"] == body

    async def test_is_its_systems_alone(self, counter: Counter) -> None:
        draft = await started(counter)
        stranger = {"client_id": "another-portal"}
        assert (await counter.get(f"/drafts/{draft['id']}", **stranger)).status_code == 404
        assert (await counter.get("/drafts", **stranger)).json()["items"] == []
        assert (await counter.post(f"/drafts/{draft['id']}/submit", None, **stranger)).status_code == 404

    async def test_is_gone_when_it_is_deleted_or_its_time_is_over(self, counter: Counter) -> None:
        deleted, over, kept = [await started(counter) for _ in range(3)]
        headers = counter.headers() | {"Idempotency-Key": "delete"}
        assert (await counter.client.delete(f"/drafts/{deleted['id']}", headers=headers)).status_code == 204
        await _end(counter, over["id"])
        statuses = [(await counter.get(f"/drafts/{one['id']}")).status_code for one in (deleted, over, kept)]
        assert statuses == [404, 404, 200]
        async with counter.database.session() as session:
            assert await operations.delete_expired(session, now=clock.now()) == 1
            await session.commit()
        assert [str(row["id"]) for row in await counter.rows("SELECT id FROM draft")] == [kept["id"]]

    @pytest.mark.parametrize("body", [{"a": "x" * DRAFT_BYTES_MAX}, {"a": "\x00"}])
    async def test_is_bounded(self, counter: Counter, body: dict[str, Any]) -> None:
        assert (await counter.post("/drafts", {"dossier": body})).status_code == 422
