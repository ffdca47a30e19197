"""How the transaction log stands as evidence."""

from datetime import datetime
from typing import Literal

from gateway.schemas.root import Answer


class AnchorState(Answer):
    """How far an outside authority has time-stamped the log."""

    state: Literal["off", "waiting", "anchored"]
    """`off`: no authority is set, so nothing proves the log to whoever doubts its operator; `waiting`: not yet."""
    number: int | None = None
    """The last record that is anchored."""
    stamped_at: datetime | None = None
    """By the authority's clock."""
    age_s: float | None = None
    records_since: int = 0
    last_error: str | None = None
    """Of this process, since it last succeeded."""


class EvidenceState(Answer):
    """The transaction log now, as this process sees it."""

    writable: bool
    """False: changes are refused (evidence_unavailable) until it can be written again."""
    unwritable_since: datetime | None = None
    reason: str | None = None
    backlog_records: int
    """Calls that are not in the log yet; at backlog_max reads are refused too."""
    backlog_max: int
    records: int
    """Numbered so far, dropped ones among them."""
    last_stored_at: datetime | None = None
    sealed_months: int
    """Parts that were verified, sealed and dropped."""
    anchor: AnchorState
