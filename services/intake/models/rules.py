"""Rules of submission as dated data: days without paper, bodies that must submit online. They warn, never refuse."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import ConfigDict, model_validator
from pydantic import Field as Bounded
from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.catalogue import Text
from services.intake.models.tables import IntakeBase
from shared.bodies import Body
from shared.events.values import Channel, PartyKind
from shared.identifiers import AgencyCode, is_within


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


WEEKDAYS = tuple(Weekday)


class RuleKind(StrEnum):
    """What a rule wants."""

    PAPERLESS_DAY = "paperless_day"
    """Ngày không nộp bản giấy."""
    ONLINE_ONLY = "online_only"
    """These applicants are asked to submit online, except where a law needs paper."""


class RuleEntry(Body):
    """When to warn: everything that is given must hold; what is left empty holds always."""

    model_config = ConfigDict(frozen=True)

    kind: RuleKind
    agency: AgencyCode
    """The receiving agency, and those below it."""
    procedures: tuple[str, ...] = Bounded((), max_length=2000)
    """Codes of procedures; empty for all."""
    excepted: tuple[str, ...] = Bounded((), max_length=2000)
    """Procedures whose law needs paper."""
    weekdays: tuple[Weekday, ...] = ()
    applicants: tuple[PartyKind, ...] = ()
    channels: tuple[Channel, ...] = (Channel.DIRECT, Channel.POSTAL)
    """Through which a submission is warned about."""
    message: Text
    message_vi: Text
    legal_basis: Text
    """The document that sets the rule."""
    valid_from: date
    valid_to: date | None = None
    """Its last day."""

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.valid_to and self.valid_to < self.valid_from:
            raise ValueError("valid_to lies before valid_from")
        return self

    def holds(self, *, agency: str, procedure: str, channel: Channel, applicant: PartyKind, day: date) -> bool:
        """Tell whether a submission received on a day is one to warn about."""
        return (
            self.valid_from <= day
            and (self.valid_to is None or day <= self.valid_to)
            and channel in self.channels
            and (not self.procedures or procedure in self.procedures)
            and procedure not in self.excepted
            and (not self.weekdays or WEEKDAYS[day.weekday()] in self.weekdays)
            and (not self.applicants or applicant in self.applicants)
            and is_within(agency, self.agency)
        )


class SubmissionRule(IntakeBase):
    """One rule."""

    __tablename__ = "submission_rule"
    __table_args__ = (Index(None, "set_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    entry: Mapped[dict[str, Any]] = mapped_column(JSONB)
    revision: Mapped[int]
    """Grows with every change; the ETag."""
    set_at: Mapped[datetime]
    set_by: Mapped[str]
