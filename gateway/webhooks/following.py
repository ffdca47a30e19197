"""Which changes a subscription is told of, and in which words."""

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from shared.caller import Caller

CursorOf = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Follower:
    """A subscription that is to be told."""

    id: UUID
    agency: str
    inherited: tuple[str, ...]
    url: str
    event_types: tuple[str, ...]
    only_agency: str | None
    only_procedure: str | None
    secret: bytes
    old_secret: bytes | None
    old_secret_until: datetime | None
    failing_since: datetime | None
    position: int
    full: bool = False
    """So much is owed to it that nothing more is handed on for now."""

    def wants(self, change: "Change") -> bool:
        """Tell whether it is told of a change."""
        return (
            Caller("", self.agency, frozenset(), self.inherited).may_see(change.agency_code)
            and (self.only_agency is None or Caller("", self.only_agency).may_see(change.agency_code))
            and self.only_procedure in {None, change.procedure_code}
            and any(fnmatch.fnmatchcase(change.event_type, pattern) for pattern in self.event_types)
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the feed."""

    position: int
    dossier_code: str
    agency_code: str
    procedure_code: str
    event_type: str
    happened_at: datetime
    portal_status: int | None
    version: int
    deleted: bool
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one follower."""

    follower: UUID
    dossier_code: str
    event_type: str
    position: int
    body: str


@dataclass(slots=True)
class Share:
    """What followers that stand at one position are handed on of a page of the feed."""

    followers: Sequence[Follower]
    place: int
    last: int
    messages: list[Message] = field(default_factory=list)


def share(followers: Sequence[Follower], changes: Sequence[Change], cursor_of: CursorOf) -> Share:
    """Return the messages for followers that stand before a page of the feed."""
    handed_on = Share(followers, followers[0].position, changes[-1].position)
    for change in changes:
        wanting = [one for one in followers if one.wants(change)]
        body = body_of(change, cursor_of) if wanting else ""
        handed_on.messages += [
            Message(one.id, change.dossier_code, change.event_type, change.position, body) for one in wanting
        ]
    return handed_on


def body_of(change: Change, cursor_of: CursorOf) -> str:
    """Return a message: thin, without personal data, the same that the feed shows."""
    data = {
        "cursor": cursor_of(change.position),
        "dossier_code": change.dossier_code,
        "agency_code": change.agency_code,
        "procedure_code": change.procedure_code,
        "portal_status": change.portal_status,
        "version": change.version,
        "deleted": change.deleted,
        "detail": change.detail,
    }
    return orjson.dumps({"type": change.event_type, "timestamp": change.happened_at, "data": data}).decode()
