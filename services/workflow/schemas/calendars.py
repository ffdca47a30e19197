"""The bodies of calls about working calendars and the clock of a case."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from services.workflow.models import CalendarVersion, Case, ClockEntry, DueDateChange
from services.workflow.operations.calendars import Move
from services.workflow.operations.clock import Passage, Why
from services.workflow.schemas.cases import Body, ClockEntryView, Official, Reason, View, WhyView
from services.workflow.states import CaseStatus
from shared.events.values import DurationUnit
from shared.worktime import CalendarDocument

AgencyCode = Annotated[str, Field(min_length=1, max_length=60, examples=["H32.14"])]


class CalendarDraft(Body):
    """A calendar as it would be published."""

    document: CalendarDocument
    """Its `name` is the calendar's code; a new version replaces the one before as a whole."""


class CalendarRequest(CalendarDraft):
    """A version of a calendar to put in force."""

    agencies: Annotated[tuple[AgencyCode, ...], Field(max_length=500)] = ()
    """Who works by it, with everybody below them; none for the calendar `vn`, which is everybody else's."""
    reason: Reason
    """In words for applicants whose due date moves, with the number of the decision (Vietnamese)."""
    published_by: Official


class CalendarSummary(View):
    """A version of a calendar without its days."""

    calendar_code: str
    version: str
    nth: int
    agencies: list[str]
    reason: str
    published_by: str
    published_at: datetime
    applied_at: datetime | None
    """When every case under way had been looked at; null while that goes on."""


class CalendarView(CalendarSummary):
    """A version of a calendar."""

    document: CalendarDocument


class CalendarList(View):
    """The calendars in force, or the versions of one, the newest first."""

    items: list[CalendarSummary]


class MoveView(View):
    """A case whose due date would move."""

    dossier_code: str
    status: CaseStatus
    due_at: datetime | None
    new_due_at: datetime | None
    problem: str | None
    """Why it cannot be computed; such a case would keep its date."""

    @classmethod
    def of(cls, move: Move) -> Self:
        """Show what would happen to a case."""
        return cls(
            dossier_code=move.case.dossier_code,
            status=CaseStatus(move.case.status),
            due_at=move.case.due_at,
            new_due_at=move.due_at,
            problem=move.problem,
        )


class Preview(View):
    """Whose due date a calendar would move, among the cases looked at."""

    items: list[MoveView]
    looked_at: int
    next_cursor: str | None


class ChangeView(View):
    """What a version did to one case."""

    dossier_code: str
    previous_due_at: datetime | None
    due_at: datetime | None
    problem: str | None
    changed_at: datetime


class ChangePage(View):
    """A part of what a version changed."""

    items: list[ChangeView]
    next_cursor: str | None

    @classmethod
    def of(cls, rows: list[DueDateChange], limit: int) -> Self:
        """Show rows, one more than the page takes when there are more."""
        cursor = rows[limit - 1].dossier_code if len(rows) > limit else None
        return cls(items=[ChangeView.model_validate(row) for row in rows[:limit]], next_cursor=cursor)


class PassageView(View):
    """A stretch of time between the acceptance and the due date."""

    start: datetime
    end: datetime
    kind: Literal["working_day", "make_up_day", "weekly_rest", "day_off", "pause", "calendar_time"]
    minutes: float
    """What it counts for: working minutes, or all of them for a term that runs day and night."""
    text: str
    text_vi: str


class ClockView(View):
    """Why a case's due date is what it is ("vì sao hẹn ngày này")."""

    dossier_code: str
    due_at: datetime | None
    recomputed_due_at: datetime | None
    """What the ledger gives; the same, or something is wrong."""
    term_amount: float | None
    term_unit: DurationUnit | None
    same_day: bool
    calendar_code: str
    calendar_version: str
    provisional: bool
    """The due date lies in a year whose days off are not announced yet: it may still move."""
    ledger: list[ClockEntryView]
    why: list[WhyView]
    spans: list[PassageView]

    @classmethod
    def of(
        cls,
        case: Case,
        ledger: list[ClockEntry],
        *,
        recomputed: datetime | None,
        provisional: bool,
        whys: list[Why],
        passages: list[Passage],
    ) -> Self:
        """Show a case's clock."""
        return cls(
            dossier_code=case.dossier_code,
            due_at=case.due_at,
            recomputed_due_at=recomputed,
            term_amount=case.term_amount,
            term_unit=case.term.unit if case.term else None,
            same_day=case.same_day,
            calendar_code=case.calendar_code,
            calendar_version=case.calendar_version,
            provisional=provisional,
            ledger=[ClockEntryView.model_validate(entry) for entry in ledger],
            why=[WhyView.model_validate(why) for why in whys],
            spans=[PassageView.model_validate(passage) for passage in passages],
        )


def summary(version: CalendarVersion) -> CalendarSummary:
    """Show a version without its days."""
    return CalendarSummary.model_validate(version)
