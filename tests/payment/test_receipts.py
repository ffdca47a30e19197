"""Receipts: 1, 2, 3… in each series, without a gap, whatever is rolled back."""

import asyncio

from services.payment.models import Receipt
from services.payment.operations import money
from shared.clock import VN
from tests.payment.till import Till


class Stumbled(Exception):
    """A transaction ends with a number in its hand."""


async def numbers(till: Till, issuer: str = "H32.14") -> list[int]:
    return sorted(receipt.number for receipt in await till.rows(Receipt, Receipt.issuer_code == issuer))


class TestNumbering:
    """Numbers of a series."""

    async def test_has_no_gap_under_concurrency(self, till: Till) -> None:
        fees = [await till.owe() for _ in range(40)]
        await asyncio.gather(*(till.pay_in_cash(fee) for fee in fees))
        assert await numbers(till) == list(range(1, 41))

    async def test_has_no_gap_after_a_rollback_in_between(self, till: Till) -> None:
        fees = [await till.owe() for _ in range(12)]

        async def pay(nth: int) -> None:
            async with till.work() as work:
                await money.pay_cash(work, fee_id=fees[nth].id, routing=till.app.state.gateways.routing)
                await work.session.flush()
                if nth % 3 == 0:
                    raise Stumbled

        ends = await asyncio.gather(*(pay(nth) for nth in range(12)), return_exceptions=True)
        assert [type(end) for end in ends] == [Stumbled, type(None), type(None)] * 4
        assert await numbers(till) == list(range(1, 9))
        for nth in range(0, 12, 3):
            await till.pay_in_cash(fees[nth])
        assert await numbers(till) == list(range(1, 13))

    async def test_goes_on_in_order_of_commit(self, till: Till) -> None:
        for _ in range(3):
            await till.pay_in_cash(await till.owe())
        by_time = sorted(await till.rows(Receipt), key=lambda receipt: receipt.issued_at)
        assert [receipt.number for receipt in by_time] == [1, 2, 3]

    async def test_belongs_to_an_issuer_and_a_year(self, till: Till) -> None:
        for agency in ("H32.14", "H32.14.2", "H32.14"):
            await till.pay_in_cash(await till.owe(agency=agency))
        assert await numbers(till) == [1, 2]
        assert await numbers(till, "H32.14.2") == [1]
        receipt = (await till.rows(Receipt))[0]
        assert receipt.series == f"BI-{receipt.issued_at.astimezone(VN):%y}T"


class TestReceipt:
    """GET /receipts."""

    async def test_says_who_paid_what(self, till: Till) -> None:
        fee = await till.owe()
        payment = await till.pay_in_cash(fee)
        (found,) = (await till.get("/receipts", dossier_code=fee.dossier_code))["items"]
        assert await till.get(f"/receipts/{found['id']}") == found
        assert (found["payer_name"], found["payment_id"]) == ("Nguyễn Thị Thử", payment["id"])
        assert [one["amount_vnd"] for one in found["items"]] == [50_000]

    async def test_is_found_by_issuer_and_series(self, till: Till) -> None:
        await till.pay_in_cash(await till.owe())
        (found,) = (await till.get("/receipts", issuer_code="H32.14"))["items"]
        assert (await till.get("/receipts", series=found["series"]))["items"] == [found]
        assert (await till.get("/receipts", series="BI-00T"))["items"] == []
