"""Which steps of a case lie on its way. Pure computing: nothing here reads or writes.

A step or decision is settled when everything it comes after is: a step that is done, a branch that was or was not
taken, a step that lies on no way. It lies on the way when at least one of those leads to it, and is closed when none
does. That one rule covers a row, a parallel join and the meeting of alternative branches: checking.py has made sure
that all or exactly one of them can lead there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from operator import eq, ge, gt, le, lt, ne

from services.workflow.errors import FactNeeded
from services.workflow.models import Case, Task
from services.workflow.states import TaskStatus
from shared.errors import FieldError
from shared.events.values import Branch, Comparison, Condition, Decision

Fact = str | bool | int | float
OUTCOME = "outcome"
"""The fact that an official chooses when completing the step before a decision."""
CASE_FACTS = frozenset(
    {"channel", "applicant_kind", "owner_kind", "fee_vnd", "agency_code", "procedure_code", "late_entry"}
)
"""Facts that every case has from its acceptance; all others are given when a step is completed."""

_COMPARE = {
    Comparison.EQUAL: eq,
    Comparison.UNEQUAL: ne,
    Comparison.LESS: lt,
    Comparison.AT_MOST: le,
    Comparison.GREATER: gt,
    Comparison.AT_LEAST: ge,
}


class Way(Enum):
    """Whether a case comes by a step, as far as that is decided."""

    PENDING = auto()
    TAKEN = auto()
    CLOSED = auto()


@dataclass(slots=True)
class Survey:
    """Looks over a case's steps and decisions, each once.

    `completing` names steps that are looked at as done, with the outcome chosen for each.
    """

    case: Case
    completing: Mapping[str, str | None] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    taken: dict[str, str | None] = field(default_factory=dict)
    """Decision → the branch taken, or None while it is open; filled as decisions are looked at."""
    _ways: dict[str, Way] = field(default_factory=dict)
    _tasks: dict[str, Task] = field(init=False)
    _decisions: dict[str, Decision] = field(init=False)

    def __post_init__(self) -> None:
        self._tasks = {task.step_key: task for task in self.case.tasks}
        self._decisions = {one["key"]: Decision.model_validate(one) for one in self.case.decisions}

    def way(self, step_key: str) -> Way:
        """Return whether a step lies on the way; raises FactNeeded when that hangs on a fact nobody has given."""
        if step_key not in self._ways:
            self._ways[step_key] = self._joined(self._tasks[step_key].after)
        return self._ways[step_key]

    def decide(self) -> dict[str, str | None]:
        """Return what every decision came to; raises FactNeeded."""
        for decision in self._decisions.values():
            self._branch_of(decision)
        return self.taken

    def _joined(self, after: Sequence[str]) -> Way:
        if not after:
            return Way.TAKEN
        found = {self._edge(one) for one in after}
        if Way.PENDING in found:
            return Way.PENDING
        return Way.TAKEN if Way.TAKEN in found else Way.CLOSED

    def _edge(self, source: str) -> Way:
        key, _, branch = source.partition(":")
        if branch:
            taken = self._branch_of(self._decisions[key])
            if taken is not None:
                return Way.TAKEN if taken == branch else Way.CLOSED
            return self._ways[f"{key}:"]
        if self.way(key) == Way.CLOSED:
            return Way.CLOSED
        done = key in self.completing or self._tasks[key].status == TaskStatus.DONE
        return Way.TAKEN if done else Way.PENDING

    def _branch_of(self, decision: Decision) -> str | None:
        if decision.key not in self.taken:
            way = self._ways[f"{decision.key}:"] = self._joined(decision.after)
            self.taken[decision.key] = self._chosen(decision).key if way == Way.TAKEN else None
        return self.taken[decision.key]

    def _chosen(self, decision: Decision) -> Branch:
        for branch in decision.branches:
            if branch.when is not None and self._holds(decision, branch.when):
                return branch
        otherwise = [branch for branch in decision.branches if branch.when is None]
        if not otherwise:
            raise _needed(decision, decision.branches[0].when)
        return otherwise[0]

    def _holds(self, decision: Decision, condition: Condition) -> bool:
        if condition.fact == OUTCOME:
            fact: Fact | None = self._outcome(decision)
        else:
            fact = self.facts.get(condition.fact, self.case.facts.get(condition.fact))
        if fact is None or not same_kind(fact, condition.value):
            raise _needed(decision, condition)
        return bool(_COMPARE[condition.op](fact, condition.value))

    def _outcome(self, decision: Decision) -> str | None:
        for key in self.case.steps_before(decision.after):
            if key in self.completing:
                return self.completing[key]
            task = self._tasks[key]
            if task.status == TaskStatus.DONE and task.outcome is not None:
                return task.outcome
        return None


def same_kind(fact: Fact, value: Fact) -> bool:
    """Tell whether two values can be compared: both truth values, both numbers or both texts."""
    if isinstance(fact, bool) or isinstance(value, bool):
        return isinstance(fact, bool) and isinstance(value, bool)
    return isinstance(fact, str) == isinstance(value, str)


def outcomes_asked(decisions: Sequence[Decision], step_key: str) -> list[str]:
    """Return what an official can choose from when completing a step; nothing when it leaves no choice.

    A branch without a condition beside branches that ask for the outcome is chosen by its name.
    """
    found: list[str] = []
    for decision in decisions:
        if step_key in sources(decisions, decision.after):
            whens = [(branch, branch.when) for branch in decision.branches]
            if any(when and when.fact == OUTCOME for _, when in whens):
                found += [str(when.value) if when else branch.name for branch, when in whens]
    return list(dict.fromkeys(found))


def facts_asked(decisions: Sequence[Decision]) -> dict[str, Fact]:
    """Return the facts that officials have to give some time, each with a value it is compared with."""
    conditions = [branch.when for decision in decisions for branch in decision.branches if branch.when]
    return {one.fact: one.value for one in conditions if one.fact not in CASE_FACTS | {OUTCOME}}


def sources(decisions: Sequence[Decision], after: Sequence[str]) -> list[str]:
    """Return the steps that something comes after, seen through the decisions between."""
    by_key = {decision.key: decision for decision in decisions}
    found: dict[str, None] = {}
    open_ones = list(after)
    while open_ones:
        key, _, branch = open_ones.pop().partition(":")
        if branch:
            open_ones += by_key[key].after
        else:
            found[key] = None
    return list(found)


def _needed(decision: Decision, condition: Condition | None) -> FactNeeded:
    name = condition.fact if condition else OUTCOME
    field_name = name if name == OUTCOME else f"facts.{name}"
    example = f" (such as {condition.value!r})" if condition else ""
    message = FieldError(
        field_name,
        f"“{decision.name}” is decided by it: give {name}{example}.",
        f"Cần cho biết “{name}” để rẽ nhánh tại “{decision.name}”.",
    )
    return FactNeeded(f"Decision {decision.key} needs {name}.", errors=[message], decision=decision.key, fact=name)
