"""Taking events: each one once, each dossier's in order, a poison one stops its dossier and nothing else.

A batch is one transaction: claim all ids, run the handlers in order, commit. If one fails the batch is rolled back and
run again one by one; the event that fails alone goes to the waiting table, and later ones of its dossier go behind it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock, log
from shared.caller import service_caller
from shared.db import Database, database_complaint, is_conflict, is_outage
from shared.errors import CauseMissing
from shared.events.envelope import Event, EventData, RawEvent
from shared.telemetry import EVENT_LAG, EVENTS_HANDLED
from shared.work import Work

Handler = Callable[[Work, Event[Any]], Awaitable[None]]
Handlers = Mapping[type[EventData], Handler]
Preload = Callable[[Work, Sequence[RawEvent]], Awaitable[None]]
CONFLICT_RETRIES_MAX = 3
REASON_MAX = 500

_log = log.get(__name__)

_CLAIM = text(
    """
    WITH claimed AS (
        INSERT INTO inbox (event_id) SELECT DISTINCT unnest(CAST(:ids AS uuid[])) ORDER BY 1
        ON CONFLICT DO NOTHING RETURNING event_id
    )
    SELECT event_id, NULL AS blocked FROM claimed
    UNION ALL
    SELECT NULL, subject FROM waiting WHERE subject = ANY(CAST(:subjects AS text[])) GROUP BY subject
    """
)
_BLOCKED = text("SELECT DISTINCT subject FROM waiting WHERE subject = ANY(CAST(:subjects AS text[]))")
_WAIT = text(
    """
    INSERT INTO waiting (event_id, subject, type, source, sequence, time, causation_id, traceparent, body,
                         reason, attempts, waiting_since, next_attempt_at, parked_at)
    VALUES (:event_id, :subject, :type, :source, :sequence, :time, :causation_id, :traceparent, :body,
            :reason, :attempts, :now, :next_attempt_at, NULL)
    ON CONFLICT (event_id) DO NOTHING
    """
)
_HEADS_DUE = text(
    """
    SELECT subject FROM (
        SELECT DISTINCT ON (subject) subject, next_attempt_at, parked_at FROM waiting ORDER BY subject, id
    ) AS head WHERE parked_at IS NULL AND next_attempt_at <= :now LIMIT 500
    """
)
_ROWS = text("SELECT * FROM waiting WHERE subject = :subject ORDER BY id LIMIT 1000")
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:subject, 7))")
_DONE = text("DELETE FROM waiting WHERE id = :id")
_FAILED = text(
    """
    UPDATE waiting SET attempts = :attempts, reason = :reason, next_attempt_at = :next_attempt_at,
                       parked_at = :parked_at
    WHERE id = :id
    """
)


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """Backoff between attempts, doubling from first_s to last_s; past attempts_max the dossier is parked."""

    first_s: float = 0.5
    last_s: float = 300.0
    attempts_max: int = 8

    def next_attempt(self, attempts: int, now: datetime) -> datetime | None:
        """Return when to try again after so many attempts, None to park."""
        if attempts >= self.attempts_max:
            return None
        return now + timedelta(seconds=min(self.first_s * 2 ** (attempts - 1), self.last_s))


class _InOtherHands(Exception):
    """Another process is trying this dossier."""


class Inbox:
    """Runs one service's handlers."""

    def __init__(
        self, database: Database, handlers: Handlers, *, preload: Preload | None = None, plan: RetryPlan | None = None
    ) -> None:
        self.database = database
        self.handlers = {data.event_type: (data, handler) for data, handler in handlers.items()}
        self.preload = preload
        self.plan = plan or RetryPlan()
        self.caller = service_caller(database.service)
        self.waiting_grew: Callable[[], None] = lambda: None

    async def take(self, events: Sequence[RawEvent]) -> None:
        """Handle a batch; when this returns, every event's effect, or its place in the waiting table, is durable.

        Raises only for an outage: then nothing was done and the same batch can be taken again.
        """
        try:
            await self._together(events)
        except Exception as problem:
            if is_outage(problem):
                raise
            for event in events:
                await self._alone(event)

    async def _together(self, events: Sequence[RawEvent]) -> None:
        async with self.database.session() as session:
            claimed, blocked = await self._claim(session, events)
            fresh = _first_of_each([event for event in events if event.id in claimed])
            behind = [event for event in fresh if event.subject in blocked]
            if behind:
                await self._put_behind(session, behind)
            # In order of subject, so that two transactions never lock the same dossiers the other way round.
            ready = sorted((e for e in fresh if e.subject not in blocked), key=lambda event: event.subject)
            work = Work(session, clock.now(), self.caller)
            await self._handle(work, ready)
            await work.commit()
        if behind:
            self.waiting_grew()
        self._count(events, ready, behind)

    async def _claim(self, session: AsyncSession, events: Sequence[RawEvent]) -> tuple[set[Any], set[str]]:
        ids, subjects = {event.id for event in events}, {event.subject for event in events}
        claimed, blocked = set(), set()
        for event_id, subject in await session.execute(_CLAIM, {"ids": list(ids), "subjects": list(subjects)}):
            if event_id is not None:
                claimed.add(event_id)
            else:
                blocked.add(subject)
        if len(claimed) < len(ids):
            # Somebody else has had some of them. The claim may have waited for that transaction, and what it set aside
            # is younger than the claim's own snapshot: look again.
            blocked = set(await session.scalars(_BLOCKED, {"subjects": list(subjects)}))
        return claimed, blocked

    async def _handle(self, work: Work, events: Sequence[RawEvent]) -> None:
        if self.preload and events:
            await self.preload(work, events)
        for raw in events:
            known = self.handlers.get(raw.type)
            if known is None:
                continue
            data_class, handler = known
            work.cause, work.traceparent = raw.id, raw.traceparent
            await handler(work, raw.read(data_class))

    async def _alone(self, event: RawEvent) -> None:
        conflicts = 0
        while True:
            try:
                await self._together([event])
            except Exception as problem:
                if is_outage(problem):
                    raise
                conflicts += 1
                if is_conflict(problem) and conflicts <= CONFLICT_RETRIES_MAX:
                    continue
                await self._set_aside(event, problem)
            return

    async def _set_aside(self, event: RawEvent, problem: Exception) -> None:
        async with self.database.session() as session:
            claimed, _ = await self._claim(session, [event])
            if event.id in claimed:
                now = clock.now()
                await session.execute(
                    _WAIT, _row(event, now, _reason(problem), 1, self.plan.next_attempt(1, now) or now)
                )
            await session.commit()
        self.waiting_grew()
        EVENTS_HANDLED.labels(event.type, "waiting").inc()
        _log.warning("event.waiting", type=event.type, subject=event.subject, reason=_reason(problem))

    async def _put_behind(self, session: AsyncSession, events: Sequence[RawEvent]) -> None:
        now = clock.now()
        reason = "behind an earlier event of its dossier"
        await session.execute(_WAIT, [_row(event, now, reason, 0, now) for event in events])

    def _count(self, events: Sequence[RawEvent], done: Sequence[RawEvent], behind: Sequence[RawEvent]) -> None:
        now = clock.now()
        lag = EVENT_LAG.labels(self.database.service)
        for event in done:
            EVENTS_HANDLED.labels(event.type, "done").inc()
            lag.observe(max(0.0, (now - event.time).total_seconds()))
        for event in behind:
            EVENTS_HANDLED.labels(event.type, "waiting").inc()
        duplicates = len(events) - len(done) - len(behind)
        if duplicates:
            EVENTS_HANDLED.labels("*", "duplicate").inc(duplicates)

    async def retry_due(self) -> int:
        """Try the dossiers whose waiting time is over; return how many were tried."""
        async with self.database.session() as session:
            subjects = list((await session.execute(_HEADS_DUE, {"now": clock.now()})).scalars())
        for subject in subjects:
            await self._retry(subject)
        return len(subjects)

    async def _retry(self, subject: str) -> None:
        """Handle a dossier's waiting events in order until one fails.

        An event whose cause is missing lets events of other sources pass (its cause may be there), none of its own.
        However often it is tried on the way, it has failed once.
        """
        failed: set[int] = set()
        progress = True
        while progress:
            progress = False
            held_back: set[str] = set()
            for row in await self._waiting_rows(subject):
                if row["parked_at"] is not None and row["id"] not in failed:
                    return
                if row["source"] in held_back:
                    continue
                outcome = await self._attempt(row)
                if outcome is None:
                    progress = bool(held_back)
                    if progress:
                        break
                    continue
                if isinstance(outcome, _InOtherHands):
                    return
                if row["id"] not in failed:
                    failed.add(row["id"])
                    await self._note_failure(row, outcome)
                if not isinstance(outcome, CauseMissing):
                    return
                held_back.add(row["source"])

    async def _waiting_rows(self, subject: str) -> Sequence[Any]:
        """Return a dossier's waiting events as they came, but those of one source in the order of their sequence."""
        async with self.database.session() as session:
            rows = (await session.execute(_ROWS, {"subject": subject})).mappings().all()
        in_sequence = {
            source: iter(sorted((row for row in rows if row["source"] == source), key=lambda row: row["sequence"]))
            for source in {row["source"] for row in rows}
        }
        return [next(in_sequence[row["source"]]) for row in rows]

    async def _attempt(self, row: Any) -> Exception | None:  # noqa: ANN401 - a result row
        event = _event(row)
        try:
            async with self.database.session() as session:
                if not await session.scalar(_LOCK, {"subject": event.subject}):
                    return _InOtherHands()
                gone = await session.execute(_DONE, {"id": row["id"]})
                if getattr(gone, "rowcount", 1) == 0:
                    return None
                work = Work(session, clock.now(), self.caller)
                await self._handle(work, [event])
                await work.commit()
        except Exception as problem:
            if is_outage(problem):
                raise
            return problem
        EVENTS_HANDLED.labels(event.type, "done").inc()
        return None

    async def _note_failure(self, row: Any, problem: Exception) -> None:  # noqa: ANN401 - a result row
        now = clock.now()
        attempts = row["attempts"] + 1
        again = self.plan.next_attempt(attempts, now)
        async with self.database.session() as session:
            await session.execute(
                _FAILED,
                {
                    "id": row["id"],
                    "attempts": attempts,
                    "reason": _reason(problem),
                    "next_attempt_at": again,
                    "parked_at": None if again else now,
                },
            )
            await session.commit()
        if again is None:
            _log.error("dossier.parked", subject=row["subject"], type=row["type"], reason=_reason(problem))


def _first_of_each(events: Sequence[RawEvent]) -> list[RawEvent]:
    return list({event.id: event for event in events}.values())


def _reason(problem: Exception) -> str:
    return log.masked(database_complaint(problem) or f"{type(problem).__name__}: {problem}")[:REASON_MAX]


def _row(event: RawEvent, now: datetime, reason: str, attempts: int, again: datetime) -> dict[str, Any]:
    return {
        "event_id": event.id,
        "subject": event.subject,
        "type": event.type,
        "source": event.source,
        "sequence": event.sequence,
        "time": event.time,
        "causation_id": event.causation_id,
        "traceparent": event.traceparent,
        "body": event.body,
        "reason": reason,
        "attempts": attempts,
        "now": now,
        "next_attempt_at": again,
    }


def _event(row: Any) -> RawEvent:  # noqa: ANN401 - a result row
    return RawEvent(
        id=row["event_id"],
        type=row["type"],
        source=row["source"],
        subject=row["subject"],
        time=row["time"],
        sequence=row["sequence"],
        causation_id=row["causation_id"],
        traceparent=row["traceparent"],
        body=row["body"],
    )
