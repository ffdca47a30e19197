"""Refunds: requested by themselves, sent, failed, sent again, done."""

from typing import Any

import pytest

from shared.events.payment import RefundDone, RefundFailed, RefundRequested, RefundSent
from tests.payment.till import Till

BODIES: dict[str, Any] = {"send": {"transfer_reference": "FT1"}, "fail": {"reason": "Tài khoản đã đóng"}, "done": None}
ENDS = {"send": "sent", "fail": "failed", "done": "done"}
PATHS = {"requested": [], "sent": ["send"], "done": ["send", "done"], "failed": ["send", "fail"]}
LEGAL = {("requested", "send"), ("failed", "send"), ("sent", "done"), ("sent", "fail"), ("done", "fail")}


async def requested(till: Till) -> dict[str, Any]:
    """Return the refund of money that came twice."""
    fee = await till.owe()
    attempt = await till.attempt(fee)
    for _ in range(2):
        await till.confirm(attempt["reference"])
    (refund,) = (await till.get("/refunds", dossier_code=fee.dossier_code))["items"]
    return refund


async def act(till: Till, refund: dict[str, Any], action: str) -> Any:
    return await till.post(f"/refunds/{refund['id']}/{action}", BODIES[action])


class TestLifecycle:
    """The way of money back, over HTTP."""

    @pytest.mark.parametrize("action", ["send", "done", "fail"])
    @pytest.mark.parametrize("status", list(PATHS))
    async def test_of_every_pair(self, till: Till, status: str, action: str) -> None:
        refund = await requested(till)
        for step in PATHS[status]:
            assert (await act(till, refund, step)).status_code == 200
        answer = await act(till, refund, action)
        if (status, action) in LEGAL:
            assert (answer.status_code, answer.json()["status"]) == (200, ENDS[action])
        else:
            assert (answer.status_code, answer.json()["code"]) == (409, "illegal_move")

    async def test_is_told_step_by_step(self, till: Till) -> None:
        refund = await requested(till)
        for step in ("send", "fail", "send", "done"):
            await act(till, refund, step)
        fee = (await till.get(f"/fees/{refund['fee_id']}"))["dossier_code"]
        types = await till.scalars(
            "SELECT type FROM outbox WHERE subject = :code AND type LIKE 'payment.refund.%' ORDER BY id", code=fee
        )
        steps = [RefundRequested, RefundSent, RefundFailed, RefundSent, RefundDone]
        assert types == [step.event_type for step in steps]

    async def test_keeps_why_a_transfer_came_back_until_it_is_sent_again(self, till: Till) -> None:
        refund = await requested(till)
        await act(till, refund, "send")
        failed = (await act(till, refund, "fail")).json()
        assert (failed["failure"], failed["transfer_reference"]) == ("Tài khoản đã đóng", "FT1")
        again = (await till.post(f"/refunds/{refund['id']}/send", {"transfer_reference": "FT2"})).json()
        assert (again["failure"], again["transfer_reference"]) == (None, "FT2")


class TestList:
    """GET /refunds."""

    async def test_is_by_status(self, till: Till) -> None:
        first, second = await requested(till), await requested(till)
        await act(till, first, "send")
        assert [r["id"] for r in (await till.get("/refunds", status="sent"))["items"]] == [first["id"]]
        assert [r["id"] for r in (await till.get("/refunds", status="requested"))["items"]] == [second["id"]]

    async def test_says_what_goes_back(self, till: Till) -> None:
        refund = await requested(till)
        assert (refund["amount_vnd"], refund["reason"]) == (50_000, "second_transaction")


class TestOrder:
    """POST /refunds/{id}/send."""

    @pytest.mark.parametrize("body", [{}, {"transfer_reference": ""}, {"transfer_reference": "x" * 101}])
    async def test_needs_the_banks_reference(self, till: Till, body: dict[str, str]) -> None:
        refund = await requested(till)
        assert (await till.post(f"/refunds/{refund['id']}/send", body)).status_code == 422

    async def test_with_the_same_key_is_sent_once(self, till: Till) -> None:
        refund = await requested(till)
        body = {"transfer_reference": "FT1"}
        answers = [await till.post(f"/refunds/{refund['id']}/send", body, key="k1") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].content == answers[1].content
