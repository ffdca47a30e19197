"""Processes that officials drew or wrote, version by version."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.workflow.models.cases import WorkflowBase


class DrawnProcess(WorkflowBase):
    """A version of a process; never changed but for the end of its validity."""

    __tablename__ = "drawn_process"
    __table_args__ = (Index(None, "procedure_code"), Index(None, "nth", unique=True))

    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    nth: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """Grows with every version of any process: who knows the newest knows whether something is new."""
    name: Mapped[str]
    procedure_code: Mapped[str | None]
    """The procedure it is for; None: of none yet."""
    agency_code: Mapped[str | None]
    """The agency it is for, with everybody below; None: all."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    """The last day on which a case may start with it; None: open."""
    term_amount: Mapped[float | None]
    term_unit: Mapped[str | None]
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """shared.events.values.Process as JSON."""
    drawing: Mapped[str | None]
    """The BPMN file it was imported from."""
    imported_by: Mapped[str]
    imported_at: Mapped[datetime]
