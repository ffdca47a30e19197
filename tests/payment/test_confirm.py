"""CONFIRM: a fee is paid once, whoever says how often that it was paid."""

import asyncio
from typing import Any

import pytest

from services.payment.models import Deposit
from services.payment.states import FeeStatus
from tests.payment.till import CONFIRM, Till, confirmation

CASH_EVENTS = ["fee.assessed", "payment.initiated", "payment.succeeded", "fee.paid", "receipt.issued"]


class TestSuccess:
    """MaLoi "00", the right amount, for an open attempt of a due fee."""

    async def test_of_a_real_payer_settles_the_fee(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.pay(attempt["reference"])
        payment = await till.get(f"/payments/{attempt['id']}")
        assert (payment["status"], payment["settles_fee"], payment["pay_url"]) == ("succeeded", True, None)
        assert (await till.get(f"/fees/{fee.id}"))["status"] == "paid"
        (receipt,) = (await till.get("/receipts", dossier_code=fee.dossier_code))["items"]
        assert (receipt["amount_vnd"], receipt["issuer_code"]) == (50_000, "H32.14")
        assert await till.told_names(fee) == CASH_EVENTS

    async def test_fifty_times_at_once_has_one_effect(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        message = confirmation(attempt["reference"])
        answers = await asyncio.gather(*(till.client.post(CONFIRM, json=message) for _ in range(50)))
        assert [answer.json()["MaLoi"] for answer in answers] == ["00"] * 50
        assert await till.told_names(fee) == CASH_EVENTS
        assert len(await till.receipts(fee)) == 1
        assert await till.refunds(fee) == []
        assert sorted(await till.outcomes(attempt["reference"])) == ["duplicate"] * 49 + ["settled"]

    async def test_fifty_callbacks_of_the_platform_at_once_are_each_confirmed(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        paid = await till.pay(attempt["reference"], callbacks=50, parallel=True)
        replies = [reply for callback in paid["callbacks"] for reply in callback["replies"]]
        assert len(replies) == 50
        assert all(reply["hash_ok"] and '"MaLoi":"00"' in reply["body"] for reply in replies)
        assert await till.told_names(fee) == CASH_EVENTS

    async def test_repeated_later_changes_nothing(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        replies = [await till.confirm(attempt["reference"], MaGiaoDich="GD1") for _ in range(2)]
        assert [reply["MaLoi"] for reply in replies] == ["00", "00"]
        assert await till.told_names(fee) == CASH_EVENTS

    async def test_before_the_link_is_known_settles_too(self, till: Till) -> None:
        await till.fault("INIT", "delay", delay_s=0.3, count=1)
        fee = await till.owe()
        started = (await till.start(fee)).json()
        await till.confirm(started["reference"])
        await till.platform_answered()
        payment = await till.get(f"/payments/{started['id']}")
        assert (payment["status"], payment["pay_url"]) == ("succeeded", None)


class TestMoneyThatIsNotOurs:
    """MaLoi "00" that does not settle the fee: a refund is requested by itself."""

    async def test_a_second_transaction_of_one_attempt_goes_back(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.pay(attempt["reference"])
        second = await till.pay(attempt["reference"])
        (refund,) = await till.refunds(fee)
        assert (refund.reason, refund.amount_vnd) == ("second_transaction", 50_000)
        assert refund.transaction_number == second["MaGiaoDich"]
        assert [d.settles_fee for d in await till.rows(Deposit, Deposit.payment_id == refund.payment_id)] == [
            True,
            False,
        ]
        assert (await till.told_names(fee))[5:] == ["payment.succeeded", "refund.requested"]

    async def test_two_transactions_at_once_make_one_payment_and_one_refund(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        replies = await asyncio.gather(*(till.confirm(attempt["reference"]) for _ in range(2)))
        assert [reply["MaLoi"] for reply in replies] == ["00", "00"]
        assert len(await till.receipts(fee)) == 1
        assert [refund.reason for refund in await till.refunds(fee)] == ["second_transaction"]

    @pytest.mark.parametrize("paid_vnd", [1, 49_999, 50_001])
    async def test_a_wrong_amount_goes_back_and_the_fee_stays_due(self, till: Till, paid_vnd: int) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.pay(attempt["reference"], amount_vnd=paid_vnd)
        (refund,) = await till.refunds(fee)
        assert (refund.reason, refund.amount_vnd) == ("wrong_amount", paid_vnd)
        assert (await till.fee(fee)).status == FeeStatus.DUE
        payment = await till.get(f"/payments/{attempt['id']}")
        assert (payment["status"], payment["settles_fee"]) == ("succeeded", False)
        assert (await till.attempt(fee))["reference"] != attempt["reference"]

    async def test_a_success_after_cash_goes_back(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.pay_in_cash(fee)
        assert (await till.get(f"/payments/{attempt['id']}"))["status"] == "expired"
        await till.pay(attempt["reference"])
        assert [refund.reason for refund in await till.refunds(fee)] == ["fee_paid"]
        assert len(await till.receipts(fee)) == 1

    async def test_a_success_after_a_waiver_goes_back(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.post(f"/fees/{fee.id}/waive", {"legal_basis": "Điều 10 Luật Phí và lệ phí"})
        await till.pay(attempt["reference"])
        assert [refund.reason for refund in await till.refunds(fee)] == ["fee_waived"]
        assert (await till.fee(fee)).status == FeeStatus.WAIVED

    async def test_a_success_after_a_failure_goes_back(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.pay(attempt["reference"], outcome="fail")
        assert (await till.get(f"/payments/{attempt['id']}"))["status"] == "failed"
        await till.pay(attempt["reference"])
        assert [refund.reason for refund in await till.refunds(fee)] == ["attempt_failed"]
        assert (await till.fee(fee)).status == FeeStatus.DUE


class TestFailure:
    """MaLoi other than "00"."""

    async def test_ends_the_attempt_and_lets_another_be_opened(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.pay(attempt["reference"], outcome="fail")
        payment = await till.get(f"/payments/{attempt['id']}")
        assert (payment["status"], payment["failure"]) == ("failed", "declined_99")
        second = await till.attempt(fee)
        assert second["reference"] != attempt["reference"]
        await till.pay(second["reference"])
        assert (await till.fee(fee)).status == FeeStatus.PAID
        assert await till.refunds(fee) == []

    async def test_after_a_success_is_acknowledged_and_changes_nothing(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.pay(attempt["reference"])
        told = await till.told_names(fee)
        await till.pay(attempt["reference"], outcome="fail")
        assert await till.outcomes(attempt["reference"]) == ["settled", "too_late"]
        assert await till.told_names(fee) == told
        assert (await till.get(f"/payments/{attempt['id']}"))["status"] == "succeeded"

    async def test_against_a_success_at_once_never_takes_it_back(self, till: Till) -> None:
        for _ in range(5):
            fee = await till.owe()
            attempt = await till.attempt(fee)
            reference = attempt["reference"]
            await asyncio.gather(till.confirm(reference), till.confirm(reference, MaLoi="99", MaGiaoDich="GDF"))
            payment = await till.get(f"/payments/{attempt['id']}")
            assert payment["status"] == "succeeded"
            assert len(await till.receipts(fee)) + len(await till.refunds(fee)) == 1


class TestRefusal:
    """What is answered "99"."""

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"secret": "SECRET2"}, id="other secret"),
            pytest.param({"MaDoiTac": "PARTNER02"}, id="other partner"),
            pytest.param({"ThongTinGiaoDich": "THANH|TOAN"}, id="ambiguous"),
        ],
    )
    async def test_of_a_wrong_hash_changes_nothing(self, till: Till, changes: dict[str, Any]) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        assert (await till.confirm(attempt["reference"], **changes))["MaLoi"] == "99"
        assert await till.outcomes(attempt["reference"]) == ["wrong_hash"]
        assert await till.told_names(fee) == ["fee.assessed", "payment.initiated"]

    @pytest.mark.parametrize("field", ["MaLoi", "MaThamChieu", "SoTien", "MaGiaoDich", "MaTienTe", "ThoiGianGD"])
    async def test_of_a_field_changed_on_the_way(self, till: Till, field: str) -> None:
        attempt = await till.attempt(await till.owe())
        message = confirmation(attempt["reference"]) | {field: "1"}
        answer = await till.client.post(CONFIRM, json=message)
        assert answer.json()["MaLoi"] == "99"
        assert await till.scalars("SELECT outcome FROM callback_log") == ["wrong_hash"]

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"LoaiBanTin": "QUERY"}, id="kind"),
            pytest.param({"SoTien": "0"}, id="nothing"),
            pytest.param({"SoTien": "-5"}, id="negative"),
            pytest.param({"SoTien": "5e4"}, id="no number"),
            pytest.param({"MaTienTe": "USD"}, id="currency"),
            pytest.param({"MaGiaoDich": ""}, id="no transaction"),
            pytest.param({"MaLoi": ""}, id="no code"),
        ],
    )
    async def test_of_what_cannot_be_understood(self, till: Till, changes: dict[str, str]) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        assert (await till.confirm(attempt["reference"], **changes))["MaLoi"] == "99"
        assert await till.outcomes(attempt["reference"]) == ["malformed"]
        assert (await till.fee(fee)).status == FeeStatus.DUE

    async def test_of_an_unknown_reference(self, till: Till) -> None:
        assert (await till.confirm("dvc0"))["MaLoi"] == "99"
        assert await till.outcomes("dvc0") == ["unknown_reference"]

    async def test_of_a_transaction_that_paid_another_attempt(self, till: Till) -> None:
        first, second = [await till.attempt(await till.owe()) for _ in range(2)]
        await till.confirm(first["reference"], MaGiaoDich="GD1")
        assert (await till.confirm(second["reference"], MaGiaoDich="GD1"))["MaLoi"] == "99"
        assert await till.outcomes(second["reference"]) == ["transaction_reused"]
        assert (await till.get(f"/payments/{second['id']}"))["status"] == "initiated"

    async def test_of_no_message_at_all(self, till: Till) -> None:
        for body in (b"", b"{", b"[]", b'{"MaLoi": {}}', b'{"MaThamChieu": "' + b"x" * 600 + b'"}'):
            answer = await till.client.post(CONFIRM, content=body, headers={"Content-Type": "application/json"})
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")

    async def test_is_logged_without_what_anybody_may_have_written(self, till: Till) -> None:
        await till.client.post(CONFIRM, json={"MaThamChieu": "Nguyễn\x00 Văn <A>" + "9" * 100})
        (reference,) = await till.scalars("SELECT reference FROM callback_log")
        assert reference.startswith("Nguy?n??V?n??A?999")
        assert len(reference) == 64
