"""Parameters that several of workflow's routes take."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request

from services.workflow import queries
from services.workflow.operations.rules import Rules
from shared.http import needs

READ: Any = needs("tasks:read")
WORK: Any = needs("tasks:work")

Word = Annotated[str | None, Query(min_length=1, max_length=200)]
Limit = Annotated[int, Query(ge=1, le=queries.LIST_MAX)]
Cursor = Annotated[str | None, Query(max_length=400, description="next_cursor of the part before")]
Username = Annotated[str, Path(min_length=1, max_length=200, examples=["nguyen.van.an@khanhhoa.gov.vn"])]
DossierCode = Annotated[str, Path(max_length=60, examples=["H32.14-260407-0001"])]


async def _rules(request: Request) -> Rules:
    return request.app.state.rules


RulesDep = Annotated[Rules, Depends(_rules)]


def earliest(*moments: datetime | None) -> datetime | None:
    """Return the earliest of some moments, as far as they are given."""
    return min((moment for moment in moments if moment is not None), default=None)
