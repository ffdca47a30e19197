"""The days of VNPAY and of the bank, as their own processes state them, beside the ledger."""

from typing import Any

import pytest

from tests.payment.books import Books, today
from tests.payment.till import Till


@pytest.fixture
def books(till: Till) -> Books:
    return Books(till)


async def sent(books: Books, provider: str, content: bytes) -> dict[str, Any]:
    """Send a statement as it came from its provider."""
    answer = await books.till.client.post(
        "/reconciliations/statements",
        params={"provider": provider, "day": today().isoformat()},
        content=content,
        headers=books.headers(),
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def paid_by_vnpay(books: Books, **order: Any) -> dict[str, Any]:
    """Pay a fee by VNPAY; return the attempt as it ended."""
    attempt = await books.till.attempt(await books.till.owe(), "vnpay")
    await books.till.pay_vnpay(attempt, **order)
    return attempt


class TestVnpay:
    """GET /_control/settlement of the mocked VNPAY."""

    async def test_agrees_with_the_ledger(self, books: Books) -> None:
        for _ in range(3):
            await books.till.ended(await paid_by_vnpay(books))
        found = await sent(books, "vnpay", (await books.till.vnpay.get("/_control/settlement")).content)
        assert (found["ours_count"], found["theirs_count"], found["matched_count"]) == (3, 3, 3)
        assert (await books.get(f"/reconciliations/{found['id']}/matches"))["matched"] == 3

    async def test_tells_of_money_whose_notice_never_came(self, books: Books) -> None:
        attempt = await paid_by_vnpay(books, callbacks=0)
        await sent(books, "vnpay", (await books.till.vnpay.get("/_control/settlement")).content)
        (difference,) = await books.differences()
        assert (difference["kind"], difference["reference"]) == ("theirs_only", attempt["reference"])
        body = {"explanation": "not_told", "note": "Không nhận được IPN"}
        path = f"/reconciliations/differences/{difference['id']}"
        await books.post(f"{path}/explain", body)
        await books.post(f"{path}/resolve", {"resolution": "record"}, client="accounting-second")
        assert (await books.till.ended(attempt))["status"] == "succeeded"
        await sent(books, "vnpay", (await books.till.vnpay.get("/_control/settlement")).content)
        assert await books.differences() == []


class TestBank:
    """GET /statement of the mocked bank."""

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    async def test_agrees_with_the_ledger(self, books: Books, kind: str) -> None:
        attempt = await books.till.attempt(await books.till.owe(), "vietqr")
        await books.till.transfer(attempt)
        await books.till.ended(attempt)
        answer = await books.till.bank.get("/statement", params={"format": kind})
        found = await sent(books, "vietqr", answer.content)
        assert (found["ours_count"], found["theirs_count"], found["matched_count"]) == (1, 1, 1)
        assert await books.differences() == []
