"""Defects of real payment systems (DOMAIN.md §3.5), each impossible here."""

import asyncio
import re
from datetime import UTC, datetime

import pytest

from services.payment.operations import attempts
from services.payment.platform import messages
from services.payment.states import FeeStatus
from shared.ids import new_id
from tests.payment.till import CONFIRM, Till, confirmation


def test_twelve_hour_clock_gives_wrong_times_in_the_afternoon() -> None:
    assert messages.write_time(datetime(2026, 11, 23, 8, 30, tzinfo=UTC)) == "20261123153000"


def test_references_collide_twelve_hours_apart() -> None:
    made = {
        attempts._reference("H32.14-261123-0001", new_id(), datetime(2026, 11, 23, hour, 5, 33, tzinfo=UTC))
        for hour in (2, 14)
        for _ in range(1000)
    }
    assert len(made) == 2000
    assert {re.sub(r"[0-9a-f]{12}$", "", one)[-6:] for one in made} == {"090533", "210533"}


async def test_new_reference_per_click_leaves_the_earlier_link_payable(till: Till) -> None:
    fee = await till.owe()
    clicks = [await till.attempt(fee) for _ in range(3)]
    assert len({click["reference"] for click in clicks}) == 1
    assert await till.calls() == ["INIT"]


@pytest.mark.parametrize("provider", ["vnpay", "vietqr"])
async def test_earlier_link_of_another_provider_stays_payable_and_keeps_the_money(till: Till, provider: str) -> None:
    """A link that was given out can be paid for ever: what comes for it once it was replaced goes back."""
    fee = await till.owe()
    earlier = await till.attempt(fee, provider)
    await till.post(f"/payments/{earlier['id']}/cancel")
    await till.pay((await till.attempt(fee))["reference"])
    await (till.pay_vnpay(earlier) if provider == "vnpay" else till.transfer(earlier))
    assert [refund.reason for refund in await till.refunds(fee)] == ["fee_paid"]
    assert len(await till.receipts(fee)) == 1


async def test_checksum_failure_is_ignored_and_anyone_can_mark_a_fee_paid(till: Till) -> None:
    fee = await till.owe()
    attempt = await till.attempt(fee)
    for forged in ({"secret": "guess"}, {"secret": ""}):
        assert (await till.confirm(attempt["reference"], **forged))["MaLoi"] == "99"
    unsigned = {**confirmation(attempt["reference"]), "MaXacThuc": ""}
    assert (await till.client.post(CONFIRM, json=unsigned)).json()["MaLoi"] == "99"
    assert (await till.fee(fee)).status == FeeStatus.DUE


async def test_error_code_is_ignored_and_a_failure_marks_a_fee_paid(till: Till) -> None:
    fee = await till.owe()
    attempt = await till.attempt(fee)
    await till.confirm(attempt["reference"], MaLoi="24")
    assert (await till.fee(fee)).status == FeeStatus.DUE
    assert await till.receipts(fee) == []


async def test_second_success_is_silently_kept_without_a_refund(till: Till) -> None:
    fee = await till.owe()
    attempt = await till.attempt(fee)
    for _ in range(3):
        await till.pay(attempt["reference"])
    refunds = await till.refunds(fee)
    assert len(refunds) == 2
    assert {refund.status for refund in refunds} == {"requested"}


async def test_amount_is_never_compared(till: Till) -> None:
    fee = await till.owe(50_000)
    attempt = await till.attempt(fee)
    await till.confirm(attempt["reference"], SoTien="5000")
    assert (await till.fee(fee)).status == FeeStatus.DUE
    assert [refund.amount_vnd for refund in await till.refunds(fee)] == [5_000]


async def test_two_concurrent_confirms_issue_two_receipts(till: Till) -> None:
    for _ in range(10):
        fee = await till.owe()
        attempt = await till.attempt(fee)
        message = confirmation(attempt["reference"])
        await asyncio.gather(*(till.client.post(CONFIRM, json=message) for _ in range(2)))
        assert len(await till.receipts(fee)) == 1


async def test_late_failure_overwrites_a_success(till: Till) -> None:
    fee = await till.owe()
    attempt = await till.attempt(fee)
    await till.confirm(attempt["reference"], MaGiaoDich="GD1")
    assert (await till.confirm(attempt["reference"], MaLoi="99", MaGiaoDich="GD1"))["MaLoi"] == "00"
    assert (await till.fee(fee)).status == FeeStatus.PAID
    assert (await till.get(f"/payments/{attempt['id']}"))["status"] == "succeeded"


async def test_reply_echoes_the_callers_hash(till: Till) -> None:
    attempt = await till.attempt(await till.owe())
    message = confirmation(attempt["reference"])
    reply = (await till.client.post(CONFIRM, json=message)).json()
    assert reply["MaXacThuc"] != message["MaXacThuc"]
    assert await till.outcomes(attempt["reference"]) == ["settled"]


async def test_receipt_failure_is_swallowed_and_the_fee_is_paid_without_a_receipt(till: Till) -> None:
    fee = await till.owe()
    attempt = await till.attempt(fee)
    async with till.database.session() as session, session.begin():
        await (await session.connection()).exec_driver_sql("ALTER TABLE receipt ADD CONSTRAINT broken CHECK (false)")
    try:
        unprotected = till.client.post(CONFIRM, json=confirmation(attempt["reference"]))
        await asyncio.gather(unprotected, return_exceptions=True)
        assert (await till.fee(fee)).status == FeeStatus.DUE
    finally:
        async with till.database.session() as session, session.begin():
            await (await session.connection()).exec_driver_sql("ALTER TABLE receipt DROP CONSTRAINT broken")
    assert (await till.confirm(attempt["reference"]))["MaLoi"] == "00"
    assert len(await till.receipts(fee)) == 1


async def test_failure_is_not_stored(till: Till) -> None:
    """The update of the failing path was wrong SQL (SET … AND …): no status was ever written."""
    attempt = await till.attempt(await till.owe())
    await till.confirm(attempt["reference"], MaLoi="24")
    payment = await till.get(f"/payments/{attempt['id']}")
    assert (payment["status"], payment["failure"]) == ("failed", "declined_24")


async def test_wrong_amount_is_refused_while_the_gateway_keeps_the_success(till: Till) -> None:
    fee = await till.owe()
    attempt = await till.attempt(fee)
    paid = await till.pay(attempt["reference"], amount_vnd=60_000)
    assert '"MaLoi":"00"' in paid["callbacks"][0]["replies"][0]["body"]
    assert [refund.amount_vnd for refund in await till.refunds(fee)] == [60_000]


async def test_invalid_amount_is_answered_and_vnpay_keeps_the_money(till: Till) -> None:
    """lehuygiang28/vnpay issue 31: the merchant answers 04, VNPAY keeps its success, nobody has the payer's money."""
    fee = await till.owe()
    attempt = await till.attempt(fee, "vnpay")
    paid = await till.pay_vnpay(attempt, amount_vnd=60_000)
    assert '"04"' in paid["callbacks"][0]["replies"][0]["body"]
    assert [refund.amount_vnd for refund in await till.refunds(fee)] == [60_000]
    assert (await till.fee(fee)).status == FeeStatus.DUE


async def test_debited_by_the_bank_and_unsuccessful_at_the_gateway_is_lost_between_them(till: Till) -> None:
    """DOMAIN.md §8: status 04."""
    fee = await till.owe()
    await till.pay_vnpay(await till.attempt(fee, "vnpay"), status="04")
    assert [(refund.reason, refund.status) for refund in await till.refunds(fee)] == [("reversed", "requested")]


async def test_status_differs_between_front_and_back(till: Till) -> None:
    """One row is asked by everyone: the payment, its fee and its receipt are read back as one state."""
    fee = await till.owe()
    attempt = await till.attempt(fee)
    await till.pay(attempt["reference"])
    query = "SELECT to_status FROM status_change WHERE subject = :code ORDER BY id"
    assert await till.scalars(query, code=fee.dossier_code) == ["due", "initiated", "succeeded", "paid"]
    assert (await till.get("/payments", dossier_code=fee.dossier_code))["items"][0]["status"] == "succeeded"
    assert (await till.get("/fees", dossier_code=fee.dossier_code))["items"][0]["status"] == "paid"
