"""Paying what the portal is owed: every status a dossier reached, in order, until it is acknowledged.

One payer is active (an advisory lock). It sends chunks of dossiers side by side; of each dossier only its oldest open
status is on its way at a time: first HoSo (DongBoHoSoMC), then TienDo (CapNhatTienDoHoSoMC), and only when both are
acknowledged the next status. What changes later without a new status goes out as HoSo alone. Whether HoSo goes out as
new or as an update follows from what the portal acknowledged, never from a time-out. A refused dossier waits alone, a
slow call holds only its own dossiers; while the portal does not answer, one dossier at a time is tried after growing
pauses, for ever.
"""

import asyncio
import random
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import groupby

from prometheus_client import Counter, Gauge, Histogram

from gateway.portal.canonical import digest
from gateway.portal.debts import Debt, Debts, Failure
from gateway.portal.messages import with_links
from gateway.portal.port import Portal, PortalSaidNo, PortalUnclear, RowAnswer
from shared import clock, log
from shared.db import Database
from shared.leading import for_ever, leading
from shared.listening import listen

CHANNEL = "motcua_gateway"
GATHER_S = 0.05
"""Pause between looks at what is due, so that dossiers share calls."""
SAFETY_POLL_S = 2.0
RESTART_S = 1.0
SMALLER_SOON_S = 0.05
_LOCK_KEY = 0x70617965  # "paye": the lock of the active payer
_BREAKER_AFTER = 3
_AWAY_AFTER = 8
"""Calls in a row that failed, of which the last five were about one dossier each: no dossier is to blame."""

ACKNOWLEDGED = Counter("motcua_portal_acknowledged_total", "Statuses the portal acknowledged.")
REFUSED = Counter("motcua_portal_refused_total", "Dossiers not taken by the portal, by attempt.")
PORTAL_LAG = Histogram(
    "motcua_portal_lag_seconds",
    "From commit of the event to the portal's acknowledgement.",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600, 86400),
)
BREAKER_OPEN = Gauge("motcua_portal_breaker_open", "1 while the portal is given a pause.")

_log = log.get(__name__)
_SILENT = RowAnswer(accepted=False, exists=False, reason="the portal did not answer for this dossier")


class Breaker(StrEnum):
    """Whether the portal is being spoken to."""

    CLOSED = "closed"
    OPEN = "open"


class Leg(StrEnum):
    """What of a debt goes out next."""

    CREATE = "create"
    UPDATE = "update"
    PROGRESS = "progress"


@dataclass(frozen=True, slots=True)
class PayerPlan:
    """Sizes and pauses; seconds."""

    batch_max: int = 100
    concurrency: int = 4
    retry_first_s: float = 1
    retry_last_s: float = 300


class Payer:
    """Keeps up to `concurrency` chunks on their way."""

    def __init__(self, database: Database, client: Portal, *, public_url: str, plan: PayerPlan) -> None:
        self.database = database
        self.client = client
        self.public_url = public_url
        self.plan = plan
        self.failures_in_a_row = 0
        self._failed_alone: set[str] = set()
        """Dossiers that failed in a call of their own since the portal last answered; each counts once."""
        self._quiet_until = 0.0
        self._wake = asyncio.Event()
        self._on_their_way: dict[asyncio.Task[None], Sequence[Debt]] = {}
        self._came_back = False
        """The portal answered again after it was away."""
        self._backlog = False
        """More is due than goes out at a time: there is nothing to gather."""
        self._next_due_s = SAFETY_POLL_S

    @property
    def breaker(self) -> Breaker:
        """Open after three calls in a row that failed as a whole, one dossier's own not counted twice."""
        return Breaker.OPEN if self.failures_in_a_row >= _BREAKER_AFTER else Breaker.CLOSED

    async def run(self) -> None:
        """Pay for ever."""
        await for_ever("payer", self._lead, pause_s=RESTART_S)

    async def _lead(self) -> None:
        async with leading(self.database, _LOCK_KEY, poll_s=SAFETY_POLL_S) as connection:
            try:
                await listen(connection, CHANNEL, self._wake.set)
                await self._pay_on(Debts(connection))
            finally:
                for task in self._on_their_way:
                    task.cancel()
                await asyncio.gather(*self._on_their_way, return_exceptions=True)
                self._on_their_way.clear()

    async def _pay_on(self, debts: Debts) -> None:
        while True:
            self._wake.clear()
            await self._send_out(debts)
            await self._wait()
            if not self._backlog:
                await asyncio.sleep(GATHER_S)

    async def _send_out(self, debts: Debts) -> None:
        BREAKER_OPEN.set(int(self.breaker is Breaker.OPEN))
        if self._came_back:
            await debts.make_all_due()
            self._came_back = False
        probing = self.breaker is Breaker.OPEN
        if probing and (self._on_their_way or clock.monotonic() < self._quiet_until):
            return
        free = 1 if probing else self.plan.concurrency - len(self._on_their_way)
        if free <= 0:
            return
        away = [debt.code for chunk in self._on_their_way.values() for debt in chunk]
        most = 1 if probing else free * self.plan.batch_max
        due = await debts.due(without=away, most=most)
        self._backlog = len(due) == most and not probing
        self._next_due_s = SAFETY_POLL_S if self._backlog or probing else await debts.next_due_s()
        for chunk in list(self._chunks(due))[:free]:
            task = asyncio.create_task(self._pay(debts, chunk))
            self._on_their_way[task] = chunk

    async def _wait(self) -> None:
        """Wait for something new, for a chunk to come home, or a while; raise what a chunk raised."""
        woken = asyncio.ensure_future(self._wake.wait())
        timeout = min(SAFETY_POLL_S, max(0.01, clock.wait_s(self._next_due_s)))
        if self.breaker is Breaker.OPEN:
            timeout = min(timeout, max(0.01, clock.wait_s(self._quiet_until - clock.monotonic())))
        try:
            await asyncio.wait([woken, *self._on_their_way], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
        for task in [task for task in self._on_their_way if task.done()]:
            del self._on_their_way[task]
            task.result()

    def _chunks(self, debts: Iterable[Debt]) -> Iterable[Sequence[Debt]]:
        """Yield debts that can go out in one call; what failed goes in ever smaller ones."""

        def alike(debt: Debt) -> tuple[Leg, int]:
            return _leg(debt), debt.attempts

        for (_, attempts), group in groupby(sorted(debts, key=alike), key=alike):
            together = list(group)
            size = max(1, self.plan.batch_max // 4 ** min(attempts, 8))
            for at in range(0, len(together), size):
                yield together[at : at + size]

    async def _pay(self, debts: Debts, chunk: Sequence[Debt]) -> None:
        leg = _leg(chunk[0])
        if leg is not Leg.PROGRESS:
            chunk = await self._send_dossiers(debts, chunk, updating=leg is Leg.UPDATE)
            self._measure(debt for debt in chunk if debt.progress_message is None)
        chunk = [debt for debt in chunk if debt.progress_message is not None]
        if chunk:
            await self._send_progress(debts, chunk)
        self._wake.set()

    async def _send_dossiers(self, debts: Debts, chunk: Sequence[Debt], *, updating: bool) -> list[Debt]:
        """Send HoSo; return the debts whose HoSo the portal acknowledged."""
        messages = [with_links(debt.dossier_message or {}, self.public_url) for debt in chunk]
        answers = await self._ask(chunk, self.client.send_dossiers(messages, updating=updating))
        accepted = [debt for debt in chunk if answers[debt.code].accepted]
        # "Exists already" answers an earlier call whose answer was lost: the same status goes out again as an update.
        existing = [debt for debt in chunk if answers[debt.code].exists and not updating]
        await debts.note_held(existing)
        sent = dict(zip((debt.code for debt in chunk), messages, strict=True))
        await debts.note_dossier_acknowledged(
            accepted, [digest(sent[debt.code], self.client.shows) for debt in accepted]
        )
        await self._note_refused(debts, chunk, answers, taken=[*accepted, *existing])
        again = await self._send_dossiers(debts, existing, updating=True) if existing else []
        return [*accepted, *again]

    async def _send_progress(self, debts: Debts, chunk: Sequence[Debt]) -> None:
        """Send TienDo; what the portal acknowledges of it is paid."""
        messages = [debt.progress_message or {} for debt in chunk]
        answers = await self._ask(chunk, self.client.send_progress(messages))
        accepted = [debt for debt in chunk if answers[debt.code].accepted]
        await debts.note_acknowledged(accepted)
        self._measure(accepted)
        await self._note_refused(debts, chunk, answers, taken=accepted)

    def _measure(self, paid: Iterable[Debt]) -> None:
        now = clock.now()
        for debt in paid:
            ACKNOWLEDGED.inc()
            PORTAL_LAG.observe((now - debt.owed_since).total_seconds())

    async def _ask(self, chunk: Sequence[Debt], call: Awaitable[dict[str, RowAnswer]]) -> dict[str, RowAnswer]:
        """Return an answer for every dossier of a call, also when the call as a whole was refused or not answered."""
        try:
            answers = await call
        except (PortalUnclear, PortalSaidNo) as problem:
            alone_and_there = isinstance(problem, PortalSaidNo) and problem.exists and len(chunk) == 1
            if not alone_and_there:
                self._count_failure(chunk)
            soon = isinstance(problem, PortalSaidNo) and len(chunk) > 1
            same = RowAnswer(accepted=False, exists=alone_and_there, reason=str(problem), again_soon=soon)
            return {debt.code: same for debt in chunk}
        self._came_back = self._came_back or self.failures_in_a_row >= _AWAY_AFTER
        self.failures_in_a_row = 0
        self._failed_alone.clear()
        return {debt.code: answers.get(debt.code, _SILENT) for debt in chunk}

    def _count_failure(self, chunk: Sequence[Debt]) -> None:
        # A dossier whose calls fail again and again says nothing about the portal: it must not hold up the others.
        if len(chunk) == 1 and chunk[0].code in self._failed_alone:
            return
        self._failed_alone |= {debt.code for debt in chunk if len(chunk) == 1}
        self.failures_in_a_row += 1
        if self.breaker is Breaker.OPEN:
            self._quiet_until = clock.monotonic() + self._pause(self.failures_in_a_row - _BREAKER_AFTER + 1)

    async def _note_refused(
        self, debts: Debts, chunk: Sequence[Debt], answers: dict[str, RowAnswer], *, taken: Sequence[Debt]
    ) -> None:
        done = {debt.code for debt in taken}
        refused = [debt for debt in chunk if debt.code not in done]
        REFUSED.inc(len(refused))
        await debts.note_failures([self._failure(debt, answers[debt.code]) for debt in refused])

    def _failure(self, debt: Debt, answer: RowAnswer) -> Failure:
        pause = SMALLER_SOON_S if answer.again_soon else self._pause(debt.attempts + 1)
        return Failure(debt, answer.reason, clock.now() + timedelta(seconds=pause))

    def _pause(self, attempts: int) -> float:
        """Return seconds to wait after so many attempts: doubling, bounded, with jitter."""
        pause = min(self.plan.retry_first_s * 2 ** min(attempts - 1, 16), self.plan.retry_last_s)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret


def _leg(debt: Debt) -> Leg:
    if debt.dossier_message is None:
        return Leg.PROGRESS
    return Leg.UPDATE if debt.known else Leg.CREATE
