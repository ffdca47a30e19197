"""Tables of the plans to digitise the backlog."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from services.results.models.archive import ResultsBase


class DigitisationPlan(ResultsBase):
    """What an agency has to digitise, and until when."""

    __tablename__ = "digitisation_plan"
    __table_args__ = (
        CheckConstraint("volume > 0", name="volume"),
        CheckConstraint("deadline >= starts_on", name="deadline"),
    )

    agency_code: Mapped[str] = mapped_column(primary_key=True)
    volume: Mapped[int]
    """Results on paper that the agency counted."""
    starts_on: Mapped[date]
    deadline: Mapped[date]
    deadline_basis: Mapped[str]
    """The rule that the deadline was read from, or why it is another."""
    version: Mapped[int]
    """Grows with every change."""
    set_by: Mapped[str]
    set_at: Mapped[datetime]
