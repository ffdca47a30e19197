"""The bodies of workflow's HTTP calls."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.workflow.models import Case, ClockEntry, Task
from services.workflow.operations.clock import Why
from services.workflow.states import CaseStatus, ClockKind, PauseReason, TaskStatus
from shared import bodies
from shared.errors import DomainError
from shared.events.values import Decision, DurationUnit

BULK_MAX = 200

Official = Annotated[str, Field(min_length=1, max_length=200, examples=["nguyen.van.an@khanhhoa.gov.vn"])]
"""The official's account in the officials' system."""
Note = Annotated[str, Field(max_length=2_000, examples=["Hồ sơ đủ điều kiện, trình ký."])]
Reason = Annotated[str, Field(min_length=3, max_length=2_000, examples=["Thiếu trích lục bản đồ địa chính."])]


Outcome = Annotated[str, Field(min_length=1, max_length=200, examples=["approved"])]
FactName = Annotated[str, Field(min_length=1, max_length=100, examples=["needs_inspection"])]
FactValue = (
    Annotated[str, Field(max_length=200)]
    | bool
    | Annotated[int, Field(ge=-(10**15), le=10**15)]
    | Annotated[float, Field(ge=-(10**15), le=10**15, allow_inf_nan=False)]
)


class Body(bodies.Body):
    """What a call sends."""


class ClaimRequest(Body):
    """Who takes the task."""

    official: Official


class CompleteRequest(Body):
    """Who finished the task and with what remark."""

    official: Official
    note: Note = ""
    completed_at: AwareDatetime | None = None
    """When the work was done, if that is entered after the fact; not in the future, not before the task was opened."""
    late_reason: Reason | None = None
    """Why it is entered after the fact; needed when completed_at lies more than 15 minutes back."""
    outcome: Outcome | None = None
    """Which way the case goes on: one of the task's `outcomes`, where it has some."""
    facts: Annotated[dict[FactName, FactValue], Field(max_length=20)] = Field(default_factory=dict)
    """What the process's decisions ask about the case beyond that."""


class HandOverRequest(Body):
    """An official and why the task goes to or from them, or back."""

    official: Official
    reason: Reason


class BulkItem(Body):
    """One task to finish."""

    task_id: UUID
    official: Official
    note: Note = ""
    outcome: Outcome | None = None


class BulkRequest(Body):
    """Tasks to finish together; each is decided by itself."""

    tasks: Annotated[list[BulkItem], Field(min_length=1, max_length=BULK_MAX)]


class SupplementRequest(Body):
    """What the applicant has to bring and until when."""

    content: Annotated[str, Field(min_length=3, max_length=5_000, examples=["Bổ sung bản sao giấy khai sinh."])]
    respond_by: AwareDatetime
    requested_by: Official


class StopRequest(Body):
    """Why the case is stopped, and on which legal basis."""

    reason: Reason
    legal_basis: Annotated[str, Field(min_length=3, max_length=1_000, examples=["Luật Đất đai 2024, Điều 236"])]
    stopped_by: Official


class ResumeRequest(Body):
    """Who lets the case go on."""

    resumed_by: Official


class View(BaseModel):
    """What an answer shows."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


class TaskView(View):
    """One step of a case."""

    id: UUID
    dossier_code: str
    agency_code: str
    step_key: str
    step_name: str
    unit: str
    role: str
    status: TaskStatus
    official: str | None
    acting_for: str | None
    """The official in whose place the last action was done, by delegation."""
    opened_at: datetime | None
    due_at: datetime | None
    """In working time; moves with the pauses of its case."""
    completed_at: datetime | None
    recorded_at: datetime | None
    """When the completion was entered."""
    late_reason: str | None
    """Why that was after the fact; null when it was entered in time."""
    minutes_late: int | None
    """Working minutes past due_at when it was completed, pauses left out; 0 in time, null while it is not completed."""
    consultations_open: int
    """Agencies whose answer it waits for."""
    note: str | None
    outcomes: list[str]
    """What the official chooses from on completing it; empty when the step leaves no choice."""
    outcome: str | None
    """What was chosen."""
    output: str | None
    """`result` where the step makes the result."""


class TaskPage(View):
    """A part of a worklist."""

    items: list[TaskView]
    next_cursor: str | None


class Refusal(View):
    """Why one task of many was not finished; the same words as the problem document of a single call."""

    code: str
    status: int
    title: str
    title_vi: str
    detail: str

    @classmethod
    def of(cls, error: DomainError) -> Self:
        """Show a refusal."""
        return cls(
            code=error.code, status=error.status, title=error.title(), title_vi=error.title_vi, detail=error.detail
        )


class BulkOutcome(View):
    """What became of one task: finished, or refused with the reason."""

    task_id: UUID
    done: bool
    refusal: Refusal | None

    @classmethod
    def of(cls, task_id: UUID, outcome: Task | DomainError) -> Self:
        """Show what became of a task."""
        refusal = Refusal.of(outcome) if isinstance(outcome, DomainError) else None
        return cls(task_id=task_id, done=refusal is None, refusal=refusal)


class BulkAnswer(View):
    """What became of each task, in the order asked."""

    done: int
    refused: int
    outcomes: list[BulkOutcome]


class CaseView(View):
    """A case without its tasks."""

    dossier_code: str
    status: CaseStatus
    agency_code: str
    """The agency that received the dossier."""
    competent_agency_code: str
    """The agency that decides it."""
    procedure_code: str
    process_code: str
    process_version: int
    started_at: datetime
    late_entry: bool
    """Its acceptance was entered after the fact."""
    due_at: datetime | None
    term_amount: float | None
    term_unit: DurationUnit | None
    calendar_version: str
    fee_outstanding_vnd: int
    paused_since: datetime | None
    pause_reason: PauseReason | None
    supplement_id: UUID | None
    """The supplement that is awaited."""
    respond_by: datetime | None
    completed_at: datetime | None
    on_time: bool | None
    extensions: int
    """How often the applicant was given a later date with an apology."""
    entered_late: bool
    """Its acceptance or one of its steps was entered after the fact: on_time rests on what was entered then."""
    result_issued_at: datetime | None
    result_returned_at: datetime | None


class CasePage(View):
    """A part of a list of cases."""

    items: list[CaseView]
    next_cursor: str | None


class ClockEntryView(View):
    """One line of the clock's ledger."""

    nth: int
    kind: ClockKind
    at: datetime
    reason: str
    event_id: UUID
    note: str | None
    """Why, in words, where the kind does not say it all."""
    calendar_version: str
    due_at: datetime | None
    """The due date after this line."""


class WhyView(View):
    """One reason for the due date."""

    at: datetime
    text: str
    text_vi: str
    due_at: datetime | None


class DecisionView(Decision):
    """A fork of the process, and the branch that the case takes."""

    taken: str | None
    """The branch's key; null while it is open, or when the case does not come by."""


class CaseDetail(CaseView):
    """A case with its tasks, the ledger of its clock, and the due date explained."""

    tasks: list[TaskView]
    decisions: list[DecisionView]
    """Where the process leaves ways open."""
    clock: list[ClockEntryView]
    why_due: list[WhyView]

    @classmethod
    def of(cls, case: Case, ledger: list[ClockEntry], whys: list[Why]) -> Self:
        """Show a case."""
        return cls(
            **CaseView.model_validate(case).model_dump(),
            tasks=[TaskView.model_validate(task) for task in case.tasks],
            decisions=[DecisionView.model_validate(one) for one in case.decisions],
            clock=[ClockEntryView.model_validate(entry) for entry in ledger],
            why_due=[WhyView.model_validate(why) for why in whys],
        )
