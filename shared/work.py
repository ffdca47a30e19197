"""The unit of work: one transaction, the moment it happens in, who acts, and what led to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.caller import Caller
from shared.db import Database, Lived
from shared.events.envelope import EventData, encode
from shared.ids import new_id
from shared.lifecycle import Telling, Told
from shared.states import Lifecycle, Status

Entity = TypeVar("Entity", bound=Lived)


@dataclass(slots=True)
class Work:
    """What an operation gets: a session in a transaction that its opener commits.

    One request, one event or one batch of events is one Work. Operations never commit; `now` is the same for all
    of them; status columns are written by `move` alone.
    """

    session: AsyncSession
    now: datetime
    caller: Caller
    cause: UUID | None = None
    """The event being handled, if one is."""
    traceparent: str | None = None
    telling: Telling = field(default_factory=Telling)
    last_steps: list[Callable[[AsyncSession], Awaitable[None]]] = field(default_factory=list)
    """Run in order at the very end, right before the commit (what must hold a lock only that long); they may move and
    emit as everybody else."""

    def move(
        self,
        entity: Entity,
        lifecycle: Lifecycle[Status],
        action: str,
        event: EventData,
        *,
        cause: UUID | None = None,
    ) -> Entity:
        """Move a thing along an edge of its lifecycle and tell the edge's event.

        A thing without a status yet is being created. `cause` names an event of another service that this one must
        not be seen before; the event being handled is the default.

        Raises IllegalMove when the lifecycle has no such edge, TypeError when the event is not the edge's.
        """
        start = lifecycle.statuses(entity.status) if entity.status else None
        edge = lifecycle.edge(start, action)
        if type(event) is not edge.emits:
            raise TypeError(f"{lifecycle.name} {action} emits {edge.emits.__name__}, not {type(event).__name__}")
        entity.status = edge.end
        self._tell(event, entity.subject(), cause, entity=entity, action=action, start=start, end=edge.end)
        return entity

    def emit(self, event: EventData, *, subject: str, cause: UUID | None = None) -> None:
        """Tell a fact that moves no status."""
        self._tell(event, subject, cause)

    def _tell(
        self,
        event: EventData,
        subject: str,
        cause: UUID | None,
        *,
        entity: Lived | None = None,
        action: str | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> None:
        self.telling.events.append(
            Told(
                id=new_id(),
                type=event.event_type,
                subject=subject,
                causation_id=cause or self.cause,
                traceparent=self.traceparent,
                body=encode(event),
                actor=self.caller.client_id,
                entity=entity.__tablename__ if entity is not None else None,
                key=entity.key() if entity is not None else None,
                action=action,
                start=start,
                end=end,
            )
        )

    async def commit(self) -> None:
        """Flush the rows, write what is told, commit. Only the opener calls this."""
        await self.session.flush()
        await self.telling.write(self.session, self.now)
        for step in self.last_steps:
            await step(self.session)
        await self.session.flush()
        await self.telling.write(self.session, self.now)
        await self.session.commit()


@asynccontextmanager
async def open_work(
    database: Database, caller: Caller, *, cause: UUID | None = None, traceparent: str | None = None
) -> AsyncIterator[Work]:
    """Open a transaction; commit when the block ends, roll back when it raises."""
    async with database.session() as session:
        work = Work(session, clock.now(), caller, cause, traceparent)
        yield work
        await work.commit()
