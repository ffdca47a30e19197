"""Bodies of the figures: each with its definition, numerator, denominator, window and moment."""

from datetime import datetime
from typing import Literal

from services.workflow.schemas.cases import View


class Ratio(View):
    """Part of a whole; `percent` has two decimals and is null where there is nothing to divide by."""

    numerator: int
    denominator: int
    percent: float | None

    @classmethod
    def of(cls, numerator: int, denominator: int) -> "Ratio":
        """Return a part of a whole."""
        return cls(
            numerator=numerator,
            denominator=denominator,
            percent=round(100 * numerator / denominator, 2) if denominator else None,
        )


class Figures(View):
    """What every figure says about itself."""

    definition: str
    definition_vi: str
    agency: str | None
    """Below which it was counted; null: everywhere you may see."""
    start: datetime
    end: datetime
    as_of: datetime


class OverdueGroup(View):
    """Steps of one agency, unit, step or official."""

    agency_code: str
    unit: str | None = None
    step_key: str | None = None
    step_name: str | None = None
    official: str | None = None
    overdue: Ratio
    """Completed after their due date, of all completed."""
    overdue_entered_in_time: Ratio
    """The same, without steps that were entered after the fact."""
    entered_late: int
    working_minutes_late: int
    """Of all overdue ones together; pauses are left out."""
    still_overdue: int
    """At work and past their due date at `as_of`, or when their clock stopped."""


class OverdueReport(Figures):
    """Where time was lost."""

    by: Literal["agency", "unit", "step", "official"]
    total: OverdueGroup | None
    items: list[OverdueGroup]
    omitted: int
    """Groups with fewer overdue steps that are not listed."""


class OnTimeReport(Figures):
    """How many cases were completed on time."""

    on_time: Ratio
    """Completed by their due date, of all completed that have one."""
    on_time_entered_in_time: Ratio
    """The same, without cases of which anything was entered after the fact."""
    entered_late: int
    without_due_date: int
    still_overdue: int
