"""The change feed."""

from datetime import datetime
from typing import Any

from gateway.schemas.root import Answer


class ChangeOut(Answer):
    """One change of a dossier."""

    cursor: str
    """Where to go on after this change."""
    dossier_code: str
    agency_code: str
    procedure_code: str
    event_type: str
    happened_at: datetime
    portal_status: int | None
    """TrangThaiHoSo 1–10 if this change reached one."""
    version: int
    """How many portal statuses the dossier had reached."""
    deleted: bool
    """The dossier was entered by mistake and is struck off: drop what you keep of it."""
    detail: dict[str, Any]


class ChangesPage(Answer):
    """A page of the feed, in commit order."""

    items: list[ChangeOut]
    next_cursor: str
    """Pass it to go on; it stays good for ever. The feed's end answers with an empty page and the same cursor."""


class SnapshotItem(Answer):
    """A dossier as it is now."""

    cursor: str
    """Its last change; changes of this dossier up to here are in it already."""
    dossier_code: str
    agency_code: str
    procedure_code: str
    portal_status: int
    """TrangThaiHoSo 1–10."""
    version: int
    due_at: datetime | None


class SnapshotPage(Answer):
    """A page of the present state, in order of code."""

    items: list[SnapshotItem]
    next_cursor: str | None
    """Pass it to go on; null on the last page."""
    changes_cursor: str
    """Where `/sync/changes` goes on after the last page; the same on every page."""
