"""What a result may become: every status against every action, and the gates before its return."""

import asyncio
from typing import Any

import pytest

from services.results.states import RESULT, ResultStatus
from shared.events.payment import FeeCancelled, FeeWaived
from shared.events.values import CollectedAt
from shared.ids import new_id
from tests.results.desk import AT, CODE, Desk, accepted, assessed, completed, paid, withdrawn
from tests.results.test_routes import problem

ALLOWED = {
    ("draft", "issue"): "issued",
    ("issued", "return"): "returned",
    ("issued", "dispatch"): "in_post",
    ("in_post", "deliver"): "returned",
    ("in_post", "fail_delivery"): "issued",
    ("in_post", "supersede"): "superseded",
    ("in_post", "revoke"): "revoked",
    ("issued", "supersede"): "superseded",
    ("issued", "revoke"): "revoked",
    ("returned", "supersede"): "superseded",
    ("returned", "revoke"): "revoked",
}
EVENTS = {
    "issue": "results.result.issued.v1",
    "return": "results.result.returned.v1",
    "dispatch": "results.result.dispatched.v1",
    "deliver": "results.result.returned.v1",
    "fail_delivery": "results.delivery.failed.v1",
    "supersede": "results.result.superseded.v1",
    "revoke": "results.result.revoked.v1",
}
POST: dict[str, tuple[str, dict[str, Any]]] = {
    "dispatch": ("return", {"method": "postal", "returned_by": "Lê Văn Trả", "tracking_number": "EB123456789VN"}),
    "deliver": ("delivered", {}),
    "fail_delivery": ("delivery-failed", {"reason": "Không gặp người nhận"}),
}
PATHS: dict[str, list[str]] = {
    "draft": [],
    "issued": ["issue"],
    "in_post": ["issue", "dispatch"],
    "returned": ["issue", "return"],
    "superseded": ["issue", "supersede"],
    "revoked": ["issue", "revoke"],
}


async def act(desk: Desk, result_id: str, action: str) -> Any:
    """Try one action on a result; what supersedes it is made first."""
    if action == "issue":
        return await desk.issue(result_id)
    if action == "return":
        return await desk.give_back(result_id)
    if action in POST:
        path, body = POST[action]
        return await desk.post(result_id, path, body)
    body = {"reason": "vì sai sót"}
    if action == "supersede":
        body["superseded_by"] = await desk.issued()
    return await desk.post(result_id, action, body)


class TestLifecycle:
    """Every status against every action."""

    @pytest.mark.parametrize("action", list(EVENTS))
    @pytest.mark.parametrize("status", list(PATHS))
    async def test_moves_or_refuses(self, desk: Desk, status: str, action: str) -> None:
        await desk.hear(accepted(), completed())
        result_id = await desk.drafted()
        for step in PATHS[status]:
            assert (await act(desk, result_id, step)).status_code == 200
        answer = await act(desk, result_id, action)
        told = [e["type"] for e in await desk.outbox()]
        if (status, action) in ALLOWED:
            assert (answer.status_code, answer.json()["status"]) == (200, ALLOWED[status, action])
            assert told[-1] == EVENTS[action]
            change = (await desk.rows("SELECT * FROM status_change ORDER BY id DESC LIMIT 1"))[0]
            found = (change["entity_key"], change["from_status"], change["to_status"], change["actor"])
            assert found == (result_id, status, ALLOWED[status, action], "one-stop")
        else:
            refused = "not_in_post" if action in {"deliver", "fail_delivery"} else "illegal_move"
            assert problem(answer) == (409, refused)
            assert (await desk.get(f"/results/{result_id}")).json()["status"] == status

    def test_table_is_what_the_design_says(self) -> None:
        edges = {(edge.start, edge.action): edge.end for edge in RESULT.edges if edge.start}
        assert edges == ALLOWED
        assert RESULT.terminal == {ResultStatus.SUPERSEDED, ResultStatus.REVOKED}


class TestReturn:
    """Handing a result over."""

    async def test_waits_for_the_end_of_the_case(self, desk: Desk) -> None:
        await desk.hear(accepted())
        result_id = await desk.issued()
        assert problem(await desk.give_back(result_id)) == (409, "case_not_completed")
        [done] = await desk.hear(completed())
        assert (await desk.give_back(result_id)).status_code == 200
        returned = (await desk.outbox())[-1]
        assert (returned["type"], returned["causation_id"]) == ("results.result.returned.v1", done.id)

    @pytest.mark.parametrize("settled", ["paid", "waived", "cancelled"])
    async def test_waits_for_the_fee_on_return(self, desk: Desk, settled: str) -> None:
        fee = new_id()
        ends = {
            "paid": paid(fee),
            "waived": FeeWaived(
                fee_id=fee, amount_vnd=1, collected=CollectedAt.ON_RETURN, legal_basis="x", waived_at=AT
            ),
            "cancelled": FeeCancelled(
                fee_id=fee, amount_vnd=1, collected=CollectedAt.ON_RETURN, reason="x", cancelled_at=AT
            ),
        }
        await desk.hear(accepted(on_return_vnd=150_000), completed())
        result_id = await desk.issued()
        assert problem(await desk.give_back(result_id)) == (409, "fee_outstanding"), "accepted, not assessed yet"
        await desk.hear(assessed(fee))
        assert problem(await desk.give_back(result_id)) == (409, "fee_outstanding")
        await desk.hear(ends[settled])
        assert (await desk.give_back(result_id)).status_code == 200

    async def test_waits_for_every_fee(self, desk: Desk) -> None:
        one, other = new_id(), new_id()
        await desk.hear(accepted(on_return_vnd=1), completed(), assessed(one), assessed(other), paid(other))
        result_id = await desk.issued()
        assert problem(await desk.give_back(result_id)) == (409, "fee_outstanding")
        await desk.hear(paid(one))
        assert (await desk.give_back(result_id)).status_code == 200

    async def test_does_not_wait_for_fees_on_acceptance(self, desk: Desk) -> None:
        await desk.hear(accepted(on_acceptance_vnd=1), completed(), assessed(new_id(), CollectedAt.ON_ACCEPTANCE))
        assert (await desk.give_back(await desk.issued())).status_code == 200

    async def test_by_post_needs_a_tracking_number(self, desk: Desk) -> None:
        await desk.hear(accepted(), completed())
        result_id = await desk.issued()
        body = {"method": "postal", "returned_by": "Lê Văn Trả"}
        answer = await desk.post(result_id, "return", body)
        assert problem(answer) == (422, "invalid_request")
        answer = await desk.post(result_id, "return", body | {"tracking_number": "EB123456789VN"})
        assert (answer.status_code, answer.json()["tracking_number"]) == (200, "EB123456789VN")
        assert answer.json()["status"] == "in_post"

    async def test_happens_once_however_many_try(self, desk: Desk) -> None:
        await desk.hear(accepted(), completed())
        result_id = await desk.issued()
        answers = await asyncio.gather(*(desk.give_back(result_id) for _ in range(10)))
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
        told = [e["type"] for e in await desk.outbox()]
        assert told.count("results.result.returned.v1") == 1


class TestWithdrawn:
    """A dossier that was taken back."""

    async def test_gets_nothing_issued_any_more(self, desk: Desk) -> None:
        await desk.hear(accepted())
        draft, issued = await desk.drafted(), await desk.issued()
        await desk.hear(withdrawn())
        assert problem(await desk.issue(draft)) == (409, "case_withdrawn")
        assert problem(await desk.upload()) == (409, "case_withdrawn")
        assert problem(await desk.give_back(issued)) == (409, "case_not_completed")


class TestIssue:
    """Giving a number."""

    async def test_takes_a_number_once_for_an_agency_and_kind(self, desk: Desk) -> None:
        await desk.hear(accepted())
        drafts = [await desk.drafted() for _ in range(8)]
        answers = await asyncio.gather(*(desk.issue(one, "1/GP") for one in drafts))
        refused = [answer for answer in answers if answer.status_code != 200]
        assert len(refused) == 7
        assert {problem(answer) for answer in refused} == {(409, "result_number_taken")}
        other_kind = await desk.drafted(query={"kind_code": "KQ.02"})
        assert (await desk.issue(other_kind, "1/GP")).status_code == 200

    async def test_cannot_be_in_the_future(self, desk: Desk) -> None:
        await desk.hear(accepted())
        draft = await desk.drafted()
        body = {"number": "1", "issued_by": "x"}
        late = await desk.post(draft, "issue", body | {"issued_at": "2999-01-01T00:00:00+07:00"})
        assert problem(late) == (422, "issued_in_future")
        naive = await desk.post(draft, "issue", body | {"issued_at": "2026-01-01T00:00:00"})
        assert problem(naive) == (422, "invalid_request")
        early = await desk.post(draft, "issue", body | {"issued_at": "2026-01-01T00:00:00+07:00"})
        assert early.json()["issued_at"] == "2025-12-31T17:00:00Z"


class TestSupersede:
    """Taking a result's place."""

    async def test_is_only_for_another_valid_result_of_the_same_kind(self, desk: Desk) -> None:
        await desk.hear(accepted())
        old, draft = await desk.issued(), await desk.drafted()
        other_kind = await desk.issued(query={"kind_code": "KQ.02"})
        for newer in (old, draft, other_kind):
            answer = await desk.post(old, "supersede", {"superseded_by": newer, "reason": "x"})
            assert problem(answer) == (409, "superseding_result_not_valid")
        absent = await desk.post(old, "supersede", {"superseded_by": str(new_id()), "reason": "x"})
        assert problem(absent) == (404, "result_not_found")

    async def test_never_goes_in_a_circle(self, desk: Desk) -> None:
        await desk.hear(accepted())
        one, other = await desk.issued(), await desk.issued()
        answers = await asyncio.gather(
            desk.post(one, "supersede", {"superseded_by": other, "reason": "x"}),
            desk.post(other, "supersede", {"superseded_by": one, "reason": "x"}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert CODE in answers[0].text + answers[1].text
