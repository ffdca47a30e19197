"""The state of one service's bus, and what people do about parked dossiers; every act is kept with its reason."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock, log
from shared.db import intervention, waiting
from shared.errors import DomainError, FieldError, InvalidRequest, NotFound
from shared.telemetry import OUTBOX_AGE, OUTBOX_ROWS, PARKED_SUBJECTS, WAITING_SUBJECTS
from shared.work import Work

COUNT_MAX = 100_000
LIST_MAX = 200

_STATE = text(
    """
    SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT :most) AS o) AS outbox_rows,
           (SELECT time FROM outbox ORDER BY id LIMIT 1) AS outbox_oldest,
           (SELECT count(DISTINCT subject) FROM waiting) AS waiting_subjects,
           (SELECT count(*) FROM waiting) AS waiting_events,
           (SELECT count(DISTINCT subject) FROM waiting WHERE parked_at IS NOT NULL) AS parked_subjects
    """
)


class BusState(BaseModel):
    """Counts of what is on its way."""

    outbox_rows: int
    """Committed and not yet confirmed by the broker; counted up to 100,000."""
    outbox_oldest_age_s: float
    waiting_subjects: int
    waiting_events: int
    parked_subjects: int


class WaitingEvent(BaseModel):
    """One event that waits; its data is not shown (it may be personal)."""

    event_id: str
    subject: str
    type: str
    source: str
    sequence: int
    reason: str
    attempts: int
    waiting_since: datetime
    next_attempt_at: datetime | None
    parked_at: datetime | None


class NotWaiting(NotFound):
    """No event of this dossier waits here."""

    code = "not_waiting"
    title_vi = "Hồ sơ này không có sự kiện nào đang chờ"


class ConsentNeedsAnother(DomainError):
    """The person who asked to discard an event cannot consent to it."""

    code = "consent_needs_another"
    status = 409
    title_vi = "Cần người thứ hai đồng ý"


async def state(session: AsyncSession) -> BusState:
    """Return the counts now, and set the gauges by them."""
    row = (await session.execute(_STATE, {"most": COUNT_MAX})).one()
    age = (clock.now() - row.outbox_oldest).total_seconds() if row.outbox_oldest else 0.0
    OUTBOX_ROWS.set(row.outbox_rows)
    OUTBOX_AGE.set(age)
    WAITING_SUBJECTS.set(row.waiting_subjects)
    PARKED_SUBJECTS.set(row.parked_subjects)
    return BusState(
        outbox_rows=row.outbox_rows,
        outbox_oldest_age_s=age,
        waiting_subjects=row.waiting_subjects,
        waiting_events=row.waiting_events,
        parked_subjects=row.parked_subjects,
    )


async def list_waiting(session: AsyncSession, *, subject: str | None = None, limit: int = 50) -> list[WaitingEvent]:
    """Return waiting events, those of one dossier in order, oldest first."""
    query = select(waiting).order_by(waiting.c.id).limit(min(limit, LIST_MAX))
    if subject:
        query = query.where(waiting.c.subject == subject)
    rows = (await session.execute(query)).mappings()
    return [WaitingEvent.model_validate({**row, "event_id": str(row["event_id"])}) for row in rows]


async def replay(work: Work, *, subject: str, reason: str) -> int:
    """Let a dossier's events be tried again from the first; returns how many wait. Raises NotWaiting."""
    changed = await work.session.execute(
        waiting.update()
        .where(waiting.c.subject == subject)
        .values(attempts=0, next_attempt_at=work.now, parked_at=None)
        .returning(waiting.c.id)
    )
    count = len(changed.all())
    if not count:
        raise NotWaiting(subject=subject)
    await _remember(work, subject, "replay", reason)
    return count


async def request_discard(work: Work, *, subject: str, event_id: UUID, reason: str) -> int:
    """Ask to drop one waiting event; it stays until a second person consents. Raises NotWaiting."""
    columns = (waiting.c.event_id, waiting.c.source, waiting.c.sequence)
    found = await work.session.execute(
        select(*columns).where(waiting.c.subject == subject, waiting.c.event_id == event_id)
    )
    event = found.one_or_none()
    if event is None:
        raise NotWaiting(subject=subject)
    return await _remember(work, subject, "discard", reason, **event._asdict())


async def list_discarded(session: AsyncSession, subjects: Sequence[str]) -> list[Any]:
    """Return (subject, event_id, source, sequence) of the events of dossiers that two people agreed to drop."""
    columns = (intervention.c.subject, intervention.c.event_id, intervention.c.source, intervention.c.sequence)
    query = select(*columns).where(
        intervention.c.action == "discard",
        intervention.c.consented_by.is_not(None),
        intervention.c.subject.in_(subjects),
    )
    return list(await session.execute(query))


async def consent_to_discard(work: Work, *, intervention_id: int) -> None:
    """Drop the event somebody else asked to discard; the events behind it go on.

    Raises NotWaiting when there is nothing to consent to (any more), ConsentNeedsAnother for the person who asked.
    """
    row = (
        await work.session.execute(
            select(intervention)
            .where(intervention.c.id == intervention_id, intervention.c.action == "discard")
            .with_for_update()
        )
    ).one_or_none()
    if row is None or row.consented_by is not None:
        raise NotWaiting
    if row.actor == work.caller.client_id:
        raise ConsentNeedsAnother("Another person with the right ops:act has to consent.")
    await work.session.execute(
        intervention.update()
        .where(intervention.c.id == intervention_id)
        .values(consented_by=work.caller.client_id, consented_at=work.now)
    )
    dropped = await work.session.execute(
        waiting.delete().where(waiting.c.event_id == row.event_id).returning(waiting.c.id)
    )
    if not dropped.all():
        raise NotWaiting("The event has been handled meanwhile.", subject=row.subject)
    await work.session.execute(
        waiting.update()
        .where(waiting.c.subject == row.subject)
        .values(next_attempt_at=work.now, attempts=0, parked_at=None)
    )


async def list_interventions(session: AsyncSession, *, limit: int = 50) -> list[dict[str, Any]]:
    """Return what people did, newest first."""
    query = select(intervention).order_by(intervention.c.id.desc()).limit(min(limit, LIST_MAX))
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def _remember(work: Work, subject: str, action: str, reason: str, **event: Any) -> int:  # noqa: ANN401 - columns
    if not reason.strip():
        raise InvalidRequest("Give a reason: it is kept.", errors=[FieldError("reason", "Say why.", "Nêu lý do.")])
    inserted = await work.session.execute(
        intervention.insert()
        .values(
            subject=subject, action=action, reason=log.masked(reason), actor=work.caller.client_id, at=work.now, **event
        )
        .returning(intervention.c.id)
    )
    return int(inserted.scalar_one())
