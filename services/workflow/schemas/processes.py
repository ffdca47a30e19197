"""The bodies of calls about processes."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.workflow.models import DrawnProcess
from services.workflow.operations.bpmn.drawing import Definition, Finding
from services.workflow.operations.processes import Outcome
from services.workflow.schemas.cases import Body, FactValue, Official, View
from shared.bodies import BLANK
from shared.events.values import Branch, Comparison, Condition, Decision, Duration, DurationUnit, Process, ProcessStep

ITEMS_MAX = 200
FILE_CHARACTERS_MAX = 1_000_000
MINUTES_MAX = 1_000_000

Key = Annotated[str, Field(min_length=1, max_length=200, pattern=rf"^[^:{BLANK}][^:]*$", examples=["check"])]
Source = Annotated[str, Field(min_length=1, max_length=401, examples=["check", "result:approved"])]
"""A step's key, or `decision:branch`."""
ProcessCode = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$", examples=["QT-1.013225-H32.14"])
]
Name = Annotated[str, Field(min_length=1, max_length=500)]


class ConditionBody(Body):
    """When a branch is taken."""

    fact: Annotated[str, Field(min_length=1, max_length=100, examples=["outcome", "channel"])]
    """`outcome`: what the official chooses on completing the step before; or a fact of the case."""
    op: Comparison = Comparison.EQUAL
    value: FactValue


class BranchBody(Body):
    """One way out of a decision."""

    key: Key
    name: Name
    when: ConditionBody | None = None
    """None: taken when no other is."""


class DecisionBody(Body):
    """A fork of which one branch is taken, the first whose condition holds."""

    key: Key
    name: Name
    after: Annotated[list[Source], Field(max_length=50)] = []  # noqa: RUF012 - pydantic copies defaults
    branches: Annotated[list[BranchBody], Field(min_length=2, max_length=20)]


class StepBody(Body):
    """A step: it opens when all that `after` names is settled and at least one way leads to it."""

    key: Key
    name: Name
    unit: Annotated[str, Field(max_length=200, examples=["Phòng Kinh tế"])]
    role: Annotated[str, Field(max_length=200, examples=["specialist"])]
    minutes: Annotated[int, Field(ge=0, le=MINUTES_MAX)]
    """Working minutes it may take; 480 are a day."""
    after: Annotated[list[Source], Field(max_length=50)] = []  # noqa: RUF012 - pydantic copies defaults
    awaits_payment: bool = False
    """It opens only when no fee collected on acceptance is outstanding."""
    output: Literal["result"] | None = None
    """`result` where the step makes the result."""


class TermBody(Body):
    """The procedure's term, that the steps must keep."""

    amount: Annotated[float, Field(gt=0, le=10_000)]
    unit: DurationUnit


class ProcessBody(Body):
    """A process as JSON."""

    code: Annotated[
        str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_.-]+$", examples=["QT-1.013225-H32.14"])
    ]
    name: Name
    procedure_code: Annotated[str, Field(max_length=60, examples=["1.013225"])] | None = None
    """The procedure it is for; without one, cases of none start with it."""
    agency_code: Annotated[str, Field(max_length=60, examples=["H32.14"])] | None = None
    """The agency it is for, with everybody below it; none for all. The most specific one counts."""
    valid_from: date | None = None
    """The first day on which cases start with it; today when left out."""
    valid_to: date | None = None
    term: TermBody | None = None
    steps: Annotated[list[StepBody], Field(max_length=100)]
    decisions: Annotated[list[DecisionBody], Field(max_length=50)] = []  # noqa: RUF012 - pydantic copies defaults

    def definition(self) -> Definition:
        """Return what the operation takes."""
        steps = tuple(ProcessStep.model_validate(step.model_dump()) for step in self.steps)
        process = Process(code=self.code, steps=steps, decisions=tuple(map(_decision, self.decisions)))
        term = Duration(amount=self.term.amount, unit=self.term.unit) if self.term else None
        return Definition(
            self.code, self.name, process, self.procedure_code, self.agency_code, self.valid_from, self.valid_to, term
        )


def _decision(body: DecisionBody) -> Decision:
    branches = tuple(
        Branch(key=one.key, name=one.name, when=Condition(**one.when.model_dump()) if one.when else None)
        for one in body.branches
    )
    return Decision(key=body.key, name=body.name, after=tuple(body.after), branches=branches)


class ImportItem(Body):
    """A file, or a process as JSON; one of both."""

    name: Annotated[str, Field(min_length=1, max_length=300, examples=["cap-phep-xay-dung.bpmn"])]
    bpmn: Annotated[str, Field(max_length=FILE_CHARACTERS_MAX)] | None = None
    process: ProcessBody | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.bpmn is None) == (self.process is None):
            raise ValueError("send either bpmn or process")
        return self


class ImportRequest(Body):
    """Processes to import together; each is decided by itself."""

    items: Annotated[list[ImportItem], Field(min_length=1, max_length=ITEMS_MAX)]
    dry_run: bool = False
    """Only say what would come of it."""
    imported_by: Official


class FindingView(View):
    """What keeps a process from running, and where."""

    code: str
    element_id: str
    element_name: str
    kind: str
    """The element's name in BPMN, or step, decision, process."""
    line: int
    """In the file; 0 when it has none."""
    message: str
    message_vi: str


class ImportOutcome(View):
    """What became of one process."""

    name: str
    """As it was sent."""
    outcome: Literal["created", "unchanged", "refused"]
    code: str | None
    version: int | None
    findings: list[FindingView]

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """Show an outcome."""
        findings = [finding_view(finding) for finding in outcome.findings]
        return cls(
            name=outcome.name, outcome=outcome.kind, code=outcome.code, version=outcome.version, findings=findings
        )


def finding_view(finding: Finding) -> FindingView:
    """Show a finding."""
    return FindingView.model_validate(finding)


class ImportAnswer(View):
    """What became of each process, in the order sent."""

    created: int
    unchanged: int
    refused: int
    outcomes: list[ImportOutcome]


class ProcessSummary(View):
    """A version of a process without its steps."""

    code: str
    version: int
    name: str
    procedure_code: str | None
    agency_code: str | None
    valid_from: date
    valid_to: date | None
    term_amount: float | None
    term_unit: DurationUnit | None
    imported_by: str
    imported_at: datetime


class ProcessView(ProcessSummary):
    """A version of a process."""

    steps: list[ProcessStep]
    decisions: list[Decision]

    @classmethod
    def of(cls, row: DrawnProcess) -> Self:
        """Show a version."""
        process = Process.model_validate(row.definition)
        summary = ProcessSummary.model_validate(row).model_dump()
        return cls(**summary, steps=list(process.steps), decisions=list(process.decisions))


class ProcessPage(View):
    """A part of a list of processes."""

    items: list[ProcessSummary]
    next_cursor: str | None
