"""One obligation, one payment: whichever providers tell what how often, and what the citizen is told about it."""

import asyncio
from datetime import timedelta
from typing import Any

import orjson
import pytest

from services.payment.models import CallbackLog, Deposit
from services.payment.platform.bank import SIGNATURE, sign
from services.payment.platform.cleaning import REFUSED_FOR, delete_old
from services.payment.states import FeeStatus
from shared import clock
from tests.payment.providers import ACCOUNT, BANK_SECRET
from tests.payment.test_vnpay import rsp, told
from tests.payment.till import Till, confirmation, item, new_code, raw, rejected, retracted, withdrawn

LOOKUP = "/payments/lookups/national"


async def money(till: Till, fee: Any) -> dict[str, Any]:
    return await till.get(f"/fees/{fee.id}/money")


async def transferred(till: Till, number: str, content: str) -> str:
    words = {"transaction_number": number, "account_number": ACCOUNT["number"], "amount_vnd": 50_000}
    body = orjson.dumps(words | {"content": content, "booked_at": "2026-11-23T14:30:05+07:00"})
    headers = {SIGNATURE: sign(body, BANK_SECRET)}
    return (await till.client.post("/payments/callbacks/vietqr", content=body, headers=headers)).json()["code"]


class TestOneOpenAttempt:
    """One way at a time."""

    async def test_of_another_provider_is_refused_with_what_to_do(self, till: Till) -> None:
        fee = await till.owe()
        first = await till.attempt(fee)
        answer = await till.start(fee, "vietqr")
        assert (answer.status_code, answer.json()["code"]) == (409, "attempt_open")
        assert (answer.json()["payment_id"], answer.json()["provider"]) == (first["id"], "national_platform")

    async def test_is_cancelled_for_another_way(self, till: Till) -> None:
        fee = await till.owe()
        first = await till.attempt(fee)
        cancelled = await till.post(f"/payments/{first['id']}/cancel")
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "expired")
        assert (await till.attempt(fee, "vietqr"))["provider"] == "vietqr"
        again = await till.post(f"/payments/{first['id']}/cancel")
        assert (again.status_code, again.json()["code"]) == (409, "illegal_move")

    async def test_whatever_providers_are_asked_at_once(self, till: Till) -> None:
        fee = await till.owe()
        ways = ["national_platform", "vnpay", "vietqr"] * 6
        answers = await asyncio.gather(*(till.start(fee, way) for way in ways))
        assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201] + [409] * 12
        assert await till.scalars("SELECT count(*) FROM payment") == [1]

    async def test_fifty_notices_of_three_providers_at_once_settle_one_fee_once(self, till: Till) -> None:
        fee = await till.owe()
        national = await till.attempt(fee)
        await till.post(f"/payments/{national['id']}/cancel")
        gateway = await till.attempt(fee, "vnpay")
        await till.post(f"/payments/{gateway['id']}/cancel")
        transfer = await till.attempt(fee, "vietqr")
        calls: list[Any] = [till.confirm(national["reference"], MaGiaoDich=f"GD{nth % 9}") for nth in range(17)]
        calls += [rsp(till, told(gateway, vnp_TransactionNo=str(1 + nth % 9))) for nth in range(17)]
        calls += [transferred(till, f"FT{nth % 9}", transfer["reference"]) for nth in range(16)]
        await asyncio.gather(*calls)
        deposits = await till.rows(Deposit)
        assert len(deposits) == 27
        assert [deposit.provider for deposit in deposits if deposit.settles_fee] == ["vietqr"]
        assert sorted(deposit.refunded_vnd for deposit in deposits) == [0] + [50_000] * 26
        assert (len(await till.receipts(fee)), len(await till.refunds(fee))) == (1, 26)
        told_money = await money(till, fee)
        assert (told_money["received_vnd"], told_money["kept_vnd"]) == (27 * 50_000, 50_000)


class TestOffer:
    """Which agency offers which way of paying."""

    async def test_is_told(self, till: Till) -> None:
        offered = await till.get("/payments/providers", agency_code="H32.14")
        assert offered["providers"] == ["national_platform", "vnpay", "vietqr", "cash"]
        assert (await till.get("/payments/providers", agency_code="H32.77.1"))["providers"] == ["cash"]

    async def test_lacks_a_way_and_says_what_there_is(self, till: Till) -> None:
        fee = await till.owe(agency="H32.77")
        answer = await till.start(fee, "vnpay", agency="H32")
        assert (answer.status_code, answer.json()["code"]) == (409, "provider_not_offered")
        assert answer.json()["offered"] == ["cash"]
        assert (await till.start(fee, "cash", agency="H32")).status_code == 201


class TestMoney:
    """GET /fees/{id}/money."""

    async def test_is_told_from_nothing_to_kept(self, till: Till) -> None:
        fee = await till.owe()
        assert (await money(till, fee))["state"] == "not_received"
        attempt = await till.attempt(fee, "vnpay")
        waiting = await money(till, fee)
        assert (waiting["state"], "15 phút" in waiting["message_vi"]) == ("waiting", True)
        await till.pay_vnpay(attempt)
        got = await money(till, fee)
        assert (got["state"], got["kept_vnd"]) == ("received", 50_000)
        assert got["message_vi"] == "Chúng tôi đã nhận được tiền của bạn: 50.000 đồng."

    async def test_is_told_while_it_goes_back_and_after(self, till: Till) -> None:
        fee = await till.owe()
        await till.pay((await till.attempt(fee))["reference"], amount_vnd=30_000)
        going = await money(till, fee)
        assert (going["state"], going["being_refunded_vnd"]) == ("being_returned", 30_000)
        assert going["message"].endswith("50.000 đồng are still to be paid.")
        (refund,) = await till.refunds(fee)
        await till.post(f"/refunds/{refund.id}/send", {"transfer_reference": "FT1"})
        await till.post(f"/refunds/{refund.id}/done")
        gone = await money(till, fee)
        assert (gone["state"], gone["refunded_vnd"], gone["kept_vnd"]) == ("not_received", 30_000, 0)

    @pytest.mark.parametrize(("paid", "state"), [(False, "nothing_to_pay"), (True, "being_returned")])
    async def test_of_a_rejected_dossier(self, till: Till, paid: bool, state: str) -> None:
        fee = await till.owe()
        if paid:
            await till.pay_in_cash(fee)
        await till.hear(raw(rejected(), fee.dossier_code))
        assert (await money(till, fee))["state"] == state

    async def test_of_a_dossier_entered_by_mistake(self, till: Till) -> None:
        fee = await till.owe()
        await till.hear(raw(retracted(), fee.dossier_code))
        assert (await money(till, fee))["state"] == "nothing_to_pay"

    async def test_of_another_agency_is_not_there(self, till: Till) -> None:
        fee = await till.owe()
        answer = await till.client.get(f"/fees/{fee.id}/money", headers=till.headers(agency="H33"))
        assert answer.status_code == 404


class TestLookup:
    """dptracuuthanhtoanhs: the portal asks what a dossier has to pay."""

    async def ask(self, till: Till, code: str, **who: Any) -> Any:
        headers = till.issuer.headers(who.pop("scopes", ["portal"]), agency=who.pop("agency", "H32"))
        return await till.client.post(LOOKUP, json={"MaHoSo": code}, headers=headers)

    async def test_answers_1_0_and_minus_1(self, till: Till) -> None:
        (fee,) = await till.accept(item(50_000), item(20_000))
        owing = (await self.ask(till, fee.dossier_code)).json()
        assert (owing["error_code"], owing["SoTien"], len(owing["PhiLePhi"])) == (1, "70000", 2)
        assert owing["MaTraCuuTT"].startswith(fee.dossier_code)
        await till.pay_in_cash(fee)
        assert (await self.ask(till, fee.dossier_code)).json()["error_code"] == 0
        assert (await self.ask(till, new_code())).json()["error_code"] == -1

    async def test_knows_a_dossier_that_costs_nothing(self, till: Till) -> None:
        code = new_code()
        await till.accept(code=code)
        assert (await self.ask(till, code)).json()["error_code"] == 0
        assert (await self.ask(till, code, agency="H33")).json()["error_code"] == -1

    async def test_is_for_the_portal_alone(self, till: Till) -> None:
        assert (await self.ask(till, "H32.14-1", scopes=["fees:read"])).status_code == 403


class TestKeys:
    """While one secret replaces another, both are valid; every notice says which it was signed with."""

    async def test_of_the_national_platform(self, till: Till) -> None:
        for secret, name in (("SECRET", "current"), ("SECRET2025", "previous")):
            attempt = await till.attempt(await till.owe())
            message = confirmation(attempt["reference"], secret=secret)
            reply = (await till.client.post("/payments/callbacks/national", json=message)).json()
            assert reply["MaLoi"] == "00"
            (kept,) = await till.rows(CallbackLog, CallbackLog.reference == attempt["reference"])
            assert (kept.key_used, kept.provider) == (name, "national_platform")


class TestLog:
    """The log of notices is bounded."""

    async def test_keeps_what_was_taken_and_drops_what_was_refused_after_a_month(self, till: Till) -> None:
        attempt = await till.attempt(await till.owe())
        await till.confirm(attempt["reference"])
        await till.confirm("dvc0")
        month = clock.now() + REFUSED_FOR + timedelta(days=1)
        assert await delete_old(till.database, timedelta(days=400), month) == 1
        assert await till.outcomes(attempt["reference"]) == ["settled"]
        assert await delete_old(till.database, timedelta(days=400), clock.now() + timedelta(days=401)) == 1


async def test_a_late_success_of_a_withdrawn_fee_goes_back_by_every_provider(till: Till) -> None:
    for provider in ("vnpay", "vietqr"):
        fee = await till.owe()
        attempt = await till.attempt(fee, provider)
        await till.hear(raw(withdrawn(), fee.dossier_code))
        await (till.pay_vnpay(attempt) if provider == "vnpay" else till.transfer(attempt))
        assert [refund.reason for refund in await till.refunds(fee)] == ["fee_cancelled"]
        assert (await till.fee(fee)).status == FeeStatus.CANCELLED
