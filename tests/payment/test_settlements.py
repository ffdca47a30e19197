"""Settlement: what providers paid into treasury accounts, and the report about it."""

import csv
import io

import pytest
from python_calamine import CalamineWorkbook

from shared.events.values import FeeKind
from tests.payment.books import Books, today
from tests.payment.test_ledger import CASH
from tests.payment.till import Till, item


@pytest.fixture
def books(till: Till) -> Books:
    return Books(till)


def payout(amount_vnd: int = 30_000, reference: str = "FT1") -> dict[str, object]:
    """Return a payout of the cash desk."""
    return {
        "provider": "cash",
        "agency_code": "H32.14",
        "treasury_account": "unassigned",
        "amount_vnd": amount_vnd,
        "bank_reference": reference,
        "arrived_on": today().isoformat(),
    }


class TestPayout:
    """POST /settlements/payouts."""

    async def test_moves_money_into_the_treasury_account(self, books: Books) -> None:
        await books.till.pay_in_cash(await books.till.owe())
        await books.post("/settlements/payouts", payout(), status=201)
        found = await books.balances()
        assert (found[CASH], found["treasury/H32.14/unassigned"]) == (20_000, 30_000)

    async def test_never_exceeds_what_is_held(self, books: Books) -> None:
        await books.till.pay_in_cash(await books.till.owe())
        refused = await books.post("/settlements/payouts", payout(50_001), status=409)
        assert (refused["code"], refused["held_vnd"]) == ("payout_exceeds", 50_000)

    async def test_is_recorded_once_for_a_bank_reference(self, books: Books) -> None:
        await books.till.pay_in_cash(await books.till.owe())
        await books.post("/settlements/payouts", payout(10_000), status=201)
        assert (await books.post("/settlements/payouts", payout(10_000), status=409))["code"] == "payout_known"

    async def test_is_taken_back_by_an_entry_the_other_way_round_once(self, books: Books) -> None:
        await books.till.pay_in_cash(await books.till.owe())
        await books.post("/settlements/payouts", payout(), status=201)
        (entry,) = (await books.get("/ledger/entries", cause="paid_out"))["items"]
        path = f"/ledger/entries/{entry['id']}/reverse"
        await books.post(path, {"reason": "Ghi nhầm tài khoản"}, status=201)
        assert (await books.balances())[CASH] == 50_000
        assert (await books.post(path, {"reason": "Ghi nhầm"}, status=409))["code"] == "entry_reversed"
        (reversal,) = (await books.get("/ledger/entries", cause="reversed"))["items"]
        assert (reversal["reverses_id"], reversal["note"]) == (entry["id"], "Ghi nhầm tài khoản")

    async def test_what_a_status_moved_is_not_taken_back(self, books: Books) -> None:
        await books.till.pay_in_cash(await books.till.owe())
        (entry,) = (await books.get("/ledger/entries", cause="settled"))["items"]
        refused = await books.post(f"/ledger/entries/{entry['id']}/reverse", {"reason": "Thử"}, status=404)
        assert refused["code"] == "entry_not_found"


class TestReport:
    """GET /settlements."""

    async def figures(self, books: Books) -> None:
        (fee,) = await books.till.accept(item(30_000, kind=FeeKind.PHI), item(20_000))
        await books.till.pay_in_cash(fee)
        await books.till.start(await books.till.owe(70_000, agency="H32.15"), "cash", agency="H32")
        await books.post("/settlements/payouts", payout(), status=201)

    async def test_adds_up_by_agency_and_treasury_account(self, books: Books) -> None:
        await self.figures(books)
        report = await books.get("/settlements")
        one, other = report["rows"]
        assert (one["agency_code"], one["phi_vnd"], one["le_phi_vnd"]) == ("H32.14", 30_000, 20_000)
        assert (one["transactions"], one["paid_out_vnd"], one["held_vnd"]) == (1, 30_000, 20_000)
        assert (other["agency_code"], other["le_phi_vnd"], other["held_vnd"]) == ("H32.15", 70_000, 70_000)
        assert report["totals"]["held_vnd"] == 90_000
        assert set(report["definitions"]) == set(report["totals"])
        assert report["as_of"]

    async def test_is_a_sheet_as_well(self, books: Books) -> None:
        await self.figures(books)
        answer = await books.till.client.get("/settlements?format=csv", headers=books.headers())
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [row["Còn tại kênh thu"] for row in rows] == ["20000", "70000", "90000"]
        answer = await books.till.client.get("/settlements?format=xlsx", headers=books.headers())
        book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        assert book.sheet_names == ["Quyết toán", "Định nghĩa"]
        assert [row[-1] for row in book.get_sheet_by_index(0).to_python()][-3:] == [20_000, 70_000, 90_000]

    async def test_shows_only_what_one_may_see(self, books: Books) -> None:
        await self.figures(books)
        headers = books.till.issuer.headers(("ledger:read",), agency="H32.15")
        rows = (await books.till.client.get("/settlements", headers=headers)).json()["rows"]
        assert [row["agency_code"] for row in rows] == ["H32.15"]
