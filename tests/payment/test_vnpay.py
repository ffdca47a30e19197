"""VNPAY: the vector of DOMAIN.md §3.2, the way of an order, every entry of the fault menu, refunds by message."""

import asyncio
from datetime import datetime
from typing import Any

import httpx
import pytest

from services.payment.models import Deposit
from services.payment.platform import vnpay
from services.payment.platform.keys import Keys
from services.payment.platform.vnpay import Merchant, Vnpay
from services.payment.states import FeeStatus
from shared.clock import VN
from tests.payment.providers import TMN_CODE, VNPAY_SECRET, VNPAY_SECRET_PREVIOUS
from tests.payment.till import Till

IPN = "/payments/callbacks/vnpay"
VECTOR = (
    "vnp_Amount=5000000&vnp_Command=pay&vnp_CreateDate=20210407090533&vnp_CurrCode=VND&vnp_IpAddr=10.0.0.1&vnp_Locale=vn"
    "&vnp_OrderInfo=Thanh+toan+ho+so&vnp_OrderType=other&vnp_ReturnUrl=https%3A%2F%2Fdvc.example%2Fret&vnp_TmnCode=DEMO"
    "&vnp_TxnRef=H32.14-210407-0001&vnp_Version=2.1.0"
)
SIGNATURE = (
    "85265da4d00c77676e47ab248c86959a48fcbcc9f3582ff40465ef2e3923803457f38775d61af3a156dcf5362bd6ab4e"
    "ad11d400aa6b879c36bca18ccdbd5478"
)
REFUND: dict[str, Any] = {"method": "provider"}


def told(attempt: dict[str, Any], *, secret: str = VNPAY_SECRET, **changes: str) -> dict[str, str]:
    """Return an IPN of success, rightly signed whatever is changed."""
    words = {
        "vnp_TmnCode": TMN_CODE,
        "vnp_TxnRef": attempt["reference"],
        "vnp_Amount": str(attempt["amount_vnd"] * 100),
        "vnp_BankCode": "NCB",
        "vnp_OrderInfo": "Thanh toan ho so",
        "vnp_PayDate": "20261123143005",
        "vnp_ResponseCode": "00",
        "vnp_TransactionNo": "14000001",
        "vnp_TransactionStatus": "00",
        **changes,
    }
    return words | {vnpay.HASH: vnpay.sign(vnpay.query_string(words), secret)}


async def rsp(till: Till, words: dict[str, str]) -> str:
    return (await till.client.get(IPN, params=words)).json()["RspCode"]


class TestWords:
    """HMAC-SHA512 over the sorted, encoded query."""

    def test_sign_the_vector(self) -> None:
        words = {
            "vnp_Version": "2.1.0",
            "vnp_TxnRef": "H32.14-210407-0001",
            "vnp_TmnCode": "DEMO",
            "vnp_ReturnUrl": "https://dvc.example/ret",
            "vnp_OrderType": "other",
            "vnp_OrderInfo": "Thanh toan ho so",
            "vnp_Locale": "vn",
            "vnp_IpAddr": "10.0.0.1",
            "vnp_CurrCode": "VND",
            "vnp_CreateDate": "20210407090533",
            "vnp_Command": "pay",
            "vnp_Amount": 5_000_000,
            "vnp_BankCode": "",
        }
        assert vnpay.query_string(words) == VECTOR
        assert vnpay.sign(VECTOR, "SECRET") == SIGNATURE
        shop = Merchant("DEMO", Keys("SECRET"), "10.0.0.1", "https://pay.example", "https://dvc.example/ret")
        address = Vnpay(shop, httpx.AsyncClient(), timeout_s=1).pay_url(words)
        assert address == f"https://pay.example/paymentv2/vpcpay.html?{VECTOR}&vnp_SecureHash={SIGNATURE}"

    def test_write_the_afternoon_on_a_clock_of_24_hours(self) -> None:
        assert vnpay.write_time(datetime(2026, 11, 23, 15, 4, 5, tzinfo=VN)) == "20261123150405"


class TestPay:
    """An order from its address to its money."""

    async def test_of_a_real_payer_settles_the_fee(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vnpay")
        await till.vnpay.post(attempt["pay_url"], data={"status": "00"})
        payment = await till.get(f"/payments/{attempt['id']}")
        assert (payment["status"], payment["settles_fee"], payment["pay_url"]) == ("succeeded", True, None)
        assert (await till.fee(fee)).status == FeeStatus.PAID
        assert await till.outcomes(attempt["reference"]) == ["settled"]
        assert len(await till.receipts(fee)) == 1

    async def test_that_fails_lets_another_be_opened(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vnpay")
        await till.pay_vnpay(attempt, status="02")
        assert (await till.get(f"/payments/{attempt['id']}"))["failure"] == "declined_02"
        assert (await till.attempt(fee, "vnpay"))["id"] != attempt["id"]

    async def test_fifty_ipns_at_once_have_one_effect(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vnpay")
        paid = await till.pay_vnpay(attempt, callbacks=50, parallel=True)
        bodies = [reply["body"] for callback in paid["callbacks"] for reply in callback["replies"]]
        assert sorted(body.partition('Code":"')[2][:2] for body in bodies) == ["00"] + ["02"] * 49
        assert (len(await till.receipts(fee)), await till.refunds(fee)) == (1, [])

    async def test_that_nobody_opened_is_pending_and_expires(self, till: Till) -> None:
        attempt = await till.attempt(await till.owe(), "vnpay")
        await till.ask_now(attempt, out_of_time=True)
        assert (await till.ended(attempt))["status"] == "expired"


class TestFaults:
    """What VNPAY can be made to do wrong."""

    async def test_ipn_that_never_comes_is_found_by_querydr(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vnpay")
        await till.order(till.vnpay, "never")
        paid = await till.pay_vnpay(attempt)
        await till.ask_now(attempt)
        payment = await till.ended(attempt)
        assert (payment["status"], payment["transaction_number"]) == ("succeeded", paid["vnp_TransactionNo"])
        assert (await till.fee(fee)).status == FeeStatus.PAID

    async def test_late_and_duplicate_ipns_pay_once(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vnpay")
        await till.order(till.vnpay, "late", delay_s=0.1)
        await till.order(till.vnpay, "duplicate")
        await till.pay_vnpay(attempt)
        await till.eventually(lambda: till.outcomes(attempt["reference"]), lambda found: len(found) == 2)
        assert await till.outcomes(attempt["reference"]) == ["settled", "duplicate"]

    async def test_success_after_our_time_out_goes_back(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vnpay")
        await till.ask_now(attempt, out_of_time=True)
        await till.ended(attempt)
        await till.pay_vnpay(attempt)
        assert [refund.reason for refund in await till.refunds(fee)] == ["attempt_expired"]
        assert (await till.fee(fee)).status == FeeStatus.DUE

    @pytest.mark.parametrize("difference", [-1_000, 1_000])
    async def test_wrong_amount_is_answered_04_and_goes_back(self, till: Till, difference: int) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vnpay")
        await till.order(till.vnpay, "wrong_amount", difference_vnd=difference)
        await till.pay_vnpay(attempt)
        await till.eventually(lambda: till.outcomes(attempt["reference"]), lambda found: len(found) > 1)
        assert await till.outcomes(attempt["reference"]) == ["wrong_amount", "duplicate"]
        assert [(r.reason, r.amount_vnd) for r in await till.refunds(fee)] == [("wrong_amount", 50_000 + difference)]

    async def test_bad_signature_changes_nothing(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vnpay")
        await till.order(till.vnpay, "bad_signature", count=1)
        paid = await till.pay_vnpay(attempt)
        assert '"97"' in paid["callbacks"][0]["replies"][0]["body"]
        assert (await till.fee(fee)).status == FeeStatus.DUE

    async def test_reversed_after_success_opens_a_refund_and_keeps_the_receipt(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vnpay")
        await till.order(till.vnpay, "reversed", delay_s=0.05)
        await till.pay_vnpay(attempt)
        await till.eventually(lambda: till.refunds(fee), len)
        assert [(r.reason, r.amount_vnd) for r in await till.refunds(fee)] == [("reversed", 50_000)]
        assert await till.outcomes(attempt["reference"]) == ["settled", "refund_requested"]
        assert len(await till.receipts(fee)) == 1

    async def test_reversed_from_the_start_settles_nothing(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vnpay")
        await till.pay_vnpay(attempt, status="04")
        assert [refund.reason for refund in await till.refunds(fee)] == ["reversed"]
        assert ((await till.fee(fee)).status, await till.receipts(fee)) == (FeeStatus.DUE, [])

    @pytest.mark.parametrize("kind", ["down", "garbage", "timeout_after_effect"])
    async def test_querydr_in_trouble_is_put_again(self, till: Till, kind: str) -> None:
        attempt = await till.attempt(await till.owe(), "vnpay")
        await till.pay_vnpay(attempt, callbacks=0)
        await till.order(till.vnpay, kind, count=2, delay_s=1.2)
        await till.ask_now(attempt)
        assert (await till.ended(attempt))["status"] == "succeeded"


class TestIpn:
    """GET /payments/callbacks/vnpay and its RspCodes."""

    async def test_of_an_unknown_order_is_01(self, till: Till) -> None:
        assert await rsp(till, told({"reference": "dvc0", "amount_vnd": 1})) == "01"

    async def test_of_the_national_platforms_attempt_is_01(self, till: Till) -> None:
        attempt = await till.attempt(await till.owe())
        assert await rsp(till, told(attempt)) == "01"

    @pytest.mark.parametrize(
        "changes", [{"secret": "guess"}, {"secret": ""}, {"vnp_TmnCode": "OTHER"}], ids=["secret", "empty", "merchant"]
    )
    async def test_of_a_wrong_signature_is_97(self, till: Till, changes: dict[str, str]) -> None:
        attempt = await till.attempt(await till.owe(), "vnpay")
        assert await rsp(till, told(attempt, **changes)) == "97"

    @pytest.mark.parametrize(
        "changes", [{"vnp_Amount": "-5"}, {"vnp_Amount": "150"}, {"vnp_Amount": "x"}, {"vnp_TransactionNo": "0"}]
    )
    async def test_that_cannot_be_understood_is_99(self, till: Till, changes: dict[str, str]) -> None:
        attempt = await till.attempt(await till.owe(), "vnpay")
        assert await rsp(till, told(attempt, **changes)) == "99"

    async def test_of_a_suspected_fraud_changes_nothing_yet(self, till: Till) -> None:
        attempt = await till.attempt(await till.owe(), "vnpay")
        assert await rsp(till, told(attempt, vnp_TransactionStatus="07")) == "00"
        assert (await till.get(f"/payments/{attempt['id']}"))["status"] == "initiated"

    async def test_says_which_of_two_valid_secrets_signed_it(self, till: Till) -> None:
        for secret in (VNPAY_SECRET, VNPAY_SECRET_PREVIOUS):
            attempt = await till.attempt(await till.owe(), "vnpay")
            assert await rsp(till, told(attempt, secret=secret, vnp_TransactionNo=f"1{len(secret)}")) == "00"
        assert await till.scalars("SELECT key_used FROM callback_log ORDER BY id") == ["current", "previous"]


class TestRefund:
    """Refunds that VNPAY carries back itself."""

    async def asked(self, till: Till, amount_vnd: int | None = None) -> dict[str, Any]:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vnpay")
        await till.pay_vnpay(attempt)
        body = {"payment_id": attempt["id"], "amount_vnd": amount_vnd, "legal_basis": "Điều 12 Luật Phí và lệ phí"}
        answer = await till.post("/refunds", {name: value for name, value in body.items() if value is not None})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def refund_when(self, till: Till, refund: dict[str, Any], status: str) -> dict[str, Any]:
        async def read() -> dict[str, Any]:
            found = (await till.get("/refunds", dossier_code=refund["dossier_code"]))["items"]
            return next(one for one in found if one["id"] == refund["id"])

        return await till.eventually(read, lambda found: found["status"] == status)

    @pytest.mark.parametrize(("amount_vnd", "kind"), [(None, "02"), (20_000, "03")], ids=["whole", "part"])
    async def test_arrives_by_itself(self, till: Till, amount_vnd: int | None, kind: str) -> None:
        refund = await self.asked(till, amount_vnd)
        sent = (await till.post(f"/refunds/{refund['id']}/send", REFUND)).json()
        await self.refund_when(till, refund, "done")
        payment = await till.get(f"/payments/{refund['payment_id']}")
        there = (await till.vnpay.get(f"/_control/payments/{payment['reference']}")).json()["refunds"]
        assert [(one["request"], one["kind"]) for one in there] == [(sent["transfer_reference"], kind)]
        assert there[0]["amount_vnd"] == (amount_vnd or 50_000)

    @pytest.mark.parametrize("kind", ["down", "garbage", "timeout_after_effect", "refund_pending"])
    async def test_in_trouble_is_ordered_again_and_is_still_one(self, till: Till, kind: str) -> None:
        refund = await self.asked(till)
        await till.order(till.vnpay, kind, count=1, delay_s=1.2)
        await till.post(f"/refunds/{refund['id']}/send", REFUND)
        await self.refund_when(till, refund, "done")
        payment = await till.get(f"/payments/{refund['payment_id']}")
        there = (await till.vnpay.get(f"/_control/payments/{payment['reference']}")).json()["refunds"]
        assert len(there) == 1

    async def test_that_is_rejected_fails_and_can_go_to_an_account(self, till: Till) -> None:
        refund = await self.asked(till)
        await till.order(till.vnpay, "refund_rejected")
        await till.post(f"/refunds/{refund['id']}/send", REFUND)
        assert (await self.refund_when(till, refund, "failed"))["failure"] == "vnpay_00_09"
        account = {"account_number": "0011001932418", "account_bank": "970415", "account_name": "NGUYEN THI THU"}
        again = await till.post(f"/refunds/{refund['id']}/send", {"transfer_reference": "FT1", **account})
        assert (again.json()["method"], again.json()["account_number"]) == ("bank_transfer", "0011001932418")

    async def test_of_other_providers_is_refused(self, till: Till) -> None:
        payment = await till.pay_in_cash(await till.owe())
        body = {"payment_id": payment["id"], "legal_basis": "Điều 12"}
        refund = (await till.post("/refunds", body)).json()
        answer = await till.post(f"/refunds/{refund['id']}/send", REFUND)
        assert (answer.status_code, answer.json()["code"]) == (409, "refund_impossible")


async def test_fifty_notices_of_all_providers_at_once_settle_once(till: Till) -> None:
    """The fee is paid by one; every other đồng is on its way back."""
    fee = await till.owe()
    attempt = await till.attempt(fee, "vnpay")
    notices = [rsp(till, told(attempt, vnp_TransactionNo=str(14_000_000 + nth))) for nth in range(25)]
    notices += [rsp(till, told(attempt, vnp_TransactionNo="14000000")) for _ in range(24)]
    answers = await asyncio.gather(*notices, till.start(fee, "cash"))
    deposits = await till.rows(Deposit)
    assert sum(deposit.settles_fee for deposit in deposits) == 1
    assert sum(deposit.refunded_vnd for deposit in deposits) == 50_000 * (len(deposits) - 1)
    assert len(await till.refunds(fee)) == len(deposits) - 1
    assert len(await till.receipts(fee)) == 1
    assert getattr(answers[-1], "status_code", None) in {201, 409}
