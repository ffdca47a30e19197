"""The payer at work before the real portal, and what each of them says of it afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx

from gateway.portal.client import open_http
from gateway.portal.legacy import LegacyPortal
from gateway.portal.numbers import Numbers
from gateway.portal.payer import CHANNEL, Payer, PayerPlan
from gateway.portal.port import Portal
from gateway.portal.rest import RestPortal
from shared.db import Database
from tests.gateway.hall import Hall
from tests.gateway.lives import Life
from tests.portal.process import PASSWORD, USERNAME
from tests.support.assertions import eventually
from tests.support.bus import running

HASTY = PayerPlan(batch_max=100, concurrency=3, retry_first_s=0.05, retry_last_s=0.4)
TIMEOUT_S = 0.4
DIALECTS = ("legacy", "rest")
TICK_S = 0.03
PUBLIC_URL = "https://motcua.example"


class Cashier:
    """Sees to it that the portal is paid, and asks both sides."""

    def __init__(self, hall: Hall, portal_url: str, control: httpx.AsyncClient, dialect: str = "legacy") -> None:
        self.hall = hall
        self.portal_url = portal_url
        self.control = control
        self.dialect = dialect

    @asynccontextmanager
    async def paying(self, *, plan: PayerPlan = HASTY, database: Database | None = None) -> AsyncIterator[Payer]:
        """Let a payer pay while the block lasts; it is woken often, so that no test waits for its slow poll."""
        async with open_http(TIMEOUT_S) as http:
            payer = self.payer(http, plan, database)
            async with running(payer.run(), self._wake_often()):
                yield payer

    def payer(self, http: aiohttp.ClientSession, plan: PayerPlan = HASTY, database: Database | None = None) -> Payer:
        """Return a payer with a session of its own at the portal."""
        database = database or self.hall.database
        return Payer(database, self.adapter(http, database), public_url=PUBLIC_URL, plan=plan)

    def adapter(self, http: aiohttp.ClientSession, database: Database | None = None) -> Portal:
        """Return the adapter of the dialect that is spoken."""
        if self.dialect == "rest":
            numbers = Numbers(database or self.hall.database)
            return RestPortal(http, numbers, url=self.portal_url, client_id=USERNAME, client_secret=PASSWORD)
        return LegacyPortal(
            http, url=self.portal_url, username=USERNAME, password=PASSWORD, unit="000.00.00.H32", dstcode="VN:GOV:X"
        )

    async def _wake_often(self) -> None:
        while True:
            await self.hall.rows("SELECT pg_notify(:channel, '')", channel=CHANNEL)
            await asyncio.sleep(TICK_S)

    async def all_paid(self, *, within_s: float = 30) -> None:
        """Wait until nothing is owed."""

        async def nothing_owed() -> bool:
            return not await self.owed()

        await eventually(nothing_owed, within_s=within_s)

    async def owed(self) -> list[Any]:
        """Return what is not acknowledged."""
        return await self.hall.rows(
            "SELECT dossier_code, version, status, attempts, last_error FROM portal_debt"
            " WHERE acknowledged_at IS NULL ORDER BY dossier_code, version"
        )

    async def fault(self, service: str, kind: str, **more: Any) -> int:
        """Let something go wrong at the portal."""
        answer = await self.control.post("/faults", json={"service": service, "kind": kind, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def end_faults(self) -> int:
        """End every fault; return how often they fired."""
        standing = (await self.control.get("/faults")).json()["faults"]
        await self.control.delete("/faults")
        return sum(fault["fired"] for fault in standing)

    async def told(self) -> dict[str, list[int]]:
        """Return the statuses the portal was told, in order, by dossier."""
        statuses = (await self.control.get("/statuses")).json()
        return {code: [int(status) for status in found] for code, found in statuses.items()}

    async def summary(self) -> dict[str, Any]:
        """Return the portal's own figures."""
        return (await self.control.get("/summary")).json()

    async def dossier(self, code: str) -> dict[str, Any]:
        """Return all the portal was told of one dossier."""
        return (await self.control.get(f"/dossiers/{code}")).json()

    async def received(self) -> list[dict[str, Any]]:
        """Return every call and row the portal got, in order."""
        return (await self.control.get("/received", params={"limit": 10_000})).json()["rows"]

    async def assert_in_step(self, *lives: Life) -> None:
        """Check that the portal's own record is ours: every status in order, explained once, none objected to."""
        told, expected = await self.told(), {life.code: life.statuses for life in lives}
        assert told == expected
        found = await self.summary()
        assert (found["violations"], found["disorder"]) == (0, 0)
        for life in lives:
            dossier = await self.dossier(life.code)
            assert [int(row["TrangThai"]) for row in dossier["tien_do"]] == life.statuses
            assert dossier["hoso"]["TrangThaiHoSo"] == str(life.statuses[-1])
        rows = await self.hall.rows("SELECT code, acknowledged_version FROM portal_dossier")
        held = {row["code"]: row["acknowledged_version"] for row in rows}
        assert held == {life.code: len(life.statuses) for life in lives}

    async def assert_told(self, *lives: Life) -> None:
        """Check that the portal stands where lives stand, whatever it objected to on the way."""
        assert await self.told() == {life.code: life.statuses for life in lives}
