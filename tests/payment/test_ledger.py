"""The ledger: every đồng that is owed, comes, is kept or goes back; never changed, always in balance."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.payment.operations import ledger
from shared.events.values import CollectedAt, FeeKind
from tests.payment.books import Books, today
from tests.payment.till import Till, item, raw, withdrawn

RECEIVABLE = "receivable/H32.14"
REVENUE = "revenue/H32.14/le_phi"
CASH = "clearing/cash/H32.14/unassigned"
PLATFORM = "clearing/national_platform/H32.14/unassigned"
SUSPENSE = "suspense/national_platform/H32.14"


@pytest.fixture
def books(till: Till) -> Books:
    return Books(till)


class TestPost:
    """What each step of a fee's life moves."""

    async def test_assessed_fee_is_owed_as_phi_and_le_phi_apart(self, books: Books) -> None:
        await books.till.accept(item(30_000, kind=FeeKind.PHI), item(20_000))
        phi = "revenue/H32.14/phi"
        assert await books.balances() == {RECEIVABLE: 50_000, phi: -30_000, REVENUE: -20_000}

    async def test_settled_fee_is_held_by_who_took_the_money(self, books: Books) -> None:
        await books.till.pay_in_cash(await books.till.owe())
        assert await books.balances() == {CASH: 50_000, REVENUE: -50_000}

    async def test_waived_fee_leaves_nothing(self, books: Books) -> None:
        fee = await books.till.owe()
        await books.till.post(f"/fees/{fee.id}/waive", {"legal_basis": "Khoản 2 Điều 10"})
        assert await books.balances() == {}
        assert await books.causes() == ["assessed", "waived"]

    async def test_cancelled_fee_leaves_nothing(self, books: Books) -> None:
        fee = await books.till.owe()
        await books.till.hear(raw(withdrawn(), fee.dossier_code))
        assert await books.balances() == {}
        assert await books.causes() == ["assessed", "cancelled"]

    async def test_money_that_settles_nothing_is_owed_back(self, books: Books) -> None:
        fee = await books.till.owe()
        attempt = await books.till.attempt(fee)
        for _ in range(2):
            await books.till.confirm(attempt["reference"])
        assert await books.balances() == {PLATFORM: 100_000, REVENUE: -50_000, SUSPENSE: -50_000}

    async def test_refund_goes_through_transit_out_of_the_treasury_account(self, books: Books) -> None:
        (fee,) = await books.till.accept(item(50_000, CollectedAt.ON_RETURN))
        await books.till.pay_in_cash(fee)
        await books.till.hear(raw(withdrawn(), fee.dossier_code))
        suspense = "suspense/cash/H32.14"
        assert await books.balances() == {CASH: 50_000, suspense: -50_000}
        (refund,) = await books.till.refunds(fee)
        await books.till.post(f"/refunds/{refund.id}/send", {"transfer_reference": "FT1"})
        assert await books.balances() == {CASH: 50_000, "transit/cash/H32.14": -50_000}
        await books.till.post(f"/refunds/{refund.id}/fail", {"reason": "Sai tài khoản"})
        assert await books.balances() == {CASH: 50_000, suspense: -50_000}
        await books.till.post(f"/refunds/{refund.id}/send", {"transfer_reference": "FT2"})
        await books.till.post(f"/refunds/{refund.id}/done")
        assert await books.balances() == {CASH: 50_000, "treasury/H32.14/unassigned": -50_000}

    async def test_rolled_back_payment_leaves_no_entry(self, books: Books) -> None:
        fee = await books.till.owe()
        before = await books.balances()
        assert (await books.till.start(fee, "cash", scopes=("payments:write",))).status_code == 403
        assert await books.balances() == before

    async def test_batch_of_dossiers_is_posted_in_two_statements(self, books: Books) -> None:
        for count in range(3):
            await books.till.accept(*(item(10_000) for _ in range(count + 1)))
        assert (await books.balances())[RECEIVABLE] == 60_000


class TestShare:
    """Parts of a sum, to the đồng."""

    @pytest.mark.parametrize("amount_vnd", [0, 1, 2, 33_333, 49_999, 50_000])
    def test_adds_up_and_never_exceeds_a_part(self, amount_vnd: int) -> None:
        parts = {"phi": 30_001, "le_phi": 19_999}
        found = ledger.share(parts, amount_vnd)
        assert sum(found.values()) == amount_vnd
        assert all(found[kind] <= parts[kind] for kind in parts)

    def test_grows_with_the_amount(self) -> None:
        parts = {"phi": 7, "le_phi": 3}
        shares = [ledger.share(parts, amount)["le_phi"] for amount in range(11)]
        assert shares == sorted(shares)


class TestKeep:
    """The ledger is only added to."""

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE ledger_entry SET amount_vnd = amount_vnd + 1",
            "DELETE FROM ledger_entry",
            "TRUNCATE ledger_entry",
            "UPDATE ledger_account SET kind = 'revenue'",
            "DELETE FROM receipt",
            "UPDATE receipt SET number = number + 1",
        ],
    )
    async def test_refuses_even_the_owner(self, books: Books, statement: str) -> None:
        await books.till.pay_in_cash(await books.till.owe())
        before = await books.balances()
        async with books.till.database.session() as session:
            with pytest.raises(DBAPIError, match="is only added to"):
                await session.execute(text(statement))
        assert await books.balances() == before

    @pytest.mark.parametrize("wrong", ["amount_vnd = 0", "amount_vnd = -5", "credit = debit"])
    async def test_refuses_an_entry_out_of_balance(self, books: Books, wrong: str) -> None:
        await books.till.owe()
        column, value = wrong.split(" = ")
        columns = "posted_at, on_date, cause, debit, credit, amount_vnd, agency_code, fee_kind, posted_by"
        copied = columns.replace(f" {column},", f" {value},")
        async with books.till.database.session() as session:
            with pytest.raises(DBAPIError, match="check constraint"):
                await session.execute(text(f"INSERT INTO ledger_entry ({columns}) SELECT {copied} FROM ledger_entry"))

    async def test_refuses_a_transaction_that_was_posted(self, books: Books) -> None:
        await books.till.pay_in_cash(await books.till.owe())
        columns = (
            "posted_at, on_date, cause, debit, credit, amount_vnd, agency_code, fee_kind, posted_by, provider, "
            "transaction_number"
        )
        again = f"INSERT INTO ledger_entry ({columns}) SELECT {columns} FROM ledger_entry WHERE cause = 'settled'"
        async with books.till.database.session() as session:
            with pytest.raises(DBAPIError, match="transaction_once"):
                await session.execute(text(again))


class TestTreasuryAccount:
    """Into which account money goes."""

    async def test_is_that_of_the_nearest_agency_above_on_the_day(self, books: Books) -> None:
        def row(agency: str, number: str, days: int) -> dict[str, str]:
            day = (today() + timedelta(days=days)).isoformat()
            names = {"account_name": "Tài khoản thu phí", "treasury_name": "KBNN khu vực XV"}
            return {"agency_code": agency, "valid_from": day, "account_number": number, **names}

        accounts = [row("H32", "3700.1", -9), row("H32.14", "3714.1", -9), row("H32.14", "3714.2", -1)]
        await books.post("/receipt-issuers/import", {"treasury_accounts": [*accounts, row("H32.14", "3714.9", 1)]})
        for agency in ("H32.14.2", "H32.15"):
            await books.till.start(await books.till.owe(agency=agency), "cash", agency="H32")
        held = {code for code in await books.balances() if code.startswith("clearing")}
        assert held == {"clearing/cash/H32.14.2/3714.2", "clearing/cash/H32.15/3700.1"}


class TestRead:
    """What accountants see."""

    async def test_lists_entries_by_page_and_filter(self, books: Books) -> None:
        fee = await books.till.owe()
        await books.till.pay_in_cash(fee)
        await books.till.owe()
        first = await books.get("/ledger/entries", limit=2)
        rest = await books.get("/ledger/entries", limit=2, cursor=first["next_cursor"])
        assert [entry["cause"] for entry in [*first["items"], *rest["items"]]] == ["assessed", "settled", "assessed"]
        assert rest["next_cursor"] is None
        of_dossier = await books.get("/ledger/entries", dossier_code=fee.dossier_code, cause="settled")
        assert [entry["amount_vnd"] for entry in of_dossier["items"]] == [50_000]

    async def test_shows_balances_of_both_sides(self, books: Books) -> None:
        await books.till.pay_in_cash(await books.till.owe())
        found = await books.get("/ledger/balances")
        assert found["balanced"]
        assert {row["code"]: row["balance_vnd"] for row in found["accounts"] if row["balance_vnd"]} == {
            CASH: 50_000,
            REVENUE: -50_000,
        }

    async def test_shows_nothing_of_other_agencies(self, books: Books) -> None:
        await books.till.owe()
        other = books.till.issuer.headers(("ledger:read",), agency="H33")
        assert (await books.till.client.get("/ledger/entries", headers=other)).json()["items"] == []
        assert (await books.till.client.get("/ledger/balances", headers=other)).json()["accounts"] == []

    async def test_needs_the_right(self, books: Books) -> None:
        for path in ("/ledger/entries", "/ledger/balances", "/settlements", "/reconciliations"):
            answer = await books.till.client.get(path, headers=books.till.headers())
            assert answer.status_code == 403, path
