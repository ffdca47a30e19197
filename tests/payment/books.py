"""What tests of the ledger do all the time: call as an accountant, send statements, add the ledger up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from shared import clock
from shared.clock import VN
from tests.payment.till import Till

ACCOUNTANT = {"scopes": ("fees:read", "ledger:read", "ledger:write"), "agency": "H32"}
DAY = "20261123"
"""The day on which `confirmation` says that payers paid."""
LINE = "transaction_number,reference,amount_vnd,status\n"


@dataclass(slots=True)
class Books:
    """The ledger beside the till."""

    till: Till

    async def balances(self) -> dict[str, int]:
        """Return what each account holds, by its code; the whole must be none, and so must every account's mirror."""
        query = text(
            """
            SELECT code, sum(vnd)::bigint AS vnd FROM (
                SELECT debit AS code, amount_vnd AS vnd FROM ledger_entry
                UNION ALL SELECT credit, -amount_vnd FROM ledger_entry) AS moved GROUP BY code
            """
        )
        async with self.till.database.session() as session:
            found = {row.code: row.vnd for row in await session.execute(query)}
        assert sum(found.values()) == 0
        return {code: vnd for code, vnd in found.items() if vnd}

    async def causes(self) -> list[str]:
        """Return why sums were moved, in order."""
        return await self.till.scalars("SELECT cause FROM ledger_entry ORDER BY id")

    def headers(self, client: str = "accounting") -> dict[str, str]:
        """Return the headers of an accountant's call."""
        return self.till.issuer.headers(ACCOUNTANT["scopes"], agency="H32", client_id=client)

    async def get(self, path: str, **query: Any) -> Any:
        """Return what an accountant sees."""
        answer = await self.till.client.get(path, params=query, headers=self.headers())
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: dict[str, Any], *, client: str = "accounting", status: int = 200) -> Any:
        """Send an accountant's call."""
        answer = await self.till.client.post(path, json=body, headers=self.headers(client))
        assert answer.status_code == status, answer.text
        return answer.json()

    async def statement(
        self, lines: Iterable[str], *, provider: str = "cash", day: date | None = None, status: int = 201
    ) -> Any:
        """Send a provider's statement as CSV."""
        answer = await self.till.client.post(
            "/reconciliations/statements",
            params={"provider": provider, "day": (day or today()).isoformat()},
            content=LINE + "\n".join(lines),
            headers=self.headers() | {"Content-Type": "text/csv"},
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    async def differences(self, **query: Any) -> list[dict[str, Any]]:
        """Return open differences."""
        return (await self.get("/reconciliations/differences", **query))["items"]

    async def number_of(self, payment: dict[str, Any]) -> str:
        """Return a cash payment's transaction number."""
        query = "SELECT transaction_number FROM deposit WHERE payment_id = CAST(:id AS uuid)"
        return (await self.till.scalars(query, id=payment["id"]))[0]


def today() -> date:
    """Return today's date in Việt Nam."""
    return clock.now().astimezone(VN).date()
