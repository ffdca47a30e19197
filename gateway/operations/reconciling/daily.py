"""The loop that reconciles: once a day at its hour, whenever somebody asks, and again what was told anew."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.models import PortalRun
from gateway.operations.reconciling import records
from gateway.operations.reconciling.acts import CHANNEL
from gateway.operations.reconciling.run import PortalAway, Run, RunPlan
from gateway.portal.port import Portal
from shared import clock, log
from shared.db import Database
from shared.leading import for_ever, leading
from shared.listening import listen

EVERY_S = 5.0
AWAY_S = 60.0
RESTART_S = 1.0
CATCH_UP = timedelta(days=1)
"""A gateway that was down at the hour makes up for the last run, not for all it missed."""
_LOCK_KEY = 0x7265636F  # "reco": the lock of the one that reconciles
_LAST = text("SELECT day FROM portal_run WHERE day IS NOT NULL ORDER BY day DESC LIMIT 1")

_log = log.get(__name__)


class Reconciler:
    """One is active among all gateways."""

    def __init__(self, database: Database, portal: Portal, *, public_url: str, hour: int, plan: RunPlan) -> None:
        self.database = database
        self.hour = hour
        self._portal, self._public_url, self._plan = portal, public_url, plan
        self._wake = asyncio.Event()
        self._quiet_until = float("-inf")

    async def run(self) -> None:
        """Reconcile for ever."""
        await for_ever("reconciler", self._lead, pause_s=RESTART_S)

    async def _lead(self) -> None:
        async with leading(self.database, _LOCK_KEY, poll_s=EVERY_S) as connection:
            await listen(connection, CHANNEL, self._wake.set)
            while True:
                self._wake.clear()
                # Who holds the lock must know when it is lost: two that reconcile would re-drive twice.
                await connection.execute("SELECT 1")
                await self.look()
                try:
                    await asyncio.wait_for(self._wake.wait(), EVERY_S)
                except TimeoutError:
                    continue

    async def look(self) -> None:
        """Do what is to be done now: the day's run, a run that was asked for, what was told anew."""
        if clock.monotonic() < self._quiet_until:
            return
        try:
            if run := await self._next_run(clock.now()):
                await self._new_run().carry_out(run)
                _log.info("reconciler.finished", run=run)
            await self._compare_again()
        except PortalAway as problem:
            self._quiet_until = clock.monotonic() + AWAY_S
            _log.warning("reconciler.portal_away", reason=log.masked(str(problem)))

    def _new_run(self) -> Run:
        return Run(self.database, self._portal, public_url=self._public_url, plan=self._plan)

    async def _next_run(self, now: datetime) -> int | None:
        async with self.database.session() as session:
            await self._schedule(session, now)
            unfinished = select(PortalRun.id).where(PortalRun.finished_at.is_(None)).order_by(PortalRun.id)
            run = await session.scalar(unfinished.limit(1))
            await session.commit()
        return run

    async def _schedule(self, session: AsyncSession, now: datetime) -> None:
        """Put down the run of the last hour that has passed, unless it is there."""
        local = now.astimezone(clock.VN)
        due = local.replace(hour=self.hour, minute=0, second=0, microsecond=0)
        day = (due if due <= local else due - CATCH_UP).date()
        last = await session.scalar(_LAST)
        if last is None or last < day:
            run = {"asked_by": "schedule", "day": day, "asked_at": now}
            await session.execute(insert(PortalRun).values(run).on_conflict_do_nothing())

    async def _compare_again(self) -> None:
        async with self.database.session() as session:
            codes = await records.list_told_anew(session, self._plan.page)
        if codes:
            await self._new_run().compare(codes, run=None)
