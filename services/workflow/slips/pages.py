"""Each slip: its template with what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

from services.workflow.models import Case, Slip, Task
from services.workflow.slips.forms import FormSet, forms_on
from services.workflow.slips.timing import verdict
from shared.clock import VN
from shared.printing import day_in_words, moment_in_words, render, short_moment

_MOMENTS = ("respond_by", "previous_due_at", "due_at")


@dataclass(frozen=True, slots=True)
class Heading:
    """Who gives out a slip, about which procedure."""

    agency: str
    procedure: str


async def printed(slip: Slip, case: Case, heading: Heading) -> bytes:
    """Return form 02, 04 or 05 as it was issued; the same bytes whenever it is printed."""
    values = {
        name: moment_in_words(datetime.fromisoformat(value)) if name in _MOMENTS else value
        for name, value in slip.content.items()
    }
    shown = {
        "applicant": case.applicant_name,
        "accepted": moment_in_words(case.started_at),
        "promised": moment_in_words(case.due_at) if case.due_at else None,
        "official": slip.issued_by,
        "nth": slip.nth,
        "values": values,
    }
    return await _print(slip.form, case, heading, slip.issued_at, f"{slip.nth:02}", shown)


async def control_sheet(case: Case, heading: Heading, *, now: datetime) -> bytes:
    """Return form 06: who handed the case to whom, when, and whether each step was in time."""
    opened = sorted((task for task in case.tasks if task.opened_at), key=lambda task: (task.opened_at, task.position))
    overall = verdict(case.due_at, case.completed_at, now=case.paused_since or now)
    shown = {
        "applicant": case.applicant_name,
        "accepted": moment_in_words(case.started_at),
        "promised": moment_in_words(case.due_at) if case.due_at else None,
        "completed": moment_in_words(case.completed_at) if case.completed_at else None,
        "overall": overall,
        "printed": moment_in_words(now),
        "rows": [_row(case, task, now) for task in opened],
    }
    return await _print("06", case, heading, now, "", shown)


def _row(case: Case, task: Task, now: datetime) -> dict[str, str]:
    givers = [f"{one.unit}{_person(one)}" for one in case.before(task) if one.completed_at]
    return {
        "giver": "; ".join(givers) or "Bộ phận tiếp nhận và trả kết quả",
        "taker": f"{task.unit}{_person(task)}",
        "step": task.step_name,
        "at": moment_in_words(task.opened_at) if task.opened_at else "",
        "due": short_moment(task.due_at) if task.due_at else "",
        "done": short_moment(task.completed_at) if task.completed_at else "",
        "verdict": verdict(task.due_at, task.completed_at, now=case.paused_since or now),
        "note": "; ".join(filter(None, (task.note, _late(task)))),
    }


def _person(task: Task) -> str:
    if task.official is None:
        return ""
    return f" – {task.official}" + (f" (thay {task.acting_for})" if task.acting_for else "")


def _late(task: Task) -> str:
    if task.late_reason is None or task.recorded_at is None:
        return ""
    return f"Nhập muộn lúc {short_moment(task.recorded_at)}: {task.late_reason}"


async def _print(form: str, case: Case, heading: Heading, at: datetime, nth: str, shown: Mapping[str, Any]) -> bytes:
    forms: FormSet = forms_on(at.astimezone(VN).date())
    of = forms.forms[form]
    number = f"{case.dossier_code.rpartition('-')[2]}{f'.{nth}' if nth else ''}/{of.suffix}"
    data = {
        "mark": {"number": of.number, "circular": forms.circular} if of.number else None,
        "title": of.title,
        "agency": heading.agency,
        "procedure": heading.procedure,
        "number": number,
        "date": day_in_words(at),
        "code": case.dossier_code,
    }
    template = files("services.workflow.slips").joinpath(f"form-{form}.typ")
    return await render(template, {**data, **shown}, dated=at)
