"""Paying what the portal is owed: every status a dossier reached, in order, until it is acknowledged.

One payer is active (an advisory lock). In each round every dossier with something open and due gets its oldest open
status sent: first HoSo (DongBoHoSoMC), then TienDo (CapNhatTienDoHoSoMC); both must be acknowledged before the next
status of that dossier goes out. Whether HoSo is sent as new or as an update follows from what the portal acknowledged.
A refused dossier waits alone; a portal that does not answer lets everything wait, with growing pauses, for ever.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

import asyncpg
import orjson
from prometheus_client import Counter, Gauge, Histogram

from gateway.portal.client import PortalClient, PortalSaidNo, PortalUnclear, RowAnswer
from gateway.portal.messages import with_links
from shared import clock, log
from shared.db import Database, is_outage

CHANNEL = "motcua_gateway"
SAFETY_POLL_S = 2.0
RESTART_S = 1.0
SMALLER_SOON_S = 0.05
REASON_MAX = 300
_LOCK_KEY = 0x70617965  # "paye": the lock of the active payer
_BREAKER_AFTER = 3

ACKNOWLEDGED = Counter("motcua_portal_acknowledged_total", "Statuses the portal acknowledged.")
REFUSED = Counter("motcua_portal_refused_total", "Dossiers the portal refused, by attempt.")
PORTAL_LAG = Histogram(
    "motcua_portal_lag_seconds",
    "From commit of the event to the portal's acknowledgement.",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600, 86400),
)
BREAKER_OPEN = Gauge("motcua_portal_breaker_open", "1 while the portal is given a pause.")

_log = log.get(__name__)

_DUE = """
    SELECT head.*, held.code IS NOT NULL AS known
    FROM (SELECT DISTINCT ON (dossier_code) dossier_code, version, owed_since, dossier_message, progress_message,
                 dossier_acknowledged_at, attempts, next_attempt_at
          FROM portal_debt WHERE acknowledged_at IS NULL ORDER BY dossier_code, version) AS head
    LEFT JOIN portal_dossier AS held ON held.code = head.dossier_code
    WHERE head.next_attempt_at <= $1 ORDER BY head.owed_since LIMIT $2
"""
_HELD = """
    INSERT INTO portal_dossier (code, created_at, acknowledged_version)
    SELECT code, $2, 0 FROM unnest($1::text[]) AS t(code) ON CONFLICT DO NOTHING
"""
_DOSSIER_ACKNOWLEDGED = """
    UPDATE portal_debt AS d SET dossier_acknowledged_at = $3, dossier_message = NULL
    FROM unnest($1::text[], $2::int[]) AS t(code, version) WHERE d.dossier_code = t.code AND d.version = t.version
"""
_ACKNOWLEDGED = """
    WITH paid AS (
        UPDATE portal_debt AS d
        SET acknowledged_at = $3, progress_message = NULL, last_error = NULL, next_attempt_at = NULL
        FROM unnest($1::text[], $2::int[]) AS t(code, version) WHERE d.dossier_code = t.code AND d.version = t.version
        RETURNING d.dossier_code, d.version)
    UPDATE portal_dossier AS h SET acknowledged_version = paid.version FROM paid WHERE h.code = paid.dossier_code
"""
_FAILED = """
    UPDATE portal_debt AS d SET attempts = attempts + 1, next_attempt_at = t.again, last_error = t.reason
    FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[]) AS t(code, version, again, reason)
    WHERE d.dossier_code = t.code AND d.version = t.version
"""


class Breaker(StrEnum):
    """Whether the portal is being spoken to."""

    CLOSED = "closed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class PayerPlan:
    """Sizes and pauses; seconds."""

    batch_max: int = 100
    concurrency: int = 4
    retry_first_s: float = 1
    retry_last_s: float = 300


@dataclass(frozen=True, slots=True)
class Debt:
    """The oldest open status of one dossier."""

    code: str
    version: int
    owed_since: datetime
    dossier_message: dict[str, object] | None
    """None once HoSo was acknowledged."""
    progress_message: dict[str, object]
    attempts: int
    known: bool
    """The portal has acknowledged that it holds the dossier."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A debt that was not taken, and why; `soon`: its whole chunk was refused, it goes out again in a smaller one."""

    debt: Debt
    reason: str
    soon: bool = False


Send = Callable[[Sequence[Debt]], Awaitable[dict[str, RowAnswer]]]


class Payer:
    """Pays in rounds."""

    def __init__(self, database: Database, client: PortalClient, *, public_url: str, plan: PayerPlan) -> None:
        self.database = database
        self.client = client
        self.public_url = public_url
        self.plan = plan
        self.failures_in_a_row = 0
        self._wake = asyncio.Event()

    @property
    def breaker(self) -> Breaker:
        """Open after three calls in a row without a definite answer."""
        return Breaker.OPEN if self.failures_in_a_row >= _BREAKER_AFTER else Breaker.CLOSED

    async def run(self) -> None:
        """Pay for ever."""
        while True:
            try:
                await self._lead()
            except Exception as problem:
                if is_outage(problem):
                    _log.warning("payer.database_away", reason=type(problem).__name__)
                else:
                    _log.exception("payer.failed")
            await asyncio.sleep(RESTART_S)

    async def _lead(self) -> None:
        connection = await self.database.connect()
        try:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK_KEY):
                await asyncio.sleep(SAFETY_POLL_S)
            await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
            while True:
                self._wake.clear()
                if not await self.run_once(connection):
                    await self._wait()
                await self._pause_when_open()
        finally:
            await connection.close(timeout=2)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(SAFETY_POLL_S):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _pause_when_open(self) -> None:
        BREAKER_OPEN.set(int(self.breaker is Breaker.OPEN))
        if self.breaker is Breaker.OPEN:
            await asyncio.sleep(self._pause(self.failures_in_a_row - _BREAKER_AFTER + 1))

    def _pause(self, attempts: int) -> float:
        """Return seconds to wait after so many attempts: doubling, bounded, with jitter."""
        pause = min(self.plan.retry_first_s * 2 ** min(attempts - 1, 16), self.plan.retry_last_s)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

    async def run_once(self, connection: asyncpg.Connection) -> int:
        """Send one round; return how many dossiers had something due."""
        breaker_open = self.breaker is Breaker.OPEN
        most = 1 if breaker_open else self.plan.batch_max * self.plan.concurrency
        rows = await connection.fetch(_DUE, clock.now(), most)
        debts = [_debt(row) for row in rows]
        for_dossier = [debt for debt in debts if debt.dossier_message is not None]
        sent = [debt for debt in debts if debt.dossier_message is None]
        for updating in (False, True):
            group = [debt for debt in for_dossier if debt.known is updating]
            sent += await self._send_dossiers(connection, group, updating=updating)
        await self._send_progress(connection, sent)
        return len(debts)

    async def _send_dossiers(
        self, connection: asyncpg.Connection, debts: Sequence[Debt], *, updating: bool
    ) -> list[Debt]:
        """Send HoSo; return the debts whose HoSo the portal acknowledged."""

        async def send(chunk: Sequence[Debt]) -> dict[str, RowAnswer]:
            messages = [with_links(debt.dossier_message or {}, self.public_url) for debt in chunk]
            return await self.client.send_dossiers(messages, updating=updating)

        answers = await self._in_chunks(connection, debts, send)
        accepted, existing, refused = _sorted(debts, answers, updating=updating)
        now = clock.now()
        held = [debt.code for debt in (*accepted, *existing)]
        if held:
            await connection.execute(_HELD, held, now)
        if accepted:
            await connection.execute(_DOSSIER_ACKNOWLEDGED, *_keys(accepted), now)
        await self._note_refused(connection, refused)
        # "Exists already" answers an earlier call whose answer was lost: the same status goes out again as an update.
        again = await self._send_dossiers(connection, existing, updating=True) if existing else []
        return [*accepted, *again]

    async def _send_progress(self, connection: asyncpg.Connection, debts: Sequence[Debt]) -> None:
        async def send(chunk: Sequence[Debt]) -> dict[str, RowAnswer]:
            return await self.client.send_progress([debt.progress_message for debt in chunk])

        answers = await self._in_chunks(connection, debts, send)
        accepted, _, refused = _sorted(debts, answers, updating=True)
        now = clock.now()
        if accepted:
            await connection.execute(_ACKNOWLEDGED, *_keys(accepted), now)
            ACKNOWLEDGED.inc(len(accepted))
            for debt in accepted:
                PORTAL_LAG.observe((now - debt.owed_since).total_seconds())
        await self._note_refused(connection, refused)

    async def _in_chunks(
        self, connection: asyncpg.Connection, debts: Sequence[Debt], send: Send
    ) -> dict[str, RowAnswer]:
        limit = asyncio.Semaphore(self.plan.concurrency)
        failed: list[Failure] = []

        async def one(chunk: Sequence[Debt]) -> dict[str, RowAnswer]:
            async with limit:
                return await self._one_chunk(chunk, send, failed)

        answers: dict[str, RowAnswer] = {}
        for found in await asyncio.gather(*map(one, self._chunks(debts))):
            answers |= found
        await self._note_refused(connection, failed)
        return answers

    def _chunks(self, debts: Sequence[Debt]) -> list[Sequence[Debt]]:
        """Return the debts in chunks; what failed goes out in ever smaller ones, until the disliked one is alone."""
        chunks: list[Sequence[Debt]] = []
        for attempts, group in groupby(sorted(debts, key=lambda debt: debt.attempts), key=lambda debt: debt.attempts):
            alike = list(group)
            size = max(1, self.plan.batch_max // 4 ** min(attempts, 8))
            chunks += [alike[at : at + size] for at in range(0, len(alike), size)]
        return chunks

    async def _one_chunk(self, chunk: Sequence[Debt], send: Send, failed: list[Failure]) -> dict[str, RowAnswer]:
        try:
            answers = await send(chunk)
        except PortalUnclear as problem:
            self.failures_in_a_row += 1
            failed += [Failure(debt, str(problem)) for debt in chunk]
            return {}
        except PortalSaidNo as problem:
            if problem.exists and len(chunk) == 1:
                return {chunk[0].code: RowAnswer(accepted=False, exists=True, reason=str(problem))}
            self.failures_in_a_row += 1
            failed += [Failure(debt, str(problem), soon=len(chunk) > 1) for debt in chunk]
            return {}
        self.failures_in_a_row = 0
        silent = [debt for debt in chunk if debt.code not in answers]
        failed += [Failure(debt, "the portal did not answer for this dossier") for debt in silent]
        return answers

    async def _note_refused(self, connection: asyncpg.Connection, failures: Sequence[Failure]) -> None:
        if not failures:
            return
        now = clock.now()
        REFUSED.inc(len(failures))
        pauses = [SMALLER_SOON_S if f.soon else self._pause(f.debt.attempts + 1) for f in failures]
        await connection.execute(
            _FAILED,
            *_keys([failure.debt for failure in failures]),
            [now + timedelta(seconds=pause) for pause in pauses],
            [log.masked(failure.reason)[:REASON_MAX] for failure in failures],
        )


def _sorted(
    debts: Sequence[Debt], answers: Mapping[str, RowAnswer], *, updating: bool
) -> tuple[list[Debt], list[Debt], list[Failure]]:
    """Return the debts that were accepted, those to send again as updates, and those refused."""
    accepted, existing, refused = [], [], []
    for debt in debts:
        answer = answers.get(debt.code)
        if answer is None:
            continue
        if answer.accepted:
            accepted.append(debt)
        elif answer.exists and not updating:
            existing.append(debt)
        else:
            refused.append(Failure(debt, answer.reason))
    return accepted, existing, refused


def _keys(debts: Sequence[Debt]) -> tuple[list[str], list[int]]:
    return [debt.code for debt in debts], [debt.version for debt in debts]


def _debt(row: asyncpg.Record) -> Debt:
    message = row["dossier_message"]
    return Debt(
        code=row["dossier_code"],
        version=row["version"],
        owed_since=row["owed_since"],
        dossier_message=orjson.loads(message) if message else None,
        progress_message=orjson.loads(row["progress_message"]),
        attempts=row["attempts"],
        known=row["known"],
    )
