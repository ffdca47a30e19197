"""Reads: how much was done in time and by whom it was not, and what is finished in fact but not entered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Select, false, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.workflow.models import Case, Task
from services.workflow.queries import pages
from services.workflow.queries.pages import Page, within
from services.workflow.queries.worklists import asked_for
from shared.caller import Caller

GROUPS_MAX = 500

By = Literal["agency", "unit", "step", "official"]
_KEYS: dict[By, tuple[InstrumentedAttribute, ...]] = {
    "agency": (Task.agency_code,),
    "unit": (Task.agency_code, Task.unit),
    "step": (Task.agency_code, Task.step_key, Task.step_name),
    "official": (Task.agency_code, Task.official),
}
Kind = Literal["steps", "result", "return"]


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps of one group: done in the window, and at work but overdue at its end."""

    key: tuple[str | None, ...]
    done: int = 0
    overdue: int = 0
    minutes_late: int = 0
    entered_late: int = 0
    overdue_entered_late: int = 0
    still_overdue: int = 0


async def count_steps(
    session: AsyncSession,
    *,
    caller: Caller,
    agency: str | None,
    by: By,
    start: datetime,
    end: datetime,
    as_of: datetime,
) -> list[Steps]:
    """Return the steps done from one moment to another by group, those with most overdue ones first.

    Overdue is a step completed after its due date, which has moved with every pause of its case.
    """
    mine = _mine(Task.agency_code, caller, agency)
    late, in_time = Task.minutes_late > 0, Task.late_reason.is_(None)
    done = select(
        *_KEYS[by],
        func.count(),
        func.count().filter(late),
        func.coalesce(func.sum(Task.minutes_late), 0),
        func.count().filter(~in_time),
        func.count().filter(late & ~in_time),
    ).where(text("task.status = 'done'"), Task.completed_at >= start, Task.completed_at < end, mine)
    at_work = (
        select(*_KEYS[by], func.count())
        .join(Case, Case.dossier_code == Task.dossier_code)
        .where(
            text("task.status IN ('open', 'claimed')"),
            Task.due_at < as_of,
            Task.due_at < func.coalesce(Case.paused_since, as_of),
            mine,
        )
    )
    width = len(_KEYS[by])
    found: dict[tuple[str | None, ...], Steps] = {}
    for row in await session.execute(done.group_by(*_KEYS[by])):
        key = tuple(row[:width])
        found[key] = Steps(key, *row[width:])
    for row in await session.execute(at_work.group_by(*_KEYS[by])):
        key = tuple(row[:width])
        known = found.get(key, Steps(key))
        found[key] = Steps(
            key,
            known.done,
            known.overdue,
            known.minutes_late,
            known.entered_late,
            known.overdue_entered_late,
            row[width],
        )
    return sorted(found.values(), key=lambda steps: (-steps.overdue - steps.still_overdue, str(steps.key)))


@dataclass(frozen=True, slots=True)
class Cases:
    """Cases completed in a window, and those under way that are overdue at its end."""

    completed: int
    without_due_date: int
    on_time: int
    entered_late: int
    entered_late_on_time: int
    still_overdue: int


async def count_cases(
    session: AsyncSession, *, caller: Caller, agency: str | None, start: datetime, end: datetime, as_of: datetime
) -> Cases:
    """Return how many cases were completed from one moment to another, and how many of them on time."""
    mine = _mine(Case.competent_agency_code, caller, agency)
    dated, on_time = Case.due_at.is_not(None), Case.completed_at <= Case.due_at
    completed = select(
        func.count().filter(dated),
        func.count().filter(~dated),
        func.count().filter(on_time),
        func.count().filter(dated & Case.entered_late),
        func.count().filter(on_time & Case.entered_late),
    ).where(text("case_file.status = 'completed'"), Case.completed_at >= start, Case.completed_at < end, mine)
    overdue = select(func.count()).where(
        text("case_file.status IN ('running', 'awaiting_supplement', 'awaiting_payment', 'stopped')"),
        Case.due_at < as_of,
        Case.due_at < func.coalesce(Case.paused_since, as_of),
        mine,
    )
    row = (await session.execute(completed)).one()
    return Cases(*row, await session.scalar(overdue) or 0)


async def list_unentered(
    session: AsyncSession, *, caller: Caller, agency: str | None, kind: Kind, before: datetime, page: Page
) -> tuple[Sequence[Case], str | None]:
    """Return cases finished in fact before a moment but not entered so, those that wait longest first.

    `steps`: a result was issued, steps are still open. `result`: all steps are done, the result they make was never
    entered. `return`: the result is there, nobody entered that its owner has it.
    """
    since, condition = _UNENTERED[kind]
    query: Select[Case] = select(Case).where(text(condition), since < before)
    query = query.where(_mine(Case.competent_agency_code, caller, agency))
    return await pages.cut(session, query, (since, Case.dossier_code), page, str)


_UNENTERED: dict[Kind, tuple[InstrumentedAttribute[datetime | None], str]] = {
    "steps": (
        Case.result_issued_at,
        """case_file.result_issued_at IS NOT NULL
        AND case_file.status IN ('running', 'awaiting_supplement', 'awaiting_payment', 'stopped')""",
    ),
    "result": (
        Case.completed_at,
        "case_file.status = 'completed' AND case_file.expects_result AND case_file.result_issued_at IS NULL",
    ),
    "return": (
        Case.completed_at,
        """case_file.status = 'completed' AND case_file.result_issued_at IS NOT NULL
        AND case_file.result_returned_at IS NULL""",
    ),
}


def _mine(column: InstrumentedAttribute[str], caller: Caller, agency: str | None) -> ColumnElement[bool]:
    return or_(false(), *(within(column, top) for top in asked_for(caller, agency)))
