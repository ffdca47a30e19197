"""Working calendars: keeping what workflow publishes, and the dates that follow from them."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.intake.models import WorkingCalendarVersion
from shared.work import Work
from shared.worktime import CalendarDocument


async def keep_calendar(
    work: Work, *, code: str, nth: int, version: str, agencies: Sequence[str], document: Mapping[str, Any]
) -> None:
    """Keep a version of a calendar; acceptances from now on are dated by the newest there is.

    Raises ValueError for a document that is no calendar.
    """
    CalendarDocument.model_validate(document)
    if await work.session.get(WorkingCalendarVersion, (code, nth)):
        return
    row = WorkingCalendarVersion(code=code, nth=nth, version=version, agencies=list(agencies), document=dict(document))
    work.session.add(row)
