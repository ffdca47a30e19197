"""Fees: assessed on acceptance, waived, cancelled or given back with their dossier."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import event

from services.payment.consumers import HANDLERS, preload
from services.payment.models import Fee
from services.payment.states import FeeStatus
from shared.events.payment import FeeAssessed, FeeCancelled, FeeWaived, RefundRequested
from shared.events.values import CollectedAt, FeeKind
from shared.inbox import Inbox
from tests.payment.till import Till, accepted, item, new_code, raw, rejected, withdrawn

LAW = {"legal_basis": "Khoản 2 Điều 10 Luật Phí và lệ phí"}
ON_RETURN = CollectedAt.ON_RETURN


class TestAssess:
    """intake.dossier.accepted."""

    async def test_makes_one_fee_for_each_occasion(self, till: Till) -> None:
        items = [item(50_000), item(20_000, kind=FeeKind.PHI), item(30_000, ON_RETURN)]
        first, second = await till.accept(*items)
        assert (first.collected, first.amount_vnd, first.status) == ("on_acceptance", 70_000, "due")
        assert (second.collected, second.amount_vnd, second.payer_name) == ("on_return", 30_000, "Nguyễn Thị Thử")
        told = [fact for fact in await till.told(first) if isinstance(fact, FeeAssessed)]
        assert [(fact.fee_id, fact.amount_vnd, len(fact.items)) for fact in told] == [
            (first.id, 70_000, 2),
            (second.id, 30_000, 1),
        ]

    async def test_makes_none_where_nothing_is_to_be_paid(self, till: Till) -> None:
        assert await till.accept() == []
        assert await till.accept(item(0), item(0, ON_RETURN)) == []
        (fee,) = await till.accept(item(0), item(10_000, ON_RETURN))
        assert fee.collected == "on_return"

    async def test_of_the_same_event_fifty_times_at_once_is_one(self, till: Till) -> None:
        code = new_code()
        inbox = Inbox(till.database, HANDLERS, preload=preload)
        fact = raw(accepted(item(50_000)), code)
        await asyncio.gather(*(inbox.take([fact]) for _ in range(50)))
        (fee,) = await till.rows(Fee, Fee.dossier_code == code)
        assert await till.told_names(fee) == ["fee.assessed"]


class TestWaive:
    """POST /fees/{id}/waive."""

    async def test_lifts_the_fee_on_a_legal_basis(self, till: Till) -> None:
        fee = await till.owe()
        answer = await till.post(f"/fees/{fee.id}/waive", LAW)
        assert (answer.json()["status"], answer.json()["ended_because"]) == ("waived", LAW["legal_basis"])
        told = (await till.told(fee))[-1]
        assert isinstance(told, FeeWaived)
        assert (told.legal_basis, told.collected) == (LAW["legal_basis"], "on_acceptance")

    async def test_ends_the_open_attempt(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.post(f"/fees/{fee.id}/waive", LAW)
        payment = await till.get(f"/payments/{attempt['id']}")
        assert (payment["status"], payment["pay_url"]) == ("expired", None)
        assert (await till.told_names(fee))[-2:] == ["fee.waived", "payment.expired"]

    async def test_is_refused_once_the_fee_has_ended(self, till: Till) -> None:
        paid, waived = await till.owe(), await till.owe()
        await till.pay_in_cash(paid)
        await till.post(f"/fees/{waived.id}/waive", LAW)
        for fee in (paid, waived):
            answer = await till.post(f"/fees/{fee.id}/waive", LAW)
            assert (answer.status_code, answer.json()["code"]) == (409, "illegal_move")

    @pytest.mark.parametrize("body", [{}, {"legal_basis": ""}, {"legal_basis": "x" * 501}, LAW | {"more": 1}])
    async def test_needs_its_basis(self, till: Till, body: dict[str, Any]) -> None:
        fee = await till.owe()
        assert (await till.post(f"/fees/{fee.id}/waive", body)).status_code == 422


class TestDossierEnds:
    """intake.dossier.rejected and withdrawn."""

    @pytest.mark.parametrize("ending", [rejected(), withdrawn(after_acceptance=False), withdrawn()])
    async def test_cancels_what_is_due(self, till: Till, ending: Any) -> None:
        first, second = await till.accept(item(50_000), item(30_000, ON_RETURN))
        attempt = await till.attempt(first)
        await till.hear(raw(ending, first.dossier_code))
        assert {(await till.fee(fee)).status for fee in (first, second)} == {FeeStatus.CANCELLED}
        assert (await till.get(f"/payments/{attempt['id']}"))["status"] == "expired"
        told = [fact for fact in await till.told(first) if isinstance(fact, FeeCancelled)]
        assert [fact.collected for fact in told] == ["on_acceptance", "on_return"]

    async def test_a_late_success_goes_back(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.hear(raw(withdrawn(), fee.dossier_code))
        await till.pay(attempt["reference"])
        assert [refund.reason for refund in await till.refunds(fee)] == ["fee_cancelled"]
        assert (await till.fee(fee)).status == FeeStatus.CANCELLED

    @pytest.mark.parametrize(
        ("ending", "refunded"),
        [
            pytest.param(withdrawn(), [30_000], id="after acceptance"),
            pytest.param(withdrawn(after_acceptance=False), [50_000, 30_000], id="before acceptance"),
            pytest.param(rejected(), [50_000, 30_000], id="rejected"),
        ],
    )
    async def test_gives_back_what_was_not_earned(self, till: Till, ending: Any, refunded: list[int]) -> None:
        fees = await till.accept(item(50_000), item(30_000, ON_RETURN))
        for fee in fees:
            await till.pay_in_cash(fee)
        await till.hear(raw(ending, fees[0].dossier_code))
        told = [fact for fact in await till.told(fees[0]) if isinstance(fact, RefundRequested)]
        assert [fact.amount_vnd for fact in told] == refunded
        assert {(await till.fee(fee)).status for fee in fees} == {FeeStatus.PAID}

    async def test_leaves_a_waived_fee_alone(self, till: Till) -> None:
        fee = await till.owe()
        await till.post(f"/fees/{fee.id}/waive", LAW)
        await till.hear(raw(rejected(), fee.dossier_code))
        assert (await till.fee(fee)).status == FeeStatus.WAIVED

    async def test_in_the_batch_of_its_acceptance(self, till: Till) -> None:
        code = new_code()
        await till.hear(raw(accepted(item(50_000)), code), raw(withdrawn(), code))
        (fee,) = await till.rows(Fee, Fee.dossier_code == code)
        assert fee.status == FeeStatus.CANCELLED
        assert await till.told_names(fee) == ["fee.assessed", "fee.cancelled"]

    async def test_without_fees_is_nothing(self, till: Till) -> None:
        await till.hear(raw(rejected(), new_code()), raw(withdrawn(after_acceptance=False), new_code()))
        assert await till.scalars("SELECT 1 FROM outbox") == []

    async def test_against_a_success_at_once_loses_no_money(self, till: Till) -> None:
        for _ in range(5):
            fee = await till.owe()
            attempt = await till.attempt(fee)
            await asyncio.gather(till.hear(raw(withdrawn(), fee.dossier_code)), till.confirm(attempt["reference"]))
            receipts, refunds = await till.receipts(fee), await till.refunds(fee)
            assert len(receipts) + len(refunds) == 1
            assert (await till.fee(fee)).status == ("paid" if receipts else "cancelled")


class TestBatch:
    """Many events in one transaction."""

    async def test_costs_a_handful_of_statements(self, till: Till) -> None:
        owing = [await till.owe() for _ in range(20)]
        ends = [raw(rejected(), fee.dossier_code) for fee in owing]
        begins = [raw(accepted(item(10_000)), new_code()) for _ in range(100)]
        statements: list[str] = []

        def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            statements.append(statement)

        engine = till.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", count)
        try:
            await till.hear(*ends, *begins)
        finally:
            event.remove(engine, "before_cursor_execute", count)
        # The rounds that ask providers go on meanwhile; they alone skip what is locked.
        ours = [one for one in statements if ("ask_at" not in one or "fee" in one) and "SKIP LOCKED" not in one]
        assert len(ours) <= 13, ours
        assert len(await till.rows(Fee, Fee.status == "due")) == 100
