"""A provider's day beside the ledger: what differs is found, explained by one person, resolved by another."""

import io
from datetime import timedelta
from typing import Any

import pytest
import xlsxwriter
from fastapi import FastAPI

from services.payment.errors import StatementUnreadable
from services.payment.platform.auditing import Auditor
from services.payment.platform.settling import read_day
from services.payment.states import FeeStatus, LineStatus
from shared import clock
from shared.clock import VN
from tests.payment.books import LINE, Books, today
from tests.payment.till import Till

NATIONAL = "clearing/national_platform/H32.14/unassigned"


@pytest.fixture
def books(till: Till) -> Books:
    return Books(till)


async def paid(books: Books, count: int = 1) -> list[str]:
    """Pay fees in cash; return the transactions' numbers."""
    return [await books.number_of(await books.till.pay_in_cash(await books.till.owe())) for _ in range(count)]


async def held(books: Books) -> int:
    """Return what the cash desks hold according to the ledger."""
    return sum(vnd for code, vnd in (await books.balances()).items() if code.startswith("clearing/cash"))


async def explained(books: Books, difference: dict[str, Any]) -> None:
    """Explain a difference, as the first accountant."""
    body = {"explanation": "provider_error", "note": "Đã gọi cho bên thu"}
    await books.post(f"/reconciliations/differences/{difference['id']}/explain", body)


async def resolved(books: Books, difference: dict[str, Any], how: str = "adjust", status: int = 200) -> Any:
    """Explain and resolve a difference, by two people."""
    await explained(books, difference)
    path = f"/reconciliations/differences/{difference['id']}/resolve"
    return await books.post(path, {"resolution": how}, client="accounting-second", status=status)


class TestCompare:
    """POST /reconciliations/statements."""

    async def test_matches_what_is_the_same(self, books: Books) -> None:
        numbers = await paid(books, 3)
        found = await books.statement(f"{number},,50000," for number in numbers)
        assert (found["ours_count"], found["theirs_count"], found["matched_count"]) == (3, 3, 3)
        assert found["ours_vnd"] == found["theirs_vnd"] == found["matched_vnd"] == 150_000
        assert await books.differences() == []

    @pytest.mark.parametrize(
        ("lines", "kind", "theirs_vnd"),
        [
            ([], "ours_only", 0),
            (["{n},,50000,", "X1,,7000,"], "theirs_only", 7_000),
            (["{n},,49999,"], "amount", 49_999),
            (["{n},,50000,reversed"], "status", 0),
            (["{n},,50000,pending"], "status", 0),
            (["{n},,50000,", "{n},,50000,"], "duplicate", 100_000),
        ],
    )
    async def test_finds(self, books: Books, lines: list[str], kind: str, theirs_vnd: int) -> None:
        (number,) = await paid(books)
        await books.statement(line.format(n=number) for line in lines)
        (difference,) = await books.differences()
        assert (difference["kind"], difference["theirs_vnd"]) == (kind, theirs_vnd)
        await resolved(books, difference)
        assert await books.differences() == []
        assert await held(books) == theirs_vnd + (50_000 if kind == "theirs_only" else 0)

    async def test_again_changes_nothing(self, books: Books) -> None:
        (number,) = await paid(books)
        lines = [f"{number},,40000,", "X1,,7000,"]
        first = await books.statement(lines)
        (one, _) = await books.differences()
        await explained(books, one)
        before = await books.differences()
        second = await books.statement(lines)
        await books.post(f"/reconciliations/{first['id']}/compare", {})
        assert (first["id"], first["statement_id"]) == (second["id"], second["statement_id"])
        assert await books.differences() == before
        assert len(await books.till.scalars("SELECT 1 FROM statement")) == 1

    async def test_again_after_resolution_finds_nothing_and_posts_nothing(self, books: Books) -> None:
        await paid(books)
        found = await books.statement(["X1,,7000,"])
        for difference in await books.differences():
            await resolved(books, difference)
        before = await books.balances()
        assert await held(books) == 7_000
        await books.post(f"/reconciliations/{found['id']}/compare", {})
        assert await books.differences() == []
        assert await books.balances() == before

    async def test_adjusts_by_what_differs_when_it_is_resolved(self, books: Books) -> None:
        attempt = await books.till.attempt(await books.till.owe())
        await books.statement([f"GD88,{attempt['reference']},50000,"], provider="national_platform")
        (difference,) = await books.differences()
        await books.till.confirm(attempt["reference"], MaGiaoDich="GD88")
        await resolved(books, difference)
        assert (await books.balances())[NATIONAL] == 50_000
        assert "adjusted" not in await books.causes()

    async def test_finds_again_what_was_taken_back(self, books: Books) -> None:
        found = await books.statement(["X1,,7000,"])
        (difference,) = await books.differences()
        await resolved(books, difference)
        (entry,) = (await books.get("/ledger/entries", cause="adjusted"))["items"]
        await books.post(f"/ledger/entries/{entry['id']}/reverse", {"reason": "Ghi nhầm"}, status=201)
        await books.post(f"/reconciliations/{found['id']}/compare", {})
        assert [one["kind"] for one in await books.differences()] == ["theirs_only"]

    async def test_clears_what_a_better_statement_no_longer_shows(self, books: Books) -> None:
        (number,) = await paid(books)
        await books.statement([])
        assert [one["kind"] for one in await books.differences()] == ["ours_only"]
        await books.statement([f"{number},,50000,"])
        assert await books.differences() == []
        (gone,) = await books.differences(open_only="false")
        assert gone["cleared_at"] is not None
        await books.statement([])
        assert [one["id"] for one in await books.differences()] == [gone["id"]]

    async def test_takes_a_line_from_a_neighbouring_day_for_what_it_is(self, books: Books) -> None:
        (number,) = await paid(books)
        await books.statement([f"{number},,50000,"], day=today() - timedelta(days=1))
        await books.statement([])
        assert await books.differences() == []


class TestFourEyes:
    """Explain, then resolve."""

    async def test_needs_a_second_person(self, books: Books) -> None:
        await books.statement(["X1,,7000,"])
        (difference,) = await books.differences()
        path = f"/reconciliations/differences/{difference['id']}/resolve"
        refused = await books.post(path, {"resolution": "adjust"}, client="accounting-second", status=409)
        assert refused["code"] == "second_person_needed"
        await explained(books, difference)
        refused = await books.post(path, {"resolution": "adjust"}, status=409)
        assert refused["code"] == "second_person_needed"
        assert await books.balances() == {}
        assert (await books.post(path, {"resolution": "adjust"}, client="accounting-second"))["resolved_by"]

    async def test_resolves_once(self, books: Books) -> None:
        await books.statement(["X1,,7000,"])
        (difference,) = await books.differences()
        await resolved(books, difference)
        path = f"/reconciliations/differences/{difference['id']}"
        again = await books.post(f"{path}/resolve", {"resolution": "adjust"}, client="third", status=409)
        body = {"explanation": "other", "note": "Ghi lại"}
        changed = await books.post(f"{path}/explain", body, status=409)
        assert again["code"] == changed["code"] == "difference_closed"

    async def test_hides_other_provinces(self, books: Books) -> None:
        found = await books.statement(["X1,,7000,"])
        other = books.till.issuer.headers(("ledger:read",), agency="H33")
        for path in ("/reconciliations", "/reconciliations/differences"):
            assert (await books.till.client.get(path, headers=other)).json()["items"] == []
        answer = await books.till.client.get(f"/reconciliations/{found['id']}", headers=other)
        assert answer.json()["code"] == "reconciliation_not_found"


class TestRecord:
    """Money that the provider has and never told us of."""

    async def test_settles_the_fee_as_if_it_had_been_told(self, books: Books) -> None:
        fee = await books.till.owe()
        attempt = await books.till.attempt(fee)
        line = f"GD77,{attempt['reference']},50000,,{clock.now().isoformat()}"
        heading = LINE.strip() + ",paid_at\n"
        answer = await books.till.client.post(
            "/reconciliations/statements",
            params={"provider": "national_platform", "day": today().isoformat()},
            content=heading + line,
            headers=books.headers(),
        )
        assert answer.status_code == 201, answer.text
        (difference,) = await books.differences()
        await resolved(books, difference, "record")
        assert (await books.till.fee(fee)).status == FeeStatus.PAID
        assert len(await books.till.receipts(fee)) == 1
        assert (await books.balances())[NATIONAL] == 50_000

    async def test_refuses_what_names_no_attempt(self, books: Books) -> None:
        await books.statement(["X1,,7000,"])
        (difference,) = await books.differences()
        assert (await resolved(books, difference, "record", status=409))["code"] == "nothing_to_record"
        assert await books.balances() == {}


class TestAsk:
    """The national platform makes no statement: it is asked about each attempt."""

    async def ask(self, books: Books, app: FastAPI) -> Any:
        body = {"provider": "national_platform", "day": today().isoformat()}
        asked = await books.post("/reconciliations/questions", body, status=202)
        await app.state.auditor.audit_one()
        path = f"/reconciliations/{asked['id']}"
        return await books.till.eventually(lambda: books.get(path), lambda found: found["compared_at"])

    async def test_compares_with_the_answers(self, books: Books, app: FastAPI) -> None:
        for _ in range(3):
            await books.till.pay((await books.till.attempt(await books.till.owe()))["reference"])
        await books.till.attempt(await books.till.owe())
        found = await self.ask(books, app)
        assert (found["ours_count"], found["theirs_count"], found["matched_count"]) == (3, 3, 3)
        assert await books.differences() == []

    async def test_finds_money_that_the_platform_does_not_have(self, books: Books, app: FastAPI) -> None:
        attempt = await books.till.attempt(await books.till.owe())
        await books.till.confirm(attempt["reference"], ThoiGianGD=f"{today():%Y%m%d}120000")
        found = await self.ask(books, app)
        assert (found["ours_count"], found["theirs_count"]) == (1, 0)
        assert [one["kind"] for one in await books.differences()] == ["ours_only"]

    async def test_refuses_who_cannot_be_asked(self, books: Books) -> None:
        body = {"provider": "cash", "day": today().isoformat()}
        assert (await books.post("/reconciliations/questions", body, status=409))["code"] == "provider_not_asked"


class TestThreeWay:
    """Fee, receipt, ledger and statement."""

    async def test_shows_what_does_not_match(self, books: Books) -> None:
        numbers = await paid(books, 3)
        found = await books.statement(f"{number},,50000," for number in numbers)
        match = await books.get(f"/reconciliations/{found['id']}/matches")
        assert (match["matched"], match["settled"], match["items"]) == (3, 3, [])
        (receipt, *_) = (await books.get("/receipts"))["items"]
        await books.post(f"/receipts/{receipt['id']}/cancel", {"reason": "Ghi sai"}, status=201)
        match = await books.get(f"/reconciliations/{found['id']}/matches")
        assert (match["matched"], match["settled"]) == (2, 3)
        (odd,) = match["items"]
        assert (odd["fee_vnd"], odd["receipts_vnd"], odd["statement_vnd"]) == (50_000, 0, 50_000)


class TestReadDay:
    """Statement files."""

    def test_reads_vnpay_in_hundredths_and_its_words(self) -> None:
        heading = "vnp_TxnRef;vnp_TransactionNo;vnp_Amount;vnp_TransactionStatus;vnp_PayDate"
        text = f"{heading}\nA;1;5000000;00;20261123143005\nB;2;100;04;"
        first, second = read_day(text.encode("utf-8-sig"))
        assert (first.transaction_number, first.amount_vnd, first.reference) == ("1", 50_000, "A")
        assert str(first.paid_at) == "2026-11-23 14:30:05+07:00"
        assert (second.amount_vnd, second.status, second.paid_at) == (1, LineStatus.REVERSED, None)

    def test_reads_a_workbook(self) -> None:
        content = io.BytesIO()
        with xlsxwriter.Workbook(content) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, ["Mã giao dịch", "Số tiền", "Trạng thái"])
            sheet.write_row(1, 0, ["GD1", 50000, "Thành công"])
            sheet.write_row(2, 0, [123456789012, "1.250.000", "Thất bại"])
        first, second = read_day(content.getvalue())
        assert (first.transaction_number, first.amount_vnd, first.status) == ("GD1", 50_000, LineStatus.SUCCESS)
        assert (second.transaction_number, second.amount_vnd) == ("123456789012", 1_250_000)
        assert second.status == LineStatus.FAILED

    @pytest.mark.parametrize(
        "content",
        [
            b"\xff\xfe",
            b"reference,amount_vnd\nA,1",
            b"transaction_number,amount_vnd\nA,1.5",
            b"transaction_number,amount_vnd\nA,-1",
            b"transaction_number,amount_vnd\n,1",
            b"transaction_number,amount_vnd,paid_at\nA,1,yesterday",
            b"vnp_TransactionNo,vnp_Amount\nA,150",
            b"PK\x03\x04 no workbook",
            b"",
        ],
    )
    def test_refuses_what_it_cannot_read(self, content: bytes) -> None:
        with pytest.raises(StatementUnreadable):
            read_day(content)

    async def test_refusal_names_the_rows(self, books: Books) -> None:
        found = await books.statement(["A,,1000,", "B,,x,", ",,5,"], status=422)
        assert [error["field"] for error in found["errors"]] == ["rows[3]", "rows[4]"]


class TestNight:
    """The day before is asked about by itself."""

    async def test_plans_yesterday_once_for_a_province(self, books: Books, app: FastAPI) -> None:
        await books.till.pay((await books.till.attempt(await books.till.owe()))["reference"])
        auditor = Auditor(books.till.database, app.state.gateways, attempt_life=timedelta(days=1))
        for _ in range(2):
            await auditor.plan(clock.now().astimezone(VN).replace(hour=2))
        (planned,) = (await books.get("/reconciliations"))["items"]
        yesterday = today() - timedelta(days=1)
        assert (planned["provider"], planned["day"]) == ("national_platform", yesterday.isoformat())
        await Auditor(books.till.database, app.state.gateways, attempt_life=timedelta(days=1)).plan(
            clock.now().astimezone(VN).replace(hour=2)
        )
        assert len((await books.get("/reconciliations"))["items"]) == 1

    async def test_waits_until_the_night(self, books: Books, app: FastAPI) -> None:
        await books.till.pay((await books.till.attempt(await books.till.owe()))["reference"])
        auditor = Auditor(books.till.database, app.state.gateways, attempt_life=timedelta(days=1))
        await auditor.plan(clock.now().astimezone(VN).replace(hour=0, minute=59))
        assert (await books.get("/reconciliations"))["items"] == []
