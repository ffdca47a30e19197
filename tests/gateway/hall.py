"""The gateway's database and inbox as tests use them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text

from gateway.consumers import HANDLERS, preload
from gateway.models import GatewayBase
from shared.db import PLUMBING, Database
from shared.events.envelope import RawEvent
from shared.inbox import Inbox, RetryPlan

KEPT = frozenset({"client", "client_secret", "client_key", "client_grant"})
EAGER = RetryPlan(first_s=0, last_s=0, attempts_max=100)


class Hall:
    """Takes events as the gateway's consumer does, and shows what came of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.inbox = Inbox(database, HANDLERS, preload=preload, plan=EAGER)

    async def take(self, events: Sequence[RawEvent]) -> None:
        """Take events as one batch."""
        await self.inbox.take(events)

    async def take_singly(self, events: Iterable[RawEvent]) -> None:
        """Take events one after the other, and try those that wait after each."""
        for event in events:
            await self.inbox.take([event])
            await self.inbox.retry_due()

    async def rows(self, statement: str, **values: Any) -> list[Any]:
        """Return the rows of a statement, which is committed."""
        async with self.database.session() as session:
            connection = await session.connection()
            result = await connection.execute(text(statement), values)
            found = list(result.mappings()) if result.returns_rows else []
            await session.commit()
            return found

    async def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return (await self.rows(f"SELECT count(*) AS n FROM {table}"))[0]["n"]

    async def view(self, code: str) -> dict[str, Any]:
        """Return what is known of a dossier, but for when it was last touched."""
        (row,) = await self.rows("SELECT * FROM dossier_view WHERE code = :code", code=code)
        return {name: value for name, value in row.items() if name != "updated_at"}

    async def owed(self, code: str) -> list[int]:
        """Return the statuses owed to the portal of a dossier, in order."""
        rows = await self.rows("SELECT status FROM portal_debt WHERE dossier_code = :code ORDER BY version", code=code)
        return [row["status"] for row in rows]

    async def cut(self) -> None:
        """End the connections that gateways hold of their own, to listen and to lead; they are ended on return."""
        ended = await self.rows(
            "SELECT pg_terminate_backend(pid, 10000) AS ended FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE '%-own'"
        )
        assert ended, "nobody listens"
        assert all(row["ended"] for row in ended)

    async def clear(self) -> None:
        """Forget everything but the clients."""
        async with self.database.session() as session:
            for table in (*reversed(GatewayBase.metadata.sorted_tables), *PLUMBING.sorted_tables):
                if table.name not in KEPT:
                    await session.execute(table.delete())
            await session.commit()
