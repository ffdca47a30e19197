"""What comparing with the portal gave, and what people ask for about it."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, computed_field

from gateway.operations.reconciling import remedy_of
from gateway.schemas.root import Answer
from shared.bodies import Body, Trimmed

SYNCED = (
    "Index 1.4 (QĐ 766): dossiers whose acceptance (NgayTiepNhan in the period) the portal has acknowledged,"
    " of the dossiers accepted in the period."
)
IN_STEP = (
    "Dossiers of which the portal gave the status and the words that it was told last, of those looked up in this run;"
    " not counted are those of which something was on its way."
)


class Ratio(Answer):
    """A share with what it is made of."""

    numerator: int
    denominator: int
    definition: str
    as_of: datetime
    since: datetime | None = None
    """Beginning of the period, where it is about one."""

    @computed_field
    @property
    def share(self) -> float | None:
        """Numerator by denominator, four decimals; null when there was nothing to count."""
        return round(self.numerator / self.denominator, 4) if self.denominator else None


class RunOut(Answer):
    """One reconciliation."""

    id: int
    asked_by: str
    day: date | None
    """Of a daily run."""
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    """None while it waits or runs."""
    two_way: bool | None
    """False: the portal does not tell what it holds, so only what we told was compared."""
    listed: int
    compared: int
    in_step: int
    on_their_way: int
    """Not judged: something of them was still owed or just coming in."""
    unanswered: int
    differences: int
    settled: int
    redriven: int


class RunCountOut(Answer):
    """Dossiers told last on a day, of an agency, in a status, on both sides."""

    day: date
    agency_code: str
    status: int
    ours: int
    theirs: int


class DifferenceOut(Answer):
    """Something that the portal says otherwise than it was told; nothing personal is in it."""

    id: int
    dossier_code: str
    kind: Literal["missing_there", "missing_here", "status_differs", "content_differs", "order_differs"]
    state: Literal["open", "redriven", "settled", "explained"]
    ours: dict[str, Any]
    theirs: dict[str, Any]
    """`fields` names what differs, where that can be told."""
    run_id: int | None
    found_at: datetime
    seen_at: datetime
    redriven_at: datetime | None
    redriven_from: int | None
    """The first status told anew; 0: HoSo alone."""
    redriven_by: str | None
    redrives: int
    closed_at: datetime | None
    closed_by: str | None
    reason: str | None

    @computed_field
    @property
    def can_be_redriven(self) -> bool:
        """Whether telling the dossier anew can settle it; otherwise somebody has to look."""
        return self.closed_at is None and remedy_of(self.kind, self.ours, self.theirs) is not None


class RunReport(RunOut):
    """A reconciliation with its ratios and counts."""

    dossiers_in_step: Ratio
    dossiers_synced: Ratio
    counts: list[RunCountOut]


class ReconciliationState(Answer):
    """Where the comparing with the portal stands."""

    last: RunOut | None
    """The run finished last."""
    differences: int
    """Not settled, not explained."""
    oldest_difference_age_s: float
    in_step_share: float | None
    """Of the last run."""


class Sync(Answer):
    """What the portal was told of a dossier, and whether that was found there."""

    told_status: int | None
    told_at: datetime | None
    compared_at: datetime | None
    """When the portal was last asked for it."""
    differences: list[DifferenceOut]
    """What was found otherwise, newest first, and how it was settled."""


class Because(Body):
    """Why somebody does it."""

    reason: Annotated[str, Trimmed(500, 5)]


class RedriveBody(Because):
    """A dossier to tell anew."""

    what: Annotated[
        Literal["statuses", "dossier"],
        Field(description="`statuses`: from `first` on, in order; `dossier`: its HoSo alone."),
    ] = "statuses"
    first: Annotated[int, Field(ge=1, le=10_000)] = 1
    """The first status to tell, by its `version` in the dossier's trace; 1 creates the dossier again."""


class Redriven(Answer):
    """What was put on its way."""

    dossier_code: str
    messages: int
    """Statuses that are told anew; 1 for HoSo alone."""
