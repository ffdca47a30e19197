"""Fees that are paid on the national portal: it asks what is due, the money comes under the MaTraCuuTT it got."""

import asyncio
from typing import Any

from services.payment.models import Deposit, Payment
from services.payment.states import FeeStatus
from shared.events.values import CollectedAt
from tests.payment.till import Till, item, new_code, raw, rejected

LOOKUP = "/payments/lookups/national"


async def ask(till: Till, code: str) -> dict[str, Any]:
    answer = await till.client.post(
        LOOKUP, json={"MaHoSo": code}, headers=till.headers(scopes=["portal"], agency="H32")
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told_of(till: Till, owing: dict[str, Any], **changes: Any) -> str:
    """Let the platform tell that what was asked for is paid; return MaLoi of our reply."""
    words = {"SoTien": owing["SoTien"], "MaGiaoDich": "GD-LOOKED-UP", **changes}
    return (await till.confirm(owing["MaTraCuuTT"], **words))["MaLoi"]


class TestPaidOnThePortal:
    """Pull, then CONFIRM."""

    async def test_settles_the_fee_with_a_receipt(self, till: Till) -> None:
        (fee,) = await till.accept(item(50_000))
        assert await told_of(till, await ask(till, fee.dossier_code)) == "00"
        assert (await till.fee(fee)).status == FeeStatus.PAID
        assert len(await till.receipts(fee)) == 1
        assert (await ask(till, fee.dossier_code))["error_code"] == 0

    async def test_counts_once_however_often_it_is_told(self, till: Till) -> None:
        (fee,) = await till.accept(item(50_000))
        owing = await ask(till, fee.dossier_code)
        assert await asyncio.gather(*(told_of(till, owing) for _ in range(8))) == ["00"] * 8
        assert (len(await till.rows(Deposit)), len(await till.rows(Payment))) == (1, 1)
        assert (len(await till.receipts(fee)), await till.refunds(fee)) == (1, [])

    async def test_is_one_fee_at_a_time(self, till: Till) -> None:
        first, second = await till.accept(item(50_000), item(20_000, CollectedAt.ON_RETURN))
        for fee in (first, second):
            owing = await ask(till, fee.dossier_code)
            assert owing["SoTien"] == str(fee.amount_vnd)
            assert await told_of(till, owing, MaGiaoDich=f"GD{fee.amount_vnd}") == "00"
        assert {(await till.fee(fee)).status for fee in (first, second)} == {FeeStatus.PAID}

    async def test_ends_an_attempt_that_is_open_otherwise(self, till: Till) -> None:
        fee = await till.owe()
        attempt = await till.attempt(fee, "vnpay")
        assert await told_of(till, await ask(till, fee.dossier_code)) == "00"
        assert (await till.get(f"/payments/{attempt['id']}"))["status"] == "expired"
        assert (await till.fee(fee)).status == FeeStatus.PAID

    async def test_goes_back_when_it_is_not_right(self, till: Till) -> None:
        """Another amount, a fee that was paid meanwhile, a dossier that has ended: never kept in silence."""
        wrong, paid, ended = [await till.owe() for _ in range(3)]
        owing = [await ask(till, fee.dossier_code) for fee in (wrong, paid, ended)]
        await till.pay_in_cash(paid)
        await till.hear(raw(rejected(), ended.dossier_code))
        for place, (one, changes) in enumerate(zip(owing, ({"SoTien": "49000"}, {}, {}), strict=True)):
            assert await told_of(till, one, MaGiaoDich=f"GD{place}", **changes) == "00"
        assert [len(await till.refunds(fee)) for fee in (wrong, paid, ended)] == [1, 1, 1]
        assert (await till.fee(wrong)).status == FeeStatus.DUE

    async def test_may_be_tried_again_after_money_that_was_not_right(self, till: Till) -> None:
        """What was wrong goes back; the portal asks anew, and the right sum settles the fee."""
        fee = await till.owe()
        for place, amount in enumerate(("49000", "51000")):
            owing = await ask(till, fee.dossier_code)
            assert await told_of(till, owing, SoTien=amount, MaGiaoDich=f"GD-WRONG-{place}") == "00"
            assert (await ask(till, fee.dossier_code))["MaTraCuuTT"] != owing["MaTraCuuTT"]
        owing = await ask(till, fee.dossier_code)
        assert [await told_of(till, owing) for _ in range(2)] == ["00", "00"]
        assert (await till.fee(fee)).status == FeeStatus.PAID
        assert (len(await till.receipts(fee)), len(await till.refunds(fee))) == (1, 2)
        assert (await ask(till, fee.dossier_code))["error_code"] == 0

    async def test_of_an_unknown_dossier_is_told_again_later(self, till: Till) -> None:
        """Before acceptance nothing is due; what is told all the same is not taken, and the platform comes again."""
        owing = {"MaTraCuuTT": f"{new_code()}20261130091500", "SoTien": "50000"}
        assert await told_of(till, owing) == "99"
        assert await till.rows(Deposit) == []

    async def test_that_failed_changes_nothing(self, till: Till) -> None:
        (fee,) = await till.accept(item(50_000))
        assert await told_of(till, await ask(till, fee.dossier_code), MaLoi="07") == "99"
        assert (await till.rows(Payment), (await till.fee(fee)).status) == ([], FeeStatus.DUE)
