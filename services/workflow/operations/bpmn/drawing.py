"""A process as a drawing: nodes, flows, and what is wrong with them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from shared.events.values import Condition, Duration, Process, ProcessStep


class Kind(StrEnum):
    """What a node of a drawing is."""

    START = "startEvent"
    END = "endEvent"
    STEP = "userTask"
    EXCLUSIVE = "exclusiveGateway"
    PARALLEL = "parallelGateway"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that keeps a process from running, at the element where people can mend it."""

    code: str
    message: str
    message_vi: str
    element_id: str = ""
    element_name: str = ""
    kind: str = ""
    """The element's name in BPMN, or step, decision, branch or process."""
    line: int = 0
    """In the file; 0 when it has none."""

    def __str__(self) -> str:
        """Return it in one line, as a compiler would."""
        name = f" “{self.element_name}”" if self.element_name else ""
        where = f"line {self.line}: " if self.line else ""
        what = f"{self.kind} {self.element_id}{name}: " if self.kind else ""
        return f"{where}{what}{self.message}"


@dataclass(slots=True)
class Node:
    """A node of a drawing."""

    id: str
    kind: Kind
    name: str = ""
    line: int = 0
    key: str = ""
    """What it is called in the process; the id unless the drawing says otherwise."""
    step: ProcessStep | None = None
    default: str | None = None
    """Of an exclusive gateway: the flow taken when no other is."""


@dataclass(slots=True)
class Flow:
    """A sequence flow."""

    id: str
    source: str
    target: str
    name: str = ""
    condition: Condition | None = None
    line: int = 0
    key: str = ""


@dataclass(slots=True)
class Drawing:
    """All nodes and flows of a process, in the order in which they stand in the file."""

    nodes: dict[str, Node] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)

    def incoming(self, node_id: str) -> list[Flow]:
        """Return the flows into a node."""
        return [flow for flow in self.flows if flow.target == node_id]

    def outgoing(self, node_id: str) -> list[Flow]:
        """Return the flows out of a node."""
        return [flow for flow in self.flows if flow.source == node_id]

    def decisions(self) -> list[Node]:
        """Return the exclusive gateways at which ways part."""
        return [one for one in self.nodes.values() if one.kind == Kind.EXCLUSIVE and len(self.outgoing(one.id)) > 1]

    def connect(self, source: str, target: str, flow_id: str) -> Flow:
        """Add a flow."""
        flow = Flow(flow_id, source, target)
        self.flows.append(flow)
        return flow


@dataclass(frozen=True, slots=True)
class Definition:
    """A process with what says for whom and when it holds."""

    code: str
    name: str
    process: Process
    procedure_code: str | None = None
    agency_code: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    term: Duration | None = None
    drawing: str | None = None
    """The BPMN file it comes from."""


def named(node: Node, code: str, message: str, message_vi: str) -> Finding:
    """Return a finding at a node."""
    return Finding(code, message, message_vi, node.id, node.name, node.kind, node.line)


def names(nodes: Iterable[Node]) -> str:
    """Return nodes in words."""
    return ", ".join(f"“{node.name}” ({node.id})" if node.name else node.id for node in nodes)
