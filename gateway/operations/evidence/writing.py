"""Writing the log: every call through the door, in batches; durable before a change is answered."""

import asyncio
from dataclasses import dataclass, field

import asyncpg

from gateway.operations.evidence.chain import FIELDS, START, Call, EvidenceKey, Head, chained
from gateway.operations.evidence.witness import Witness
from shared import clock, log
from shared.db import Database, is_outage
from shared.errors import TransientError

BATCH_MAX = 1_000
PENDING_MAX = 50_000
FLUSH_S = 0.2
TRIES_MAX = 3

# One round trip: move the head if it is still where this writer saw it, and only then write the records and count them.
_WRITE = """
    WITH moved AS (
        UPDATE transaction_head SET number = $1, hash = $2, stored_at = $3 WHERE number = $4 AND hash = $5 RETURNING 1
    ), counted AS (
        INSERT INTO transaction_day AS d (day, service, client_id, calls, refused, failed, request_bytes,
                                          response_bytes, duration_us)
        SELECT CAST($3 AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date), service, client_id, count(*),
               count(*) FILTER (WHERE status BETWEEN 400 AND 499),
               count(*) FILTER (WHERE status >= 500 OR status < 100),
               sum(request_bytes), sum(response_bytes), sum(duration_us)
        FROM unnest($8::text[], $10::text[], $13::smallint[], $14::bigint[], $15::bigint[], $16::bigint[])
             AS t(client_id, service, status, duration_us, request_bytes, response_bytes)
        WHERE EXISTS (SELECT FROM moved) GROUP BY service, client_id ORDER BY service, client_id
        ON CONFLICT (day, service, client_id) DO UPDATE SET
            calls = d.calls + excluded.calls, refused = d.refused + excluded.refused,
            failed = d.failed + excluded.failed, request_bytes = d.request_bytes + excluded.request_bytes,
            response_bytes = d.response_bytes + excluded.response_bytes,
            duration_us = d.duration_us + excluded.duration_us
    )
    INSERT INTO transaction_log (number, stored_at, at, client_id, agency, service, method, path, status, duration_us,
                                 request_bytes, response_bytes, trace_id, dossier_code, request_sha256,
                                 response_sha256, hash, signature)
    SELECT number, $3, t.at, client_id, agency, service, method, path, status, duration_us, request_bytes,
           response_bytes, trace_id, dossier_code, request_sha256, response_sha256, digest,
           CASE WHEN number = $1 THEN $6::bytea END
    FROM unnest($7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::smallint[],
                $14::bigint[], $15::bigint[], $16::bigint[], $17::text[], $18::text[], $19::bytea[], $20::bytea[],
                $21::bigint[], $22::bytea[])
         AS t(at, client_id, agency, service, method, path, status, duration_us, request_bytes, response_bytes,
              trace_id, dossier_code, request_sha256, response_sha256, number, digest)
    WHERE EXISTS (SELECT FROM moved)
"""
_HEAD = "SELECT number, hash, stored_at FROM transaction_head"
_BEGIN = "INSERT INTO transaction_head (number, hash, stored_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"

_log = log.get(__name__)


@dataclass(slots=True)
class _Pending:
    call: Call
    stored: "asyncio.Future[None] | None" = field(default=None)


class EvidenceAway(TransientError):
    """The transaction log cannot be written now."""


class Evidence:
    """Writes calls in batches on a connection of its own: one commit serves all that wait."""

    def __init__(self, database: Database, key: EvidenceKey, witness: Witness) -> None:
        self.database = database
        self.key = key
        self._witness = witness
        self._head: Head | None = None
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
            self._witness.write(self.key)
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
        """Write a batch after the head; with other replicas about, only one of those who try at once gets there."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await self.database.connect()
            self._head = None
        calls = [pending.call for pending in batch]
        while not await self._append(self._connection, calls):
            self._head = None

    async def _append(self, connection: asyncpg.Connection, calls: list[Call]) -> bool:
        head = self._head = self._head or await self._read_head(connection)
        now = max(clock.now(), head.stored_at)
        links = chained(head, calls, now)
        number, digest = links[-1]
        done = await connection.execute(
            _WRITE,
            *(number, digest, now, head.number, head.hash, self.key.sign(number, digest)),
            *([getattr(call, name) for call in calls] for name in FIELDS),
            *([link[place] for link in links] for place in (0, 1)),
        )
        if done.endswith(" 0"):
            return False
        self._head = Head(number, digest, now)
        self._witness.see(self._head, self.key)
        return True

    async def _read_head(self, connection: asyncpg.Connection) -> Head:
        row = await connection.fetchrow(_HEAD)
        if row is None:
            await connection.execute(_BEGIN, START.number, START.hash, START.stored_at)
            return await self._read_head(connection)
        head = Head(row["number"], row["hash"], row["stored_at"])
        last = self._witness.last
        if last and head.number < last.number:
            # Writing goes on: what is missing is found by the verifier, what is not written would be missing for ever.
            _log.error("evidence.shortened", number=head.number, witnessed=last.number)
        return head

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
