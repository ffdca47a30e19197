"""HTTP in: figures about time, and the alert lists of what is finished in fact but not entered."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Query

from services.workflow import queries
from services.workflow.queries import statistics as counted
from services.workflow.routes.parameters import READ, Cursor, Limit, Word
from services.workflow.schemas import CasePage, CaseView
from services.workflow.schemas.statistics import OnTimeReport, OverdueGroup, OverdueReport, Ratio
from shared import clock
from shared.bodies import Moment
from shared.errors import FieldError, InvalidRequest
from shared.http import CallerDep, SessionDep, router

WINDOW_MAX = timedelta(days=366)

statistics = router("statistics", prefix="/statistics")
unentered = router("cases", prefix="/cases")

Start = Annotated[Moment, Query(alias="from", description="First moment of the window")]
End = Annotated[Moment, Query(alias="to", description="First moment after the window")]


@statistics.get("/overdue", dependencies=[READ])
async def overdue(
    session: SessionDep, caller: CallerDep, *, start: Start, end: End, by: counted.By = "unit", agency: Word = None
) -> OverdueReport:
    """Count the steps completed in a window that missed their date, by agency, unit, step or official.

    Pauses are no delay: a step's due date has moved with each of them.
    """
    _refuse_window(start, end)
    as_of = clock.now()
    found = await counted.count_steps(
        session, caller=caller, agency=agency, by=by, start=start, end=end, as_of=min(end, as_of)
    )
    items = [_group(by, steps) for steps in found[: counted.GROUPS_MAX]]
    return OverdueReport(
        definition="steps with completed_at in [from, to) and completed_at > due_at / steps with completed_at in it",
        definition_vi="số bước hoàn thành sau hạn / số bước hoàn thành trong kỳ (không tính thời gian tạm dừng)",
        agency=agency,
        start=start,
        end=end,
        as_of=as_of,
        by=by,
        total=_group("agency", _sum(found, agency or caller.agency or "")) if found else None,
        items=items,
        omitted=max(0, len(found) - counted.GROUPS_MAX),
    )


@statistics.get("/on-time", dependencies=[READ])
async def on_time(
    session: SessionDep, caller: CallerDep, *, start: Start, end: End, agency: Word = None
) -> OnTimeReport:
    """Count the cases completed in a window on time, with and without what was entered after the fact."""
    _refuse_window(start, end)
    as_of = clock.now()
    cases = await counted.count_cases(
        session, caller=caller, agency=agency, start=start, end=end, as_of=min(end, as_of)
    )
    return OnTimeReport(
        definition="cases with completed_at in [from, to) and completed_at <= due_at / those with a due date in it",
        definition_vi="số hồ sơ giải quyết xong đúng hạn / số hồ sơ giải quyết xong trong kỳ có hẹn trả",
        agency=agency,
        start=start,
        end=end,
        as_of=as_of,
        on_time=Ratio.of(cases.on_time, cases.completed),
        on_time_entered_in_time=Ratio.of(
            cases.on_time - cases.entered_late_on_time, cases.completed - cases.entered_late
        ),
        entered_late=cases.entered_late,
        without_due_date=cases.without_due_date,
        still_overdue=cases.still_overdue,
    )


@unentered.get("/unentered", dependencies=[READ])
async def list_unentered(
    session: SessionDep,
    caller: CallerDep,
    *,
    kind: counted.Kind,
    agency: Word = None,
    hours: Annotated[int, Query(ge=0, le=10_000, description="At least so many hours ago")] = 24,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> CasePage:
    """List cases that are finished in fact but not entered so, those that wait longest first.

    `steps`: the result was issued, steps are still open. `result`: all steps are done, their result was never entered.
    `return`: the result is there, nobody entered that its owner has it.
    """
    page = queries.Page(limit=limit, cursor=cursor)
    items, next_cursor = await counted.list_unentered(
        session, caller=caller, agency=agency, kind=kind, before=clock.now() - timedelta(hours=hours), page=page
    )
    return CasePage(items=[CaseView.model_validate(case) for case in items], next_cursor=next_cursor)


def _refuse_window(start: datetime, end: datetime) -> None:
    if not timedelta() < end - start <= WINDOW_MAX:
        message = FieldError(
            "to", "Must lie after `from`, by a year at most.", "Phải sau thời điểm đầu, tối đa một năm."
        )
        raise InvalidRequest(errors=[message])


def _sum(found: list[counted.Steps], agency: str) -> counted.Steps:
    return counted.Steps(
        (agency,),
        sum(steps.done for steps in found),
        sum(steps.overdue for steps in found),
        sum(steps.minutes_late for steps in found),
        sum(steps.entered_late for steps in found),
        sum(steps.overdue_entered_late for steps in found),
        sum(steps.still_overdue for steps in found),
    )


def _group(by: counted.By, steps: counted.Steps) -> OverdueGroup:
    names = {"agency": (), "unit": ("unit",), "step": ("step_key", "step_name"), "official": ("official",)}[by]
    return OverdueGroup(
        agency_code=steps.key[0] or "",
        **dict(zip(names, steps.key[1:], strict=True)),
        overdue=Ratio.of(steps.overdue, steps.done),
        overdue_entered_in_time=Ratio.of(steps.overdue - steps.overdue_entered_late, steps.done - steps.entered_late),
        entered_late=steps.entered_late,
        working_minutes_late=steps.minutes_late,
        still_overdue=steps.still_overdue,
    )
