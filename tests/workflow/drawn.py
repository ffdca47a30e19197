"""Drawn processes in tests: the files of several modellers, random ones, and two engines that run them in memory."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.util.task import TaskState

from services.workflow.models import Case, Task
from services.workflow.operations.bpmn.conditions import parse
from services.workflow.operations.branching import Survey, Way, outcomes_asked
from services.workflow.states import TaskStatus
from shared.events.values import Branch, Condition, Decision, Process, ProcessStep

FOLDER = Path(__file__).with_name("bpmn")
FILES = sorted(path.name for path in FOLDER.iterdir())
MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
Choose = Callable[[str, list[str]], str | None]
"""Given a step and its outcomes, which is chosen."""


def content(name: str) -> bytes:
    """Return a modeller's file."""
    return (FOLDER / name).read_bytes()


def case_of(process: Process) -> Case:
    """Make a case of a process, in memory, with nothing done."""
    tasks = [
        Task(
            step_key=step.key,
            step_name=step.name,
            minutes=step.minutes,
            after=list(step.after),
            outcomes=outcomes_asked(process.decisions, step.key),
            status=TaskStatus.WAITING,
        )
        for step in process.steps
    ]
    decisions = [decision.model_dump(mode="json") | {"taken": None} for decision in process.decisions]
    return Case(dossier_code="H32-260101-0001", facts={"channel": "online"}, decisions=decisions, tasks=tasks)


class Ours:
    """The service's own stepping, without its database."""

    def __init__(self, process: Process) -> None:
        self.case = case_of(process)

    def ready(self) -> set[str]:
        """Return the names of the steps whose turn it is."""
        survey = Survey(self.case)
        taken = survey.decide()
        self.case.decisions = [one | {"taken": taken[one["key"]]} for one in self.case.decisions]
        return {
            task.step_name
            for task in self.case.tasks
            if task.status == TaskStatus.WAITING and survey.way(task.step_key) == Way.TAKEN
        }

    def outcomes(self, name: str) -> list[str]:
        """Return what can be chosen on completing a step."""
        return self._task(name).outcomes

    def complete(self, name: str, outcome: str | None) -> None:
        """Do a step."""
        task = self._task(name)
        task.status, task.outcome = TaskStatus.DONE, outcome

    def _task(self, name: str) -> Task:
        return next(task for task in self.case.tasks if task.step_name == name)


class _Conditions(PythonScriptEngine):
    """Evaluates our conditions by Python's own comparison; SpiffWorkflow knows neither JUEL nor FEEL."""

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> Any:  # noqa: ARG002
        condition = parse(expression)
        assert condition is not None
        known = {"channel": "online"} | task.data
        return eval(f"fact {condition.op} value", {"fact": known[condition.fact], "value": condition.value})  # noqa: S307


class Theirs:
    """SpiffWorkflow running the same file."""

    def __init__(self, file: bytes) -> None:
        parser = BpmnParser()
        root = etree.fromstring(file)
        parser.add_bpmn_xml(root)
        process_id = next(one.get("id") for one in root.iter(f"{{{MODEL}}}process") if len(one))
        self.workflow = BpmnWorkflow(parser.get_spec(process_id), script_engine=_Conditions())
        self.workflow.do_engine_steps()

    def ready(self) -> set[str]:
        """Return the names of the steps whose turn it is."""
        return {task.task_spec.bpmn_name for task in self._ready()}

    def complete(self, name: str, outcome: str | None) -> None:
        """Do a step."""
        task = next(one for one in self._ready() if one.task_spec.bpmn_name == name)
        if outcome is not None:
            task.data["outcome"] = outcome
        task.run()
        self.workflow.do_engine_steps()

    @property
    def ended(self) -> bool:
        """Whether no step is left."""
        return self.workflow.completed

    def _ready(self) -> list[Any]:
        return self.workflow.get_tasks(state=TaskState.READY, manual=True)


def structured(chance: random.Random, size: int) -> Process:
    """Make a random process of rows, forks with joins and choices that meet again; each is sound by its making."""
    maker = _Maker(chance)
    ends = maker.block((), size)
    if not maker.steps:
        maker.step(())
    elif len(ends) > 1:
        maker.step(ends)
    return Process(code="random", steps=tuple(maker.steps), decisions=tuple(maker.decisions))


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.steps: list[ProcessStep] = []
        self.decisions: list[Decision] = []

    def step(self, after: tuple[str, ...]) -> tuple[str, ...]:
        key = f"s{len(self.steps)}"
        made = ProcessStep(key=key, name=f"Bước {key}", unit=f"U{key}", role="r", minutes=60, after=after)
        self.steps.append(made)
        return (key,)

    def block(self, after: tuple[str, ...], size: int) -> tuple[str, ...]:
        if size <= 1:
            return self.step(after)
        kind = self.chance.choice(("row", "row", "fork", "choice"))
        left = self.chance.randint(1, size - 1)
        if kind == "row":
            return self.block(self.block(after, left), size - left)
        before = self.step(after)
        if kind == "fork":
            ends = [*self.block(before, left), *self.block(before, size - left)]
            return self.step(tuple(ends))
        key = f"d{len(self.decisions)}"
        branches = tuple(
            Branch(key=f"{key}{way}", name=way, when=Condition(fact="outcome", value=way)) for way in ("a", "b")
        )
        self.decisions.append(Decision(key=key, name=key, after=before, branches=branches))
        ends = [*self.block((f"{key}:{key}a",), left), *self.block((f"{key}:{key}b",), size - left)]
        return self.step(tuple(ends))


def walk(ours: Ours, chance: random.Random) -> Iterator[tuple[set[str], str, str | None]]:
    """Do steps in random order with random outcomes; yield what was ready and what was done before doing it."""
    while ready := ours.ready():
        name = chance.choice(sorted(ready))
        outcomes = ours.outcomes(name)
        outcome = chance.choice(outcomes) if outcomes else None
        yield ready, name, outcome
        ours.complete(name, outcome)
