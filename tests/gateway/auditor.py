"""The reconciliation at work before the real portal, and what it found."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.operations.reconciling import Reconciler, Run, RunPlan, request_run
from gateway.portal.client import open_http
from shared import clock
from tests.gateway.cashier import PUBLIC_URL, Cashier
from tests.gateway.hall import Hall

PATIENCE_S = 5
QUICK = RunPlan(per_second=100_000, concurrency=4)


class Auditor:
    """Asks for runs, carries them out, and shows what came of them."""

    def __init__(self, hall: Hall, cashier: Cashier) -> None:
        self.hall = hall
        self.cashier = cashier

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Run]:
        """Lend what carries out runs."""
        async with open_http(PATIENCE_S) as http:
            portal = self.cashier.adapter(http)
            yield Run(self.hall.database, portal, public_url=PUBLIC_URL, plan=QUICK)

    @asynccontextmanager
    async def reconciler(self, hour: int = 2) -> AsyncIterator[Reconciler]:
        """Lend the daily loop."""
        async with open_http(PATIENCE_S) as http:
            portal = self.cashier.adapter(http)
            yield Reconciler(self.hall.database, portal, public_url=PUBLIC_URL, hour=hour, plan=QUICK)

    async def ask(self) -> int:
        """Ask for a run; return its number."""
        async with self.hall.database.session() as session:
            run = await request_run(session, asked_by="test", now=clock.now())
            await session.commit()
            return run.id

    async def reconcile(self) -> dict[str, Any]:
        """Carry out a whole run; return it as it is kept."""
        number = await self.ask()
        async with self.running() as run:
            await run.carry_out(number)
        return await self.kept(number)

    async def kept(self, number: int) -> dict[str, Any]:
        """Return a run as it is kept."""
        return dict((await self.hall.rows("SELECT * FROM portal_run WHERE id = :id", id=number))[0])

    async def differences(self) -> list[Any]:
        """Return every difference, oldest first."""
        return await self.hall.rows("SELECT * FROM portal_difference ORDER BY id")

    async def tell_past_us(self, hoso: dict[str, Any], *, updating: bool = True) -> None:
        """Let somebody else change what the portal holds of a dossier."""
        async with open_http(PATIENCE_S) as http:
            answers = await self.cashier.adapter(http).send_dossiers([hoso], updating=updating)
        assert all(answer.accepted for answer in answers.values()), answers

    async def lose(self, *codes: str, keep: int = 0) -> None:
        """Let the portal lose dossiers, or all that came after their first statuses."""
        answer = await self.cashier.control.post("/lose", json={"dossiers": codes, "keep": keep})
        assert answer.json() == {"lost": len(codes)}
