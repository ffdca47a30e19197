"""Who works where: agencies with a roster, their units as a tree, officials, and what each holds there and when."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.workflow.models.cases import WorkflowBase


class StaffedAgency(WorkflowBase):
    """An agency whose officials are known; where it is enforced, nobody else may work on its tasks."""

    __tablename__ = "staffed_agency"

    agency_code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    enforced: Mapped[bool]
    changed_at: Mapped[datetime]


class Unit(WorkflowBase):
    """A unit of an agency, as steps of processes name it; rights in it hold in all units below it."""

    __tablename__ = "unit"
    __table_args__ = (Index(None, "agency_code", "parent_code"),)

    agency_code: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    parent_code: Mapped[str | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    """The last day; None: open."""


class Account(WorkflowBase):
    """An official's account; one who left is deactivated, never deleted: what was done stays attributed."""

    __tablename__ = "account"
    __table_args__ = (Index(None, "directory_id"), Index(None, "agency_code", "username"))

    username: Mapped[str] = mapped_column(primary_key=True)
    """What the officials' systems send as `official`."""
    directory_id: Mapped[str | None]
    """The directory's own id (SCIM `id`)."""
    agency_code: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None]
    active: Mapped[bool]
    source: Mapped[str]
    """`import` or `directory`."""
    changed_at: Mapped[datetime]
    deactivated_at: Mapped[datetime | None]


class Assignment(WorkflowBase):
    """A role that an official holds in a unit for some time."""

    __tablename__ = "assignment"
    __table_args__ = (
        ForeignKeyConstraint(["agency_code", "unit_code"], [Unit.agency_code, Unit.code]),
        Index(None, "agency_code", "unit_code", "role"),
    )

    username: Mapped[str] = mapped_column(ForeignKey(Account.username), primary_key=True)
    agency_code: Mapped[str] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_to: Mapped[date | None]
    """The last day; None: open."""
