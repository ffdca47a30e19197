"""What HTTP takes and gives of the backlog: plans, where they stand, scans."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from services.results.queries import PlanState
from services.results.schemas.archive import Asked, Code, Given, Taken, Text
from shared.bodies import Day
from shared.events.values import IdKind, PartyKind
from shared.identifiers import AgencyCode

POINTS_MAX = 400
PlanCursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Every(StrEnum):
    """How far apart the points of a burn-down lie."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class SetPlan(Taken):
    """What an agency has to digitise, and until when."""

    volume: int = Field(ge=1, le=100_000_000, examples=[42_000])
    """Results on paper that the agency counted."""
    starts_on: date | None = None
    """When the rule began to hold, unless given."""
    deadline: date | None = None
    """The rule's for this volume, unless given: then with deadline_basis."""
    deadline_basis: Text | None = Field(default=None, examples=["Kế hoạch số 137/KH-UBND"])
    """The decision that sets another deadline."""

    @model_validator(mode="after")
    def _another_deadline_has_a_basis(self) -> Self:
        if (self.deadline is None) != (self.deadline_basis is None):
            raise ValueError("deadline and deadline_basis go together")
        return self


class AsOf(Asked):
    """The day to look from."""

    as_of: Day | None = None
    """Today (UTC+7), unless given."""


class ListPlans(AsOf):
    """Which plans to list."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: PlanCursor | None = None
    """next_cursor of the page before."""


class BurnDown(AsOf):
    """Which points to return."""

    every: Every = Every.MONTH
    """The last of each; the last point is always as_of."""


class ProgressOut(Given):
    """Where a plan stands on a day and where that leads; every figure with what it was made of."""

    as_of: date
    volume: int
    done: int
    remaining: int
    uncounted: int
    """Digitised beyond the volume: the agency holds more than it counted."""
    done_share: float
    """done / volume, at most 1."""
    state: PlanState
    window_days: int
    done_in_window: int
    rate_per_day: float
    """done_in_window / window_days."""
    needed_per_day: float | None
    """remaining / days left; null when the deadline has passed or nothing remains."""
    forecast_on: date | None
    """When the rest is done at this rate; null when nothing remains or nothing was digitised in the window."""


class PlanOut(Given):
    """A plan."""

    agency_code: str
    volume: int
    starts_on: date
    deadline: date
    deadline_basis: str
    version: int
    """Goes into If-Match of a change, in quotes."""
    set_by: str
    set_at: datetime


class PlanProgress(PlanOut):
    """A plan and where it stands."""

    progress: ProgressOut


class PlanPage(Given):
    """Some plans, in order of agency."""

    definition: str
    """What rate and forecast are."""
    items: list[PlanProgress]
    next_cursor: str | None


class PointOut(Given):
    """A plan at the end of one day."""

    day: date
    done: int
    """Since the point before."""
    done_total: int
    remaining: int
    planned_remaining: int
    """On the straight line from the whole volume at the start to nothing at the deadline."""


class BurnDownOut(Given):
    """How a plan's backlog shrinks."""

    plan: PlanOut
    as_of: date
    points: list[PointOut]


class Report(Given):
    """The backlog of all agencies that the caller may see; volume = counted work done + remaining."""

    as_of: date
    definition: str
    plans: int
    volume: int
    done: int
    """Of the volumes: what was digitised beyond a plan's volume is in uncounted."""
    remaining: int
    uncounted: int
    states: dict[PlanState, int]
    """Plans by how they stand."""
    items: list[PlanProgress]
    """Those that need somebody first: overdue, stalled, late, on track, done; the largest rest first."""


class ListScans(Asked):
    """Which scans to list."""

    agency_code: AgencyCode | None = None
    kind_code: Code | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=64)
    """next_cursor of the page before."""


class SetAside(Taken):
    """Why a scan no longer counts."""

    reason: Text


class ScanOut(Given):
    """A digitised result as officials see it."""

    id: UUID
    agency_code: str
    kind_code: str
    kind_name: str
    number: str
    owner_kind: PartyKind
    owner_name: str
    identity_kind: IdKind | None
    identity_number: str | None
    issued_on: date
    issued_by: str | None
    valid_until: date | None
    procedure_code: str | None
    dossier_code: str | None
    sha256: str
    size_bytes: int
    media_type: str
    pages: int | None
    signature: str
    """`none`: digitised unsigned; `valid`: signed, and checked on entry."""
    digitised_at: datetime
    ended_at: datetime | None
    """When it was set aside."""
    end_reason: str | None


class ScanPage(Given):
    """Some scans, newest first."""

    items: list[ScanOut]
    next_cursor: str | None


def period_ends(first: date, last: date, every: Every) -> list[date]:
    """Return the last day of each period from first to last, and last itself; the newest POINTS_MAX of them."""
    ends, day = [], last
    while day >= first and len(ends) < POINTS_MAX:
        ends.append(day)
        day = _end_before(day, every)
    return ends[::-1]


def _end_before(day: date, every: Every) -> date:
    if every is Every.DAY:
        return day - timedelta(days=1)
    if every is Every.WEEK:
        return day - timedelta(days=day.isoweekday())
    return day.replace(day=1) - timedelta(days=1)
