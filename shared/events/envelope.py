"""The envelope of an event: CloudEvents 1.0 in binary mode on AMQP 0-9-1 (`ce-` headers, data as body)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from shared import telemetry

SOURCE_PREFIX = "/motcua/"
NAME_MAX = 200
SEQUENCE_MAX = 2**63 - 1


class EventData(BaseModel):
    """The data of one fact. Readers ignore fields they do not know; within a version fields are only added."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    event_type: ClassVar[str]
    """service.subject.past_participle.vN; also the routing key."""


Data = TypeVar("Data", bound=EventData)


@dataclass(frozen=True, slots=True)
class Event(Generic[Data]):
    """One fact with its envelope."""

    id: UUID
    type: str
    source: str
    """The owning service's name."""
    subject: str
    """The dossier's code; the procedure's code for catalogue facts."""
    time: datetime
    """When the fact was committed (aware UTC); when it was true is in the data."""
    sequence: int
    """1, 2, 3… per subject and source, without a gap."""
    causation_id: UUID | None
    """The event that led to this one, if one did."""
    traceparent: str | None
    data: Data


class Unreadable(ValueError):
    """A message that is no event of ours: bad headers or a body that does not fit its type."""


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event as it travels: attributes read, data still bytes."""

    id: UUID
    type: str
    source: str
    subject: str
    time: datetime
    sequence: int
    causation_id: UUID | None
    traceparent: str | None
    body: bytes

    def headers(self) -> dict[str, str]:
        """Return the AMQP headers; every value is a string, as the binding asks."""
        headers = {
            "ce-specversion": "1.0",
            "ce-id": str(self.id),
            "ce-type": self.type,
            "ce-source": SOURCE_PREFIX + self.source,
            "ce-subject": self.subject,
            "ce-time": self.time.isoformat(),
            "ce-sequence": str(self.sequence),
        }
        if self.causation_id:
            headers["ce-causationid"] = str(self.causation_id)
        if self.traceparent:
            headers["ce-traceparent"] = self.traceparent
        return headers

    @classmethod
    def from_message(cls, headers: Mapping[str, Any], body: bytes) -> "RawEvent":
        """Read a message's attributes; raises Unreadable when one that we need is missing or malformed."""
        try:
            cause = headers.get("ce-causationid")
            return cls(
                id=UUID(_text(headers["ce-id"])),
                type=_name(headers["ce-type"]),
                source=_name(_text(headers["ce-source"]).removeprefix(SOURCE_PREFIX)),
                subject=_name(headers["ce-subject"]),
                time=_time(headers["ce-time"]),
                sequence=_sequence(headers["ce-sequence"]),
                causation_id=UUID(_text(cause)) if cause else None,
                traceparent=telemetry.traceparent_in(_text(headers.get("ce-traceparent", ""))),
                body=body,
            )
        except (KeyError, ValueError, OverflowError) as problem:
            raise Unreadable(f"no CloudEvent of ours: {problem!r}") from problem

    def read(self, data_class: type[Data]) -> Event[Data]:
        """Return the event with its data checked; raises Unreadable when the body does not fit."""
        try:
            data = data_class.model_validate_json(self.body)
        except ValidationError as problem:
            # Where and what, never the value: it may be personal data. For the same reason the error is not chained.
            wrong = "; ".join(
                f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problem.errors(include_input=False)
            )
            raise Unreadable(f"body does not fit {self.type}: {wrong}") from None
        return Event(
            id=self.id,
            type=self.type,
            source=self.source,
            subject=self.subject,
            time=self.time,
            sequence=self.sequence,
            causation_id=self.causation_id,
            traceparent=self.traceparent,
            data=data,
        )


def encode(data: EventData) -> bytes:
    """Return the data as JSON bytes."""
    return orjson.dumps(data.model_dump(mode="json"))


# What passes here can be kept in every table: an event that no table can hold would stop the queue, not its dossier.


def _text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode()
    if isinstance(value, str):
        return value
    raise ValueError("no text")


def _name(value: object) -> str:
    name = _text(value)
    if not 0 < len(name) <= NAME_MAX or not name.isprintable():
        raise ValueError(f"not 1 to {NAME_MAX} printable characters")
    return name


def _time(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment.astimezone(UTC)


def _sequence(value: object) -> int:
    sequence = int(_text(value))
    if not 0 < sequence <= SEQUENCE_MAX:
        raise ValueError(f"not 1 to {SEQUENCE_MAX}")
    return sequence
