"""The transaction log: every call through the door, written in batches; durable before a change is answered."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from shared import log
from shared.db import Database, is_outage
from shared.errors import TransientError

BATCH_MAX = 1_000
PENDING_MAX = 50_000
FLUSH_S = 0.2
TRIES_MAX = 3

_WRITE = """
    INSERT INTO transaction_log (at, client_id, service, method, path, status, duration_us, request_bytes,
                                 response_bytes, trace_id, dossier_code)
    SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[],
                         $7::bigint[], $8::bigint[], $9::bigint[], $10::text[], $11::text[])
"""

_log = log.get(__name__)


@dataclass(slots=True)
class Call:
    """One call through the door."""

    at: datetime
    client_id: str
    service: str
    method: str
    path: str
    status: int
    duration_us: int
    request_bytes: int
    response_bytes: int
    trace_id: str
    dossier_code: str | None


@dataclass(slots=True)
class _Pending:
    call: Call
    stored: "asyncio.Future[None] | None" = field(default=None)


class EvidenceAway(TransientError):
    """The transaction log cannot be written now."""


class Evidence:
    """Writes calls in batches on a connection of its own: one commit serves all that wait."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._connection: asyncpg.Connection | None = None
        self._pending: list[_Pending] = []
        self._grew = asyncio.Event()
        self._urgent = asyncio.Event()

    def note(self, call: Call) -> None:
        """Keep a call that changed nothing; it is written with the next batch, dropped only when 50,000 wait."""
        if len(self._pending) < PENDING_MAX:
            self._pending.append(_Pending(call))
            self._grew.set()

    async def store(self, call: Call) -> None:
        """Return when a call is durable; raises EvidenceAway when it cannot be stored."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append(_Pending(call, stored))
        self._grew.set()
        self._urgent.set()
        await stored

    async def run(self) -> None:
        """Write for ever, and what is left when it is over."""
        try:
            while True:
                await self._grew.wait()
                await self._short_wait()
                self._grew.clear()
                await self._write_pending()
        finally:
            await self._write_pending()
            if self._connection is not None:
                await self._connection.close(timeout=2)

    async def _write_pending(self) -> None:
        while self._pending:
            batch, self._pending = self._pending[:BATCH_MAX], self._pending[BATCH_MAX:]
            if not await self._write(batch):
                return

    async def _short_wait(self) -> None:
        """Let calls that nobody waits for gather; one that somebody waits for is written at once."""
        try:
            async with asyncio.timeout(FLUSH_S):
                await self._urgent.wait()
        except TimeoutError:
            pass
        self._urgent.clear()

    async def _write(self, batch: list[_Pending]) -> bool:
        """Write a batch; return False when the database is away: who waits is told so, the other calls stay pending."""
        outage: Exception | None = None
        for attempt in range(TRIES_MAX):
            try:
                await self._insert(batch)
            except Exception as problem:
                if not is_outage(problem):
                    await self._write_singly(batch, problem)
                    return True
                outage, self._connection = problem, None
                await asyncio.sleep(FLUSH_S * 2**attempt)
            else:
                _settle(batch, None)
                return True
        _settle(batch, outage)
        self._pending = [*(pending for pending in batch if pending.stored is None), *self._pending]
        self._grew.set()
        return False

    async def _insert(self, batch: list[_Pending]) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self.database.connect()
        await self._connection.execute(_WRITE, *_columns([pending.call for pending in batch]))

    async def _write_singly(self, batch: list[_Pending], problem: Exception) -> None:
        """Write what can be written: one call that cannot must not cost the others their entries."""
        if len(batch) == 1:
            _log.error("evidence.failed", exc_info=problem)
            _settle(batch, problem)
            return
        for pending in batch:
            await self._write([pending])


def _settle(batch: list[_Pending], problem: Exception | None) -> None:
    for pending in batch:
        if pending.stored is None or pending.stored.done():
            continue
        if problem:
            pending.stored.set_exception(EvidenceAway(type(problem).__name__))
        else:
            pending.stored.set_result(None)


def _columns(calls: list[Call]) -> list[list[object]]:
    return [
        [getattr(call, name) for call in calls]
        for name in (
            "at",
            "client_id",
            "service",
            "method",
            "path",
            "status",
            "duration_us",
            "request_bytes",
            "response_bytes",
            "trace_id",
            "dossier_code",
        )
    ]
