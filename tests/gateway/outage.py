"""Three days without the portal, on a simulated clock, and what came of them; small in CI, at full size in proofs."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from gateway.portal.client import open_http
from gateway.portal.legacy import LegacyPortal
from gateway.portal.messages import portal_time, with_links
from gateway.portal.payer import Breaker, Payer, PayerPlan
from shared import clock
from shared.events.envelope import RawEvent
from tests.gateway.auditor import Auditor
from tests.gateway.cashier import PUBLIC_URL, Cashier
from tests.gateway.hall import Hall
from tests.gateway.lives import Life
from tests.portal.process import PASSWORD, USERNAME, PortalProcess
from tests.support.bus import running

HOURS = 72
BATCH = 500
PLAN = PayerPlan()
PUSH, PROGRESS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
DRAIN_SPEED = 60.0
"""Pauses after a failure pass faster than the portal works; the portal itself is not hurried."""
ILLNESS: Sequence[dict[str, Any]] = (
    {"service": "*", "kind": "delay", "delay_s": 0.3, "count": 6},
    {"service": PUSH, "kind": "garbage_200", "rate": 0.5, "count": 4},
    {"service": PROGRESS, "kind": "garbage_200", "rate": 0.5, "count": 4},
    {"service": PUSH, "kind": "timeout_after_effect", "rate": 0.3, "count": 2, "delay_s": 1.5},
    {"service": PROGRESS, "kind": "timeout_after_effect", "rate": 0.3, "count": 2, "delay_s": 1.5},
    {"service": PUSH, "kind": "already_exists", "rate": 0.02, "count": 40},
    {"service": PUSH, "kind": "expired_session", "rate": 0.3, "count": 5},
    {"service": "*", "kind": "quirky_codes", "rate": 0.5, "count": 50},
)
TIMEOUT_S = 1.0
"""Small, so that a proof does not wait for the portal to be silent; a slow machine only sees more of its silence."""


@dataclass(slots=True)
class Outcome:
    """Figures of an outage."""

    dossiers: int
    events: int
    statuses: int
    feed_s: float = 0.0
    calls_while_down: int = 0
    drain_s: float = 0.0
    capacity: float = 0.0
    """Statuses a second that the portal takes when it is fed without us."""
    wrong: list[str] = field(default_factory=list)

    def told(self) -> str:
        """Return the figures in words."""
        rate = self.statuses / self.drain_s
        return (
            f"{self.dossiers:,} dossiers, {self.events:,} events, {self.statuses:,} statuses;"
            f" {self.calls_while_down:,} attempts while it was down; fed in {self.feed_s:.0f} s;"
            f" drained in {self.drain_s:.1f} s = {rate:,.0f} statuses/s;"
            f" the portal alone takes {self.capacity:,.0f}/s: ratio {rate / self.capacity:.2f}"
        )


class Outage:
    """Plays it."""

    def __init__(self, hall: Hall, cashier: Cashier, process: PortalProcess, folder: Path) -> None:
        self.hall, self.cashier, self.process, self.folder = hall, cashier, process, folder
        self.auditor = Auditor(hall, cashier)

    async def last(self, lives: Sequence[Life], sim: clock.SimulatedTime) -> Outcome:
        """Let the lives happen without a portal, then with one that is ill at first; wait until all is told."""
        events = sorted((event for life in lives for event in life.events), key=lambda event: event.time)
        found = Outcome(len(lives), len(events), sum(len(life.statuses) for life in lives))
        began = sim.now()
        self.process.kill()
        async with self._paying() as payer:
            started = time.monotonic()
            await self._feed(events, sim)
            sim.pass_by(max(timedelta(0), began + timedelta(hours=HOURS) - sim.now()))
            found.feed_s = time.monotonic() - started
            found.calls_while_down = await self._attempts()
            assert payer.breaker is Breaker.OPEN
            found.capacity = await self._capacity()
            sim.run_at(DRAIN_SPEED)
            await asyncio.to_thread(self.process.start)
            for fault in ILLNESS:
                await self.cashier.fault(**fault)
            found.drain_s = await self._drained()
        await self.cashier.end_faults()
        found.wrong = self._compare(lives)
        return found

    @asynccontextmanager
    async def _paying(self) -> AsyncIterator[Payer]:
        async with open_http(TIMEOUT_S) as http:
            payer = self.cashier.payer(http, PLAN)
            async with running(payer.run()):
                yield payer

    async def _feed(self, events: Sequence[RawEvent], sim: clock.SimulatedTime) -> None:
        for at in range(0, len(events), BATCH):
            batch = events[at : at + BATCH]
            sim.pass_by(max(timedelta(0), batch[-1].time - sim.now()))
            await self.hall.take(batch)

    async def _attempts(self) -> int:
        return (await self.hall.rows("SELECT coalesce(sum(attempts), 0) AS n FROM portal_debt"))[0]["n"]

    async def _drained(self) -> float:
        started = time.monotonic()
        while (await self.hall.rows("SELECT EXISTS (SELECT FROM portal_queue) AS owed"))[0]["owed"]:
            await asyncio.sleep(0.05)
        return time.monotonic() - started

    async def _capacity(self, most: int = 2_000) -> float:
        """Feed a portal of its own with the same messages in the same batches, and nothing else to do."""
        rows = await self.hall.rows(
            "SELECT dossier_code, version, dossier_message, progress_message FROM portal_debt WHERE dossier_code IN"
            " (SELECT code FROM portal_queue ORDER BY code LIMIT :most) ORDER BY version, dossier_code",
            most=most,
        )
        waves: dict[int, list[Any]] = {}
        for row in rows:
            waves.setdefault(row["version"], []).append(row)
        folder = self.folder / "ceiling"
        folder.mkdir(exist_ok=True)
        with PortalProcess(folder, gateway_url="http://127.0.0.1:1") as alone:
            async with open_http(60) as http:
                portal = LegacyPortal(
                    http, url=alone.url, username=USERNAME, password=PASSWORD, unit="000.00.00.H32", dstcode="VN:GOV:X"
                )
                await portal.look_up("H32-260407-0001")
                started = time.monotonic()
                for version, wave in sorted(waves.items()):
                    await _fed(portal, wave, updating=version > 1)
                return len(rows) / (time.monotonic() - started)

    def _compare(self, lives: Sequence[Life]) -> list[str]:
        """Return what the portal's own memory has otherwise than the lives went: statuses, order, moments."""
        db = sqlite3.connect(self.folder / "portal.sqlite3")
        told: dict[str, list[tuple[int, str]]] = {}
        for code, status, at in db.execute("select dossier, status, event_time from status order by seq"):
            told.setdefault(code, []).append((int(status), at))
        explained = dict(db.execute("select dossier, count(*) from tien_do group by dossier"))
        bad = db.execute("select dossier, message from received where outcome = 'violation' limit 5").fetchall()
        db.close()
        wrong = [f"{code}: {message}" for code, message in bad]
        for life in lives:
            expected = [(status, portal_time(at)) for status, at in zip(life.statuses, life.moments, strict=True)]
            if told.get(life.code) != expected:
                wrong.append(f"{life.code}: told {told.get(life.code)}, lived {expected}")
            if explained.get(life.code) != len(life.statuses):
                wrong.append(f"{life.code}: {explained.get(life.code)} explained of {len(life.statuses)}")
        if set(told) - {life.code for life in lives}:
            wrong.append("the portal holds dossiers that never lived")
        return wrong


async def _fed(portal: LegacyPortal, wave: Sequence[Any], *, updating: bool) -> None:
    slots = asyncio.Semaphore(PLAN.concurrency)

    async def one(batch: Sequence[Any]) -> None:
        async with slots:
            messages = [with_links(row["dossier_message"], PUBLIC_URL) for row in batch]
            await portal.send_dossiers(messages, updating=updating)
            await portal.send_progress([row["progress_message"] for row in batch])

    rows = iter(wave)
    batches = iter(lambda: list(islice(rows, PLAN.batch_max)), [])
    await asyncio.gather(*(one(batch) for batch in batches))


def began_at() -> datetime:
    """Return a moment at which an outage may begin."""
    return datetime.fromisoformat("2026-04-06T17:00:00+00:00")
