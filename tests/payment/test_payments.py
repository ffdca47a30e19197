"""Starting a payment: one open attempt a fee; cash at the counter."""

import asyncio
import re

import pytest

from services.payment.models import Payment
from services.payment.states import FeeStatus
from shared.events.payment import FeePaid, PaymentInitiated, ReceiptIssued
from tests.payment.till import Till


class TestStart:
    """POST /payments on the national platform."""

    async def test_opens_one_attempt_whoever_asks_how_often(self, till: Till) -> None:
        fee = await till.owe()
        answers = await asyncio.gather(*(till.start(fee) for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1
        attempt = await till.attempt(fee)
        assert await till.told_names(fee) == ["fee.assessed", "payment.initiated"]
        assert await till.calls() == ["INIT"]
        assert (await till.start(fee)).json()["pay_url"] == attempt["pay_url"]

    async def test_with_the_same_key_is_the_same_answer(self, till: Till) -> None:
        fee = await till.owe()
        answers = [await till.start(fee, key="k1") for _ in range(2)]
        assert answers[0].content == answers[1].content
        assert [answer.status_code for answer in answers] == [201, 201]

    async def test_tells_until_when_the_attempt_lives(self, till: Till) -> None:
        fee = await till.owe()
        body = {"fee_id": str(fee.id), "provider": "national_platform", "return_url": "https://dvc.example/back"}
        payment = (await till.post("/payments", body)).json()
        told = (await till.told(fee))[-1]
        assert isinstance(told, PaymentInitiated)
        assert told.expires_at is not None
        assert (told.expires_at - (await till.rows(Payment))[0].opened_at).total_seconds() == 86_400
        assert payment["return_url"] == "https://dvc.example/back"

    async def test_gives_every_attempt_its_own_reference(self, till: Till) -> None:
        fees = await asyncio.gather(*(till.owe() for _ in range(10)))
        payments = [(await till.start(fee)).json() for fee in fees]
        assert len({payment["reference"] for payment in payments}) == 10
        for fee, payment in zip(fees, payments, strict=True):
            letters = re.sub(r"[-.]", "", fee.dossier_code)
            assert re.fullmatch(rf"dvc{letters}\d{{12}}[0-9a-f]{{12}}", payment["reference"])

    @pytest.mark.parametrize("provider", ["national_platform", "cash"])
    async def test_is_refused_when_nothing_is_due(self, till: Till, provider: str) -> None:
        fee = await till.owe()
        await till.pay_in_cash(fee)
        answer = await till.start(fee, provider)
        assert (answer.status_code, answer.json()["code"]) == (409, "fee_not_due")
        assert answer.json()["fee_status"] == "paid"

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"fee_id": "1", "provider": "cash"},
            {"fee_id": "01890000-0000-7000-8000-000000000000", "provider": "gold"},
            {"fee_id": "01890000-0000-7000-8000-000000000000", "provider": "cash", "return_url": "javascript:1"},
            {"fee_id": "01890000-0000-7000-8000-000000000000", "provider": "cash", "amount_vnd": 1},
        ],
    )
    async def test_is_refused_when_it_cannot_be_understood(self, till: Till, body: dict[str, str]) -> None:
        answer = await till.post("/payments", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


class TestCash:
    """POST /payments at the counter."""

    async def test_settles_the_fee_with_its_receipt_at_once(self, till: Till) -> None:
        fee = await till.owe()
        payment = await till.pay_in_cash(fee)
        assert (payment["status"], payment["settles_fee"], payment["expires_at"]) == ("succeeded", True, None)
        assert (await till.fee(fee)).status == FeeStatus.PAID
        paid, issued = (await till.told(fee))[-2:]
        assert isinstance(paid, FeePaid)
        assert isinstance(issued, ReceiptIssued)
        assert (paid.method, paid.amount_vnd, issued.amount_vnd) == ("cash", 50_000, 50_000)
        assert await till.calls() == []

    async def test_ends_the_open_attempt(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.pay_in_cash(fee)
        assert (await till.get(f"/payments/{attempt['id']}"))["status"] == "expired"
        assert (await till.told_names(fee))[2] == "payment.expired"

    async def test_twice_at_once_is_taken_once(self, till: Till) -> None:
        fee = await till.owe()
        answers = await asyncio.gather(*(till.start(fee, "cash") for _ in range(10)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
        assert len(await till.receipts(fee)) == 1

    async def test_against_a_callback_at_once_settles_once(self, till: Till) -> None:
        for _ in range(5):
            fee = await till.owe()
            attempt = await till.attempt(fee)
            cash, reply = await asyncio.gather(till.start(fee, "cash"), till.confirm(attempt["reference"]))
            assert reply["MaLoi"] == "00"
            assert len(await till.receipts(fee)) == 1
            assert len(await till.refunds(fee)) == (cash.status_code == 201)

    async def test_cannot_be_confirmed_by_the_platform(self, till: Till) -> None:
        fee = await till.owe()
        payment = await till.pay_in_cash(fee)
        assert (await till.confirm(payment["reference"]))["MaLoi"] == "99"
        assert await till.refunds(fee) == []


class TestBill:
    """GET /payments/{id}/bill."""

    async def test_is_the_platforms_pdf(self, till: Till) -> None:
        attempt = await till.attempt(await till.owe())
        await till.pay(attempt["reference"])
        answer = await till.client.get(f"/payments/{attempt['id']}/bill", headers=till.headers())
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")

    async def test_is_not_there_without_money_or_for_cash(self, till: Till) -> None:
        attempt, cash = await till.attempt(await till.owe()), await till.pay_in_cash(await till.owe())
        for payment in (attempt, cash):
            answer = await till.client.get(f"/payments/{payment['id']}/bill", headers=till.headers())
            assert (answer.status_code, answer.json()["code"]) == (404, "bill_not_there")

    async def test_waits_for_a_platform_that_is_away(self, till: Till) -> None:
        attempt = await till.attempt(await till.owe())
        await till.fault("GET_BILL", "error_500")
        answer = await till.client.get(f"/payments/{attempt['id']}/bill", headers=till.headers())
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
