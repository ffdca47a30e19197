"""Asking the platform: a new attempt gets its link, and what nobody reported is found out."""

import asyncio
from typing import Any

import httpx
import pytest

from services.payment.app import create_app
from services.payment.settings import PaymentSettings
from services.payment.states import FeeStatus
from tests.payment.till import Till
from tests.portal.process import PARTNER, SECRET


class TestLink:
    """The link under which a new attempt can be paid."""

    async def test_is_there_soon_after_the_attempt_and_can_be_paid(self, till: Till) -> None:
        fee = await till.owe()
        started = await till.start(fee)
        assert (started.status_code, started.json()["status"], started.json()["pay_url"]) == (201, "initiated", None)
        attempt = await till.attempt(fee)
        assert (await till.platform.get(attempt["pay_url"])).status_code == 200
        await till.platform.post(attempt["pay_url"], data={"outcome": "success"})
        assert (await till.fee(fee)).status == FeeStatus.PAID

    async def test_comes_of_an_attempt_that_was_committed_before(self, till: Till) -> None:
        await till.fault("INIT", "delay", delay_s=0.3, count=1)
        started = (await till.start(await till.owe())).json()
        assert await till.scalars("SELECT status FROM payment WHERE id = :id", id=started["id"]) == ["initiated"]
        assert await till.inits(started["reference"]) == []
        await till.payment_when(started["id"], lambda payment: payment["pay_url"])

    @pytest.mark.parametrize("kind", ["error_500", "garbage_200", "down", "error_code", "delay"])
    async def test_comes_after_the_platform_was_in_trouble(self, till: Till, kind: str) -> None:
        await till.fault("INIT", kind, count=2, delay_s=2)
        fee = await till.owe()
        attempt = await till.attempt(fee)
        assert len(await till.inits(attempt["reference"])) == 1
        assert await till.told_names(fee) == ["fee.assessed", "payment.initiated"]

    async def test_comes_after_a_time_out_that_had_its_effect(self, till: Till) -> None:
        await till.fault("INIT", "timeout_after_effect", count=1, delay_s=2)
        attempt = await till.attempt(await till.owe())
        first, *between, last = await till.calls()
        # A busy machine's QUERY may take longer than our patience, and is asked again.
        assert (first, set(between), last) == ("INIT", {"QUERY"}, "INIT")
        assert len(await till.inits(attempt["reference"])) == 1

    async def test_payer_who_was_faster_than_our_time_out_is_found_by_query(self, till: Till) -> None:
        await till.fault("INIT", "timeout_after_effect", count=1, delay_s=2)
        fee = await till.owe()
        started = (await till.start(fee)).json()
        await till.eventually(lambda: till.inits(started["reference"]), len)
        await till.pay(started["reference"], callbacks=0)
        payment = await till.ended(started)
        assert (payment["status"], payment["settles_fee"]) == ("succeeded", True)
        assert len(await till.receipts(fee)) == 1

    async def test_never_comes_of_a_lasting_refusal_and_the_attempt_fails(self, till: Till) -> None:
        await till.fault("INIT", "refuse")
        fee = await till.owe()
        payment = await till.ended((await till.start(fee)).json())
        assert (payment["status"], payment["failure"]) == ("failed", "refused_99")
        await till.platform.delete("/_control/faults")
        assert (await till.attempt(fee))["id"] != payment["id"]

    async def test_is_asked_for_by_the_next_process_when_one_died_on_the_way(self, till: Till) -> None:
        await till.fault("INIT", "delay", delay_s=0.4, count=1)
        started = (await till.start(await till.owe())).json()
        leased = "SELECT 1 FROM payment WHERE asks = 1 AND ask_at > opened_at"
        await till.eventually(lambda: till.scalars(leased), len)
        await till.ask_now(started)  # the lease of the one that died is over
        await till.payment_when(started["id"], lambda payment: payment["pay_url"])


class TestQuery:
    """QUERY, for attempts that nobody reported."""

    async def test_finds_a_success_that_nobody_reported(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        paid = await till.pay(attempt["reference"], callbacks=0)
        await till.ask_now(attempt)
        payment = await till.ended(attempt)
        assert (payment["status"], payment["transaction_number"]) == ("succeeded", paid["MaGiaoDich"])
        assert (await till.fee(fee)).status == FeeStatus.PAID
        assert len(await till.receipts(fee)) == 1

    async def test_and_the_late_callback_are_one_payment(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        paid = await till.pay(attempt["reference"], callbacks=0)
        await till.ask_now(attempt)
        await till.ended(attempt)
        assert (await till.confirm(attempt["reference"], MaGiaoDich=paid["MaGiaoDich"]))["MaLoi"] == "00"
        assert await till.outcomes(attempt["reference"]) == ["duplicate"]
        assert await till.refunds(fee) == []

    async def test_finds_a_wrong_amount(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.pay(attempt["reference"], callbacks=0, amount_vnd=10)
        await till.ask_now(attempt)
        await till.ended(attempt)
        assert [refund.reason for refund in await till.refunds(fee)] == ["wrong_amount"]

    async def test_finds_a_failure(self, till: Till) -> None:
        attempt = await till.attempt(await till.owe())
        await till.pay(attempt["reference"], callbacks=0, outcome="fail")
        await till.ask_now(attempt)
        assert (await till.ended(attempt))["failure"] == "declined"

    async def test_leaves_a_pending_attempt_open_and_asks_again(self, till: Till) -> None:
        attempt = await till.attempt(await till.owe())
        await till.ask_now(attempt)
        planned = "SELECT extract(epoch FROM ask_at - now()) FROM payment WHERE asks = 0 AND ask_at > now()"
        (seconds,) = await till.eventually(lambda: till.scalars(planned), len)
        assert 50 < seconds <= 60
        assert (await till.get(f"/payments/{attempt['id']}"))["status"] == "initiated"

    @pytest.mark.parametrize("kind", ["error_500", "garbage_200", "down"])
    async def test_without_a_clear_answer_decides_nothing(self, till: Till, kind: str) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.fault("QUERY", kind, count=2)
        await till.ask_now(attempt, out_of_time=True)
        await till.eventually(lambda: till.scalars("SELECT 1 FROM payment WHERE asks >= 2"), len)
        assert (await till.get(f"/payments/{attempt['id']}"))["status"] == "initiated"
        await till.pay(attempt["reference"], callbacks=0)
        assert (await till.ended(attempt))["status"] == "succeeded"
        assert (await till.fee(fee)).status == FeeStatus.PAID


class TestExpiry:
    """The end of an attempt that nobody paid."""

    async def test_comes_after_a_query_that_found_nothing(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.ask_now(attempt, out_of_time=True)
        assert (await till.ended(attempt))["status"] == "expired"
        assert (await till.told_names(fee))[-1] == "payment.expired"

    async def test_never_loses_money_that_came_at_the_last_moment(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.pay(attempt["reference"], callbacks=0)
        await till.ask_now(attempt, out_of_time=True)
        assert (await till.ended(attempt))["status"] == "succeeded"
        assert (await till.fee(fee)).status == FeeStatus.PAID

    async def test_of_an_attempt_that_the_platform_never_heard_of(self, till: Till) -> None:
        await till.fault("INIT", "down")
        started = (await till.start(await till.owe())).json()
        await till.eventually(lambda: till.scalars("SELECT 1 FROM payment WHERE asks >= 2"), len)
        await till.ask_now(started, out_of_time=True)
        assert (await till.ended(started))["status"] == "expired"

    async def test_is_followed_by_a_last_question_when_the_attempt_was_replaced(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.pay_in_cash(fee)
        assert await till.scalars("SELECT ask_at = expires_at FROM payment WHERE provider <> 'cash'") == [True]
        await till.pay(attempt["reference"], callbacks=0)  # the old link was still in somebody's hands
        await till.ask_now(attempt, out_of_time=True)
        await till.payment_when(attempt["id"], lambda payment: payment["status"] == "succeeded")
        assert [refund.reason for refund in await till.refunds(fee)] == ["fee_paid"]

    async def test_is_final_for_the_asker_when_nothing_came_of_a_replaced_attempt(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.pay_in_cash(fee)
        await till.ask_now(attempt, ended_days_ago=7)
        await till.eventually(lambda: till.scalars("SELECT 1 FROM payment WHERE ask_at IS NOT NULL"), lambda r: not r)
        assert (await till.get(f"/payments/{attempt['id']}"))["status"] == "expired"

    async def test_is_followed_by_a_question_a_day_for_a_week(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee)
        await till.ask_now(attempt, out_of_time=True)
        await till.ended(attempt)
        tomorrow = "SELECT 1 FROM payment WHERE ask_at BETWEEN ended_at + '23 hours' AND ended_at + '25 hours'"
        assert await till.scalars(tomorrow) == [1]
        await till.pay(attempt["reference"], callbacks=0)  # long after our time-out, and nobody told us
        await till.ask_now(attempt, ended_days_ago=6)
        await till.payment_when(attempt["id"], lambda payment: payment["status"] == "succeeded")
        assert [refund.reason for refund in await till.refunds(fee)] == ["attempt_expired"]


class TestTwoProcesses:
    """Two processes of payment on one database."""

    async def test_never_put_one_question_at_the_same_time(self, till: Till, database_url: str) -> None:
        settings: dict[str, Any] = {
            "database_url": database_url,
            "amqp_url": "amqp://guest:guest@127.0.0.1:1/",
            "platform_url": str(till.platform.base_url),
            "platform_partner": PARTNER,
            "platform_secret": SECRET,
            "platform_poll_s": 0.02,
        }
        second = create_app(PaymentSettings.model_validate(settings))
        async with second.router.lifespan_context(second):
            fees = [await till.owe() for _ in range(20)]
            await asyncio.gather(*(till.attempt(fee) for fee in fees))
        calls = await till.calls()
        # A link is asked for again only after a QUERY; a question put twice would be an INIT without one.
        assert 20 <= calls.count("INIT") <= 20 + calls.count("QUERY")


async def test_platform_that_is_away_does_not_hold_up_a_start(till: Till) -> None:
    await till.fault("INIT", "delay", delay_s=5)
    fees = [await till.owe() for _ in range(20)]
    async with asyncio.timeout(5):
        started: list[httpx.Response] = [await till.start(fee) for fee in fees]
    assert {answer.status_code for answer in started} == {201}
