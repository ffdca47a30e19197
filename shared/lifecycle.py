"""What a transaction will tell: events in order, with the status changes they stand for, written in one statement."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

NOTIFY_CHANNEL = "motcua_outbox"

# One round trip: number the events of each subject (the row lock keeps writers of one dossier in commit order), write
# the outbox and the history, wake the relay.
_WRITE = text(
    """
    WITH told AS (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:subjects AS text[]), CAST(:causes AS uuid[]),
            CAST(:traces AS text[]), CAST(:bodies AS bytea[]), CAST(:entities AS text[]), CAST(:keys AS text[]),
            CAST(:actions AS text[]), CAST(:starts AS text[]), CAST(:ends AS text[]), CAST(:actors AS text[])
        ) WITH ORDINALITY AS t(event_id, type, subject, causation_id, traceparent, body,
                               entity, entity_key, action, from_status, to_status, actor, nth)
    ), numbered AS (
        INSERT INTO subject_sequence AS s (subject, last)
        SELECT subject, count(*) FROM told GROUP BY subject ORDER BY subject
        ON CONFLICT (subject) DO UPDATE SET last = s.last + excluded.last
        RETURNING subject, last
    ), written AS (
        INSERT INTO outbox (event_id, type, subject, sequence, time, causation_id, traceparent, body)
        SELECT event_id, type, subject,
               last - count(*) OVER (PARTITION BY subject) + row_number() OVER (PARTITION BY subject ORDER BY nth),
               :now, causation_id, traceparent, body
        FROM told JOIN numbered USING (subject) ORDER BY nth
    ), remembered AS (
        INSERT INTO status_change (event_id, entity, entity_key, subject, action, from_status, to_status, actor, at)
        SELECT event_id, entity, entity_key, subject, action, from_status, to_status, actor, :now
        FROM told WHERE entity IS NOT NULL ORDER BY nth
    )
    SELECT pg_notify(:channel, '')
    """
)


@dataclass(frozen=True, slots=True)
class Told:
    """One event to write; the last four say which move it stands for, if it stands for one."""

    id: UUID
    type: str
    subject: str
    causation_id: UUID | None
    traceparent: str | None
    body: bytes
    actor: str
    entity: str | None = None
    key: str | None = None
    action: str | None = None
    start: str | None = None
    end: str | None = None


@dataclass(slots=True)
class Telling:
    """The events of one transaction, kept until it is about to commit."""

    events: list[Told] = field(default_factory=list)

    async def write(self, session: AsyncSession, now: datetime) -> None:
        """Write all events and history rows into the transaction."""
        told, self.events = self.events, []
        if not told:
            return
        await session.execute(
            _WRITE,
            {
                "ids": [e.id for e in told],
                "types": [e.type for e in told],
                "subjects": [e.subject for e in told],
                "causes": [e.causation_id for e in told],
                "traces": [e.traceparent for e in told],
                "bodies": [e.body for e in told],
                "entities": [e.entity for e in told],
                "keys": [e.key for e in told],
                "actions": [e.action for e in told],
                "starts": [e.start for e in told],
                "ends": [e.end for e in told],
                "actors": [e.actor for e in told],
                "now": now,
                "channel": NOTIFY_CHANNEL,
            },
        )
