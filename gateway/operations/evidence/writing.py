"""Writing the log: every call through the door, in batches; durable before a change is answered.

The log fails closed. When it cannot be written, whatever the reason, changes are refused before anything is done, and
reads too once the bounded backlog is full; the writer goes on trying and opens the door again by itself.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
from prometheus_client import Counter as CountMetric
from prometheus_client import Gauge

from gateway.operations.evidence.chain import START, Call, EvidenceKey, Head, chained, stand_in, storable
from gateway.operations.evidence.months import keep_months
from gateway.operations.evidence.statements import BEGIN, HEAD, LANDED, PROBE, WRITE, arguments
from gateway.operations.evidence.witness import Witness
from shared import clock, log
from shared.db import Database
from shared.errors import TransientError

BATCH_MAX = 1_000
PENDING_MAX = 50_000
FLUSH_S = 0.2
TRIES_MAX = 3
PROBE_S = 1.0
WRITE_TIMEOUT_S = 10

WRITABLE = Gauge("motcua_evidence_writable", "1 while the transaction log can be written; 0 refuses every change.")
BACKLOG = Gauge("motcua_evidence_backlog_records", "Calls that are not in the transaction log yet.")
REFUSED = CountMetric("motcua_evidence_refused", "Calls refused because they could not have been logged.", ["kind"])
STOOD_IN = CountMetric("motcua_evidence_stand_ins", "Records written in the place of one that could not be kept as is.")

_log = log.get(__name__)


@dataclass(slots=True, eq=False)
class _Pending:
    call: Call
    stored: "asyncio.Future[None] | None" = field(default=None)
    written: bool = False


@dataclass(frozen=True, slots=True)
class _Unsure:
    """A batch that was sent and not answered: it may be in the log."""

    number: int
    digest: bytes
    stored_at: datetime
    batch: list[_Pending]


class EvidenceAway(TransientError):
    """The transaction log cannot be written now."""


class Evidence:
    """Writes calls in batches on a connection of its own: one commit serves all that wait."""

    def __init__(self, database: Database, key: EvidenceKey, witness: Witness, *, by_day: bool = False) -> None:
        self.database = database
        self.key = key
        self.writable = True
        self.unwritable_since: datetime | None = None
        self.reason = ""
        self.pending_max = PENDING_MAX
        self._by_day = by_day
        self._witness = witness
        self._head: Head | None = None
        self._connection: asyncpg.Connection | None = None
        self._pending: list[_Pending] = []
        self._on_the_way = self._being_written = 0
        self._unsure: _Unsure | None = None
        self._turned_away: Counter[str] = Counter()
        self._grew = asyncio.Event()
        self._urgent = asyncio.Event()
        WRITABLE.set(1)

    @property
    def backlog(self) -> int:
        """How many calls are not in the log yet."""
        return len(self._pending) + self._being_written

    def admit(self, *, changes: bool) -> bool:
        """Keep room for a call that comes in; False when it must be turned away, since it could not be logged.

        Whoever was let in notes or stores one call, and leaves.
        """
        if (changes and not self.writable) or len(self._pending) + self._on_the_way >= self.pending_max:
            kind = "change" if changes else "read"
            REFUSED.labels(kind).inc()
            self._turned_away[kind] += 1
            return False
        self._on_the_way += 1
        return True

    def leave(self) -> None:
        """Give the room back that `admit` kept."""
        self._on_the_way -= 1

    def note(self, call: Call) -> None:
        """Keep a call that changed nothing; it is written with the next batch."""
        self._pending.append(_Pending(storable(call)))
        self._grew.set()

    def note_refusal(self, call: Call) -> None:
        """Keep a call that was turned away while there is room; beyond that it is only counted."""
        if len(self._pending) + self._on_the_way < self.pending_max:
            self.note(call)

    async def store(self, call: Call) -> None:
        """Return when a call is durable; raises EvidenceAway when it cannot be stored."""
        if not self.writable:
            raise EvidenceAway(self.reason)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append(_Pending(storable(call), stored))
        self._grew.set()
        self._urgent.set()
        await stored

    async def run(self) -> None:
        """Write for ever, and what is left when it is over."""
        try:
            while True:
                if self.writable:
                    await self._grew.wait()
                    await self._short_wait()
                    self._grew.clear()
                else:
                    await asyncio.sleep(PROBE_S)
                await self._write_pending()
        finally:
            await self._write_pending()
            if self._pending:
                _log.error("evidence.lost", records=len(self._pending))
            self._witness.write(self.key)
            await self._disconnect()

    async def _write_pending(self) -> None:
        if not self._pending and not self.writable:
            await self._write([])
        while self._pending:
            batch, self._pending = self._pending[:BATCH_MAX], self._pending[BATCH_MAX:]
            self._being_written = len(batch)
            try:
                if not await self._write(batch):
                    break
            except asyncio.CancelledError:
                # The end came while it was on its way: it is written with what is left.
                self._pending = [*(one for one in batch if not one.written), *self._pending]
                raise
            finally:
                self._being_written = 0
        BACKLOG.set(self.backlog)

    async def _short_wait(self) -> None:
        """Let calls that nobody waits for gather; one that somebody waits for is written at once."""
        try:
            async with asyncio.timeout(FLUSH_S):
                await self._urgent.wait()
        except TimeoutError:
            pass
        self._urgent.clear()

    async def _write(self, batch: list[_Pending]) -> bool:
        """Write a batch, an empty one on trial; return False when it cannot be: who waits is told, the rest stays."""
        tries = TRIES_MAX if self.writable else 1
        for attempt in range(tries):
            try:
                await self._insert(batch)
            except Exception as problem:
                if batch and _is_of_content(problem):
                    return await self._write_singly(batch)
                await self._recover(problem)
                if attempt + 1 == tries:
                    self._close(batch, problem)
                    return False
                await asyncio.sleep(FLUSH_S * 2**attempt)
            else:
                _settle(batch, None)
                self._open()
                return True
        raise AssertionError("unreachable: the last attempt returns")

    async def _write_singly(self, batch: list[_Pending]) -> bool:
        """Write what can be written as it is; for a call that cannot a stand-in is, so that none goes unlogged."""
        if len(batch) == 1:
            (pending,) = batch
            instead = stand_in(pending.call)
            if instead == pending.call:
                self._close(batch, ValueError("neither a record nor its stand-in can be kept"))
                return False
            STOOD_IN.inc()
            _log.error("evidence.stood_in", service=instead.service, trace_id=instead.trace_id)
            pending.call = instead
            return await self._write(batch)
        for place, pending in enumerate(batch):
            if not await self._write([pending]):
                self._put_back(batch[place + 1 :], EvidenceAway(self.reason))
                return False
        return True

    async def _insert(self, batch: list[_Pending]) -> None:
        """Write a batch after the head; with other replicas about, only one of those who try at once gets there."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await self.database.connect()
            self._head = None
        if self._unsure:
            await self._look_after(self._connection, self._unsure)
        left = [pending for pending in batch if not pending.written]
        if not batch:
            await self._probe(self._connection)
        while left and not await self._append(self._connection, left):
            self._head = None

    async def _append(self, connection: asyncpg.Connection, batch: list[_Pending]) -> bool:
        head = self._head = self._head or await self._read_head(connection)
        now = max(clock.now(), head.stored_at)
        calls = [pending.call for pending in batch]
        links = chained(head, calls, now)
        number, digest = links[-1]
        values = arguments(head, links, now, calls, self.key.sign(number, digest))
        self._unsure = _Unsure(number, digest, now, batch)
        try:
            done = await connection.execute(WRITE, *values, timeout=WRITE_TIMEOUT_S)
        except (asyncpg.PostgresError, ValueError) as problem:
            if not isinstance(problem, asyncpg.PostgresConnectionError):
                # The server said no, or was not asked: nothing of it is in the log.
                self._unsure = None
            raise
        self._unsure = None
        if done.endswith(" 0"):
            return False
        for pending in batch:
            pending.written = True
        self._head = Head(number, digest, now)
        self._witness.see(self._head, self.key)
        return True

    async def _look_after(self, connection: asyncpg.Connection, unsure: _Unsure) -> None:
        """Find out whether a batch that was not answered is in the log; one that is must not be written twice."""
        found = await connection.fetchval(LANDED, unsure.number, unsure.stored_at, timeout=WRITE_TIMEOUT_S)
        if found == unsure.digest:
            for pending in unsure.batch:
                pending.written = True
        self._unsure = None

    async def _probe(self, connection: asyncpg.Connection) -> None:
        """Write a row and take it back: that tells whether the log would take one."""
        attempt = connection.transaction()
        await attempt.start()
        try:
            await connection.execute(PROBE, clock.now(), timeout=WRITE_TIMEOUT_S)
        finally:
            await attempt.rollback()

    async def _read_head(self, connection: asyncpg.Connection) -> Head:
        row = await connection.fetchrow(HEAD)
        if row is None:
            await connection.execute(BEGIN, START.number, START.hash, START.stored_at)
            return await self._read_head(connection)
        head = Head(row["number"], row["hash"], row["stored_at"])
        last = self._witness.last
        if last and head.number < last.number:
            # Writing goes on: what is missing is found by the verifier, what is not written would be missing for ever.
            _log.error("evidence.shortened", number=head.number, witnessed=last.number)
        return head

    async def _recover(self, problem: Exception) -> None:
        """Mend what can be mended: a connection is opened anew, a month that is missing is made."""
        await self._disconnect()
        if isinstance(problem, asyncpg.CheckViolationError):
            try:
                await keep_months(self.database, by_day=self._by_day)
            except Exception as another:
                _log.error("evidence.no_room", reason=type(another).__name__)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            await connection.close(timeout=2)
        except Exception:
            connection.terminate()

    def _close(self, batch: list[_Pending], problem: Exception) -> None:
        """Refuse changes from now on; calls that somebody waits for are told, the others stay."""
        if self.writable:
            _log.error("evidence.unwritable", reason=type(problem).__name__, exc_info=problem)
            self.unwritable_since = clock.now()
        self.writable, self.reason = False, type(problem).__name__
        WRITABLE.set(0)
        self._put_back(batch, problem)

    def _put_back(self, batch: list[_Pending], problem: Exception) -> None:
        waiting = [*batch, *self._pending]
        _settle(waiting, problem)
        self._pending = [pending for pending in waiting if pending.stored is None and not pending.written]

    def _open(self) -> None:
        if self.writable:
            return
        self.writable, self.reason = True, ""
        WRITABLE.set(1)
        _log.warning("evidence.writable_again", since=str(self.unwritable_since), refused=dict(self._turned_away))
        self.unwritable_since = None
        self._turned_away.clear()
        self._grew.set()


def _is_of_content(problem: Exception) -> bool:
    """Tell whether a record's own values were refused: by the encoder, the driver, or PostgreSQL (class 22)."""
    if isinstance(problem, asyncpg.PostgresError):
        return str(getattr(problem, "sqlstate", "")).startswith("22")
    return isinstance(problem, TypeError | ValueError | OverflowError)


def _settle(batch: list[_Pending], problem: Exception | None) -> None:
    for pending in batch:
        if pending.stored is None or pending.stored.done():
            continue
        if problem:
            pending.stored.set_exception(EvidenceAway(type(problem).__name__))
        else:
            pending.stored.set_result(None)
