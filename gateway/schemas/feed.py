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
    detail: dict[str, Any]


class ChangesPage(Answer):
    """A page of the feed, in commit order."""

    items: list[ChangeOut]
    next_cursor: str
    """Pass it to go on; it stays good for ever. The feed's end answers with an empty page and the same cursor."""
