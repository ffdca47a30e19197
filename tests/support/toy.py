"""A service small enough to hold in the head: counters that grow by one and say so. Tests of the mechanics run it."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db import NAMES, Base, MetaData
from shared.errors import CauseMissing, DomainError
from shared.events.envelope import Event, EventData, RawEvent, encode
from shared.ids import new_id
from shared.inbox import Handlers
from shared.states import Edge, Lifecycle
from shared.work import Work

AT = datetime(2026, 4, 7, 2, 0, tzinfo=UTC)


class Grown(EventData):
    """A counter grew."""

    event_type: ClassVar[str] = "toy.counter.grown.v1"

    value: int
    at: datetime
    poison: bool = False
    note: str = ""


class Phase(StrEnum):
    """A counter lives or does not."""

    LIVE = "live"
    FULL = "full"


class Filled(EventData):
    """A counter is full."""

    event_type: ClassVar[str] = "toy.counter.filled.v1"

    value: int


COUNTER = Lifecycle(
    "counter",
    Phase,
    [
        Edge("create", None, Phase.LIVE, Grown),
        Edge("grow", Phase.LIVE, Phase.LIVE, Grown),
        Edge("fill", Phase.LIVE, Phase.FULL, Filled),
    ],
)


class ToyBase(Base):
    """Tables of the toy."""

    __abstract__ = True
    metadata = MetaData(naming_convention=NAMES)


class Counter(ToyBase):
    """One counter."""

    __tablename__ = "counter"

    code: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    value: Mapped[int] = mapped_column(default=0)

    def subject(self) -> str:
        """Return the code."""
        return self.code

    def key(self) -> str:
        """Return the code."""
        return self.code


class Seen(ToyBase):
    """What the listening side saw, in order."""

    __tablename__ = "seen"

    nth: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    code: Mapped[str]
    value: Mapped[int]
    event_id: Mapped[UUID]
    trace: Mapped[str | None]


class CounterFull(DomainError):
    """This counter holds no more."""

    code = "counter_full"
    status = 409
    title_vi = "Bộ đếm đã đầy"


async def grow(work: Work, *, code: str, poison: bool = False) -> Counter:
    """Let a counter grow by one, creating it at 1."""
    counter = await work.session.get(Counter, code, with_for_update=True)
    action = "grow"
    if counter is None:
        counter, action = Counter(code=code, value=0), "create"
        work.session.add(counter)
    counter.value += 1
    return work.move(counter, COUNTER, action, Grown(value=counter.value, at=work.now, poison=poison))


class Poisoned(Exception):
    """The toy cannot swallow this."""


CURED: set[str] = set()
"""Subjects whose poison no longer hurts: the "fix" of a test."""


async def on_grown(work: Work, event: Event[Grown]) -> None:
    """Remember what was seen, cause before effect."""
    if event.data.poison and event.subject not in CURED:
        raise Poisoned(f"{event.subject} at {event.data.value}")
    await _require_cause(work, event)
    work.session.add(Seen(code=event.subject, value=event.data.value, event_id=event.id, trace=event.traceparent))


async def on_filled(work: Work, event: Event[Filled]) -> None:
    """Remember that it is full, after what filled it."""
    await _require_cause(work, event)
    work.session.add(Seen(code=event.subject, value=-event.data.value, event_id=event.id, trace=event.traceparent))


async def _require_cause(work: Work, event: Event[Grown] | Event[Filled]) -> None:
    if event.causation_id is None:
        return
    await work.session.flush()
    known = text("SELECT 1 FROM seen WHERE event_id = :cause")
    if await work.session.scalar(known, {"cause": event.causation_id}) is None:
        raise CauseMissing("what led to this has not arrived")


HANDLERS: Handlers = {Grown: on_grown, Filled: on_filled}


def raw(
    code: str,
    value: int,
    *,
    data: EventData | None = None,
    source: str = "toy",
    cause: UUID | None = None,
    poison: bool = False,
) -> RawEvent:
    """Return an event of a counter as the bus brings it: it grew to a value, unless told otherwise."""
    data = data or Grown(value=value, at=AT, poison=poison)
    return RawEvent(new_id(), data.event_type, source, code, AT, abs(value), cause, None, encode(data))
