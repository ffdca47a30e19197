"""Who issues receipts for whom, in which forms; receipts that take others out of force."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.payment.models import Fee, Payment, Receipt
from services.payment.operations import money, receipts
from shared.caller import Caller
from shared.events.payment import ReceiptCancelled, ReceiptIssued
from shared.events.values import FeeKind
from shared.work import Work
from tests.payment.books import Books, today
from tests.payment.till import Till, item

BOTH = [{"covers": "both", "form_number": "01BLP0-001", "letters": "BI"}]
APART = [
    {"covers": "phi", "form_number": "01BLP0-001", "letters": "BP"},
    {"covers": "le_phi", "form_number": "01BLP0-002", "letters": "BL"},
]


@pytest.fixture
def books(till: Till) -> Books:
    return Books(till)


def day(days: int) -> str:
    """Return a date from today on."""
    return (today() + timedelta(days=days)).isoformat()


def issuer(code: str, *, days: int = -9, forms: list[dict[str, str]] | None = None, **more: Any) -> dict[str, Any]:
    """Return an issuer's row."""
    return {"code": code, "valid_from": day(days), "name": f"Sở {code}", "forms": forms or BOTH, **more}


def delegation(agency: str, to: str, days: int = -9) -> dict[str, str]:
    """Return a delegation's row."""
    return {"agency_code": agency, "valid_from": day(days), "issuer_code": to, "legal_basis": "QĐ 12/QĐ-UBND"}


class TestImport:
    """POST /receipt-issuers/import."""

    async def test_takes_a_province_of_111_issuers_at_once_and_again(self, books: Books) -> None:
        body = {
            "issuers": [issuer(f"H32.{number}", tax_code="0100109106") for number in range(10, 121)],
            "delegations": [delegation(f"H32.{number}.1", f"H32.{number}") for number in range(10, 121)],
        }
        first = await books.post("/receipt-issuers/import", body)
        assert first == {"added": 222, "changed": 0, "unchanged": 0}
        assert await books.post("/receipt-issuers/import", body) == {"added": 0, "changed": 0, "unchanged": 222}
        found = await books.get("/receipt-issuers/H32.77.1")
        assert (found["issuer_code"], found["issuer_name"]) == ("H32.77", "Sở H32.77")

    async def test_changes_only_what_is_not_in_force_yet(self, books: Books) -> None:
        await books.post("/receipt-issuers/import", {"issuers": [issuer("H32.14"), issuer("H32.14", days=5)]})
        later = issuer("H32.14", days=5, name="Tên mới")
        assert (await books.post("/receipt-issuers/import", {"issuers": [later]}))["changed"] == 1
        now = issuer("H32.14", name="Tên khác")
        refused = await books.post("/receipt-issuers/import", {"issuers": [later, now]}, status=409)
        assert refused["code"] == "issuing_in_force"
        assert (await books.get("/receipt-issuers/H32.14"))["issuer_name"] == "Sở H32.14"
        assert (await books.get("/receipt-issuers/H32.14", on=day(5)))["issuer_name"] == "Tên mới"

    @pytest.mark.parametrize(
        "row",
        [
            issuer("H32.14", tax_code="0100109107"),
            issuer("H32.14", forms=APART[:1]),
            issuer("H32.14", forms=[*APART[:1], {**APART[1], "letters": "BP"}]),
            issuer("H32.14", forms=[{**BOTH[0], "form_number": "BLP"}]),
            issuer("X1"),
        ],
    )
    async def test_refuses_what_no_receipt_can_say(self, books: Books, row: dict[str, Any]) -> None:
        await books.post("/receipt-issuers/import", {"issuers": [row]}, status=422)

    async def test_refuses_other_agencies_rows(self, books: Books) -> None:
        for body in ({"issuers": [issuer("H33.1")]}, {"delegations": [delegation("H32.14", "H33")]}):
            assert (await books.post("/receipt-issuers/import", body, status=404))["code"] == "issuing_not_yours"


class TestDelegate:
    """Receipts on behalf of another agency."""

    async def test_gives_them_the_issuers_series(self, books: Books) -> None:
        rows = [delegation("H32.14.2", "H32.14"), delegation("H32.14.3", "H32.14")]
        await books.post("/receipt-issuers/import", {"issuers": [issuer("H32.14")], "delegations": rows})
        for agency in ("H32.14.2", "H32.14", "H32.14.3"):
            await books.till.pay_in_cash(await books.till.owe(agency=agency))
        found = (await books.get("/receipts"))["items"]
        assert [(one["issuer_code"], one["number"]) for one in found] == [("H32.14", 1), ("H32.14", 2), ("H32.14", 3)]
        assert [one["on_behalf_of"] for one in found] == ["H32.14.2", "H32.14", "H32.14.3"]

    async def test_begins_and_ends_on_its_days(self, books: Books) -> None:
        turns = (("H32.14", -9), ("H32.14.2", -1), ("H32", 1))
        rows = [delegation("H32.14.2", to, days) for to, days in turns]
        await books.post("/receipt-issuers/import", {"delegations": rows})
        issuers = [
            (await books.get("/receipt-issuers/H32.14.2", on=day(days)))["issuer_code"] for days in (-10, -9, -2, 0, 1)
        ]
        assert issuers == ["H32.14.2", "H32.14", "H32.14", "H32.14.2", "H32"]

    async def test_shows_receipts_to_both(self, books: Books) -> None:
        await books.post("/receipt-issuers/import", {"delegations": [delegation("H32.14", "H32.20")]})
        await books.till.pay_in_cash(await books.till.owe())
        for agency, count in (("H32.14", 1), ("H32.20", 1), ("H32.15", 0)):
            headers = books.till.issuer.headers(("fees:read",), agency=agency)
            assert len((await books.till.client.get("/receipts", headers=headers)).json()["items"]) == count


class TestSplit:
    """Phí and lệ phí on receipts of their own."""

    async def test_numbers_each_in_its_own_series(self, books: Books) -> None:
        await books.post("/receipt-issuers/import", {"issuers": [issuer("H32.14", forms=APART)]})
        for _ in range(2):
            (fee,) = await books.till.accept(item(30_000, kind=FeeKind.PHI), item(20_000))
            await books.till.pay_in_cash(fee)
        await books.till.pay_in_cash(await books.till.owe())
        found = (await books.get("/receipts"))["items"]
        year = f"{today():%y}T"
        assert sorted((one["series"], one["number"], one["form_number"], one["amount_vnd"]) for one in found) == [
            (f"BL-{year}", 1, "01BLP0-002", 20_000),
            (f"BL-{year}", 2, "01BLP0-002", 20_000),
            (f"BL-{year}", 3, "01BLP0-002", 50_000),
            (f"BP-{year}", 1, "01BLP0-001", 30_000),
            (f"BP-{year}", 2, "01BLP0-001", 30_000),
        ]

    async def test_deadlocks_nobody(self, books: Books) -> None:
        await books.post("/receipt-issuers/import", {"issuers": [issuer("H32.14", forms=list(reversed(APART)))]})
        fees = [(await books.till.accept(item(1_000, kind=FeeKind.PHI), item(2_000)))[0] for _ in range(12)]
        await asyncio.gather(*(books.till.pay_in_cash(fee) for fee in fees))
        for letters in ("BP", "BL"):
            query = f"SELECT number FROM receipt WHERE series LIKE '{letters}%' ORDER BY number"
            assert await books.till.scalars(query) == list(range(1, 13))


async def issue_at(till: Till, moment: datetime) -> Receipt:
    """Issue a receipt at a moment."""
    fee = await till.owe()
    async with till.database.session() as session:
        work = Work(session, moment, Caller("one-stop", "H32.14"))
        fee = await session.get_one(Fee, fee.id)
        money_came = Payment(
            id=fee.id,
            fee_id=fee.id,
            dossier_code=fee.dossier_code,
            agency_code=fee.agency_code,
            provider="cash",
            reference=str(fee.id),
            amount_vnd=fee.amount_vnd,
            status="succeeded",
            settles_fee=True,
            opened_at=moment,
            asks=0,
        )
        session.add(money_came)
        await session.flush()
        (receipt,) = await receipts.issue(work, fee, money_came)
        await work.commit()
        return receipt


class TestYear:
    """Series begin anew with the year of Việt Nam."""

    async def test_rolls_over_at_midnight_in_viet_nam(self, till: Till) -> None:
        before = datetime(2026, 12, 31, 16, 59, 59, tzinfo=UTC)
        found = [await issue_at(till, before + timedelta(seconds=seconds)) for seconds in (-1, 0, 1, 2)]
        assert [(one.series, one.number) for one in found] == [
            ("BI-26T", 1),
            ("BI-26T", 2),
            ("BI-27T", 1),
            ("BI-27T", 2),
        ]

    async def test_later_number_never_has_an_earlier_time(self, till: Till) -> None:
        noon = datetime(2026, 11, 23, 5, tzinfo=UTC)
        found = [await issue_at(till, noon + timedelta(seconds=seconds)) for seconds in (3, 1, 2, 5)]
        times = [one.issued_at for one in found]
        assert times == sorted(times)
        assert [one.number for one in found] == [1, 2, 3, 4]


class TestCounter:
    """Cancelling and replacing receipts."""

    async def receipt(self, books: Books) -> dict[str, Any]:
        await books.till.pay_in_cash(await books.till.owe())
        return (await books.get("/receipts"))["items"][-1]

    async def test_cancels_by_a_receipt_with_the_next_number(self, books: Books) -> None:
        receipt = await self.receipt(books)
        counter = await books.post(f"/receipts/{receipt['id']}/cancel", {"reason": "Ghi sai số tiền"}, status=201)
        assert (counter["kind"], counter["number"], counter["amount_vnd"]) == ("cancellation", 2, -50_000)
        assert (counter["counters_id"], counter["reason"]) == (receipt["id"], "Ghi sai số tiền")
        assert (await books.get(f"/receipts/{receipt['id']}")) == receipt
        (fee,) = await books.till.rows(Fee)
        assert [fact.number for fact in await books.till.told(fee) if isinstance(fact, ReceiptCancelled)] == [2]

    async def test_replaces_with_the_right_payer(self, books: Books) -> None:
        receipt = await self.receipt(books)
        body = {"reason": "Ghi sai tên", "payer_name": "Nguyễn Thị Thơ", "payer_address": "Cam Ranh"}
        new = await books.post(f"/receipts/{receipt['id']}/replace", body, status=201)
        assert (new["kind"], new["number"], new["payer_name"]) == ("replacement", 2, "Nguyễn Thị Thơ")
        (fee,) = await books.till.rows(Fee)
        told = [fact for fact in await books.till.told(fee) if isinstance(fact, ReceiptIssued)]
        assert [(fact.number, str(fact.replaces_id)) for fact in told] == [(1, "None"), (2, receipt["id"])]
        again = await books.post(f"/receipts/{new['id']}/cancel", {"reason": "Hoàn phí"}, status=201)
        assert again["counters_id"] == new["id"]

    async def test_takes_a_receipt_out_of_force_once_and_leaves_no_gap(self, books: Books) -> None:
        receipt = await self.receipt(books)
        path, body = f"/receipts/{receipt['id']}/cancel", {"reason": "Ghi sai"}
        answers = await asyncio.gather(
            *(books.till.client.post(path, json=body, headers=books.headers()) for _ in range(6))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
        counter = next(answer.json() for answer in answers if answer.status_code == 201)
        refused = await books.post(f"/receipts/{counter['id']}/cancel", body, status=409)
        assert refused["code"] == "receipt_not_in_force"
        await self.receipt(books)
        assert await books.till.scalars("SELECT number FROM receipt ORDER BY number") == [1, 2, 3]

    async def test_needs_the_right(self, books: Books) -> None:
        receipt = await self.receipt(books)
        answer = await books.till.post(f"/receipts/{receipt['id']}/cancel", {"reason": "Ghi sai"})
        assert answer.status_code == 403


async def test_rollback_gives_both_numbers_back(books: Books) -> None:
    await books.post("/receipt-issuers/import", {"issuers": [issuer("H32.14", forms=APART)]})
    (fee,) = await books.till.accept(item(30_000, kind=FeeKind.PHI), item(20_000))

    async def stumble() -> None:
        async with books.till.work() as work:
            await money.pay_cash(work, fee_id=fee.id, routing=books.till.app.state.gateways.routing)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await stumble()
    await books.till.pay_in_cash(fee)
    assert await books.till.scalars("SELECT number FROM receipt") == [1, 1]
