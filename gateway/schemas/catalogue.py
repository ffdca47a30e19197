"""The portal's catalogue over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from gateway.schemas.root import Answer
from shared.bodies import Body


class PullBody(Body):
    """A pull to be made now."""

    accept_smaller: bool = False
    """You have looked: a list may be much shorter than the one before, and what it lacks is to be ended."""


class PullOut(Answer):
    """One pull of the portal's lists."""

    id: UUID
    asked_at: datetime
    asked_by: str
    accept_smaller: bool
    finished_at: datetime | None
    outcome: Literal["complete", "incomplete", "failed"] | None
    """incomplete: something was missing, nothing was ended because of it; null while it waits or runs."""
    counts: dict[str, Any]
    """Rows of each list, details asked for, and differences by kind."""
    reason: str | None


class DiffOut(Answer):
    """A procedure that the portal has otherwise than the province."""

    id: int
    pull_id: UUID
    code: str
    kind: Literal["new", "changed", "ended"]
    fields: list[dict[str, Any]]
    """{field, ours, theirs} of a changed one."""
    found_at: datetime
    state: Literal["open", "applied", "dismissed", "settled"]
    decided_at: datetime | None
    decided_by: str | None
    note: str | None


class DiffPage(BaseModel):
    """A part of the differences."""

    items: list[DiffOut]
    next_after: int | None
    """`after` of the next part."""


class AppliedDiff(BaseModel):
    """A difference that was applied, or would be, and what intake says to it."""

    diff: DiffOut
    report: dict[str, Any]


class DismissBody(Body):
    """Why the province's catalogue stays as it is."""

    note: Annotated[str, Field(min_length=5, max_length=1000, pattern=r"^[^\x00]*$")]
