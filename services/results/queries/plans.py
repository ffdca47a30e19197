"""What is read of the plans: what was to be done, what was, and where that leads."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import ceil

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.results.errors import PlanNotFound
from services.results.models import DigitisationPlan
from services.results.queries.newest import seen_by
from shared.caller import Caller

WINDOW_DAYS = 30
DEFINITION = (
    f"rate = results digitised in the last {WINDOW_DAYS} calendar days up to and including as_of (fewer when the first"
    " was digitised later), divided by these days; forecast = as_of + remaining / rate, rounded up to whole days;"
    " results of a unit without a plan of its own count for the nearest unit above that has one"
)

# The plan that an agency's results count for: its own, else that of the nearest unit above it.
_DONE = text(
    """
    WITH done AS (
        SELECT agency_code, sum(results) AS total, coalesce(sum(results) FILTER (WHERE day > :since), 0) AS recent,
               min(day) AS first_day
        FROM digitised_day WHERE day <= :as_of GROUP BY agency_code
    )
    SELECT plan.agency_code, sum(done.total)::int AS total, sum(done.recent)::int AS recent,
           min(done.first_day) AS first_day
    FROM done LEFT JOIN LATERAL (
        SELECT p.agency_code FROM digitisation_plan p
        WHERE done.agency_code = p.agency_code OR starts_with(done.agency_code, p.agency_code || '.')
        ORDER BY length(p.agency_code) DESC LIMIT 1
    ) plan ON true
    GROUP BY plan.agency_code
    """
)
_DAYS = text(
    """
    SELECT d.day, sum(d.results)::int FROM digitised_day d
    WHERE d.day <= :as_of AND (
        SELECT p.agency_code FROM digitisation_plan p
        WHERE d.agency_code = p.agency_code OR starts_with(d.agency_code, p.agency_code || '.')
        ORDER BY length(p.agency_code) DESC LIMIT 1
    ) = :agency_code
    GROUP BY d.day ORDER BY d.day
    """
)


class PlanState(StrEnum):
    """How a plan stands on a day."""

    DONE = "done"
    ON_TRACK = "on_track"
    LATE = "late"
    """It goes on, and at this rate it ends after the deadline."""
    STALLED = "stalled"
    """Nothing was digitised in the window."""
    OVERDUE = "overdue"
    """The deadline has passed."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was digitised up to a day."""

    total: int = 0
    recent: int = 0
    first_day: date | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a plan stands on a day, and where that leads; every figure with what it was made of."""

    as_of: date
    volume: int
    done: int
    remaining: int
    uncounted: int
    """Digitised beyond the volume: the agency holds more than it counted."""
    done_share: float
    state: PlanState
    window_days: int
    done_in_window: int
    rate_per_day: float
    needed_per_day: float | None
    """To end on the deadline; None when it has passed or nothing remains."""
    forecast_on: date | None
    """None when nothing was digitised in the window."""


@dataclass(frozen=True, slots=True)
class Point:
    """A plan at the end of one day."""

    day: date
    done: int
    """Since the point before."""
    done_total: int
    remaining: int
    planned_remaining: int
    """On the straight line from the whole volume at the start to nothing at the deadline."""


async def find_plan(session: AsyncSession, *, agency_code: str) -> DigitisationPlan | None:
    """Return and lock an agency's plan, whoever asks."""
    return await session.get(DigitisationPlan, agency_code, with_for_update=True)


async def get_plan(session: AsyncSession, caller: Caller, *, agency_code: str) -> DigitisationPlan:
    """Return an agency's plan that the caller may see. Raises PlanNotFound."""
    found = await session.get(DigitisationPlan, agency_code)
    if found is None or not caller.may_see(agency_code):
        raise PlanNotFound(agency_code=agency_code)
    return found


async def list_plans(
    session: AsyncSession, caller: Caller, *, after: str = "", limit: int
) -> Sequence[DigitisationPlan]:
    """Return plans that the caller may see, in order of agency, behind one."""
    code = DigitisationPlan.agency_code
    query = select(DigitisationPlan).where(seen_by(caller, code), code > after).order_by(code).limit(limit)
    return (await session.scalars(query)).all()


async def get_done(session: AsyncSession, *, as_of: date) -> Mapping[str | None, Done]:
    """Return what was digitised for each plan up to a day; under None what counts for no plan."""
    since = as_of - timedelta(days=WINDOW_DAYS)
    rows = await session.execute(_DONE, {"as_of": as_of, "since": since})
    return {row.agency_code: Done(row.total, row.recent, row.first_day) for row in rows}


async def get_days(session: AsyncSession, *, agency_code: str, as_of: date) -> Sequence[tuple[date, int]]:
    """Return how many results were digitised for a plan on each day up to one on which there were any."""
    rows = await session.execute(_DAYS, {"agency_code": agency_code, "as_of": as_of})
    return [(row[0], row[1]) for row in rows]


def progress_of(plan: DigitisationPlan, done: Done, *, as_of: date) -> Progress:
    """Return where a plan stands."""
    remaining = max(plan.volume - done.total, 0)
    window = min(WINDOW_DAYS, (as_of - done.first_day).days + 1) if done.first_day else WINDOW_DAYS
    rate = done.recent / window
    days_left = (plan.deadline - as_of).days
    forecast = as_of + timedelta(days=ceil(remaining * window / done.recent)) if done.recent else None
    return Progress(
        as_of=as_of,
        volume=plan.volume,
        done=done.total,
        remaining=remaining,
        uncounted=max(done.total - plan.volume, 0),
        done_share=round(min(done.total / plan.volume, 1), 4),
        state=_state(remaining, days_left, forecast, plan.deadline),
        window_days=window,
        done_in_window=done.recent,
        rate_per_day=round(rate, 2),
        needed_per_day=round(remaining / days_left, 2) if remaining and days_left > 0 else None,
        forecast_on=forecast if remaining else None,
    )


def burn_down(plan: DigitisationPlan, days: Sequence[tuple[date, int]], ends: Sequence[date]) -> list[Point]:
    """Return the plan at the end of each of these days, in order; what was done before the first counts in it."""
    done_on: defaultdict[date, int] = defaultdict(int)
    for day, results in days:
        place = bisect_left(ends, day)
        if place < len(ends):
            done_on[ends[place]] += results
    points, total = [], 0
    for end in ends:
        total += done_on[end]
        remaining = max(plan.volume - total, 0)
        points.append(Point(end, done_on[end], total, remaining, _planned(plan, end)))
    return points


def _planned(plan: DigitisationPlan, day: date) -> int:
    whole = (plan.deadline - plan.starts_on).days
    gone = min(max((day - plan.starts_on).days, 0), whole)
    return plan.volume - plan.volume * gone // whole if whole else 0


def _state(remaining: int, days_left: int, forecast: date | None, deadline: date) -> PlanState:
    if not remaining:
        return PlanState.DONE
    if days_left < 0:
        return PlanState.OVERDUE
    if forecast is None:
        return PlanState.STALLED
    return PlanState.ON_TRACK if forecast <= deadline else PlanState.LATE
