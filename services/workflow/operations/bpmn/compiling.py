"""From a drawing to the process that runs, and from a process without a drawing to one.

What runs has no joins: a step names in `after` all that leads to it. A drawing of such a process needs them again, so
they are found from the worlds (checking.py) in which each source leads there: flows of the same worlds meet in a
parallel gateway, flows of different worlds in an exclusive one.
"""

import re
from collections.abc import Iterable

from services.workflow.operations.bpmn.checking import WORLDS_MAX, in_order
from services.workflow.operations.bpmn.drawing import Drawing, Finding, Flow, Kind, Node, named
from services.workflow.operations.branching import OUTCOME
from shared.events.values import Branch, Condition, Decision, Process

_ID = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_START, _END = "StartEvent_1", "EndEvent_1"
_OUR_IDS = (
    "Flow_",
    "Fork_",
    "Join_",
    "Step_",
    "Decision_",
    "Lane",
    "Unit_",
    "Roles_",
    "Process_",
    "Participant_",
    "Collaboration_",
)


def compiled(code: str, drawing: Drawing) -> Process:
    """Return the process that a drawing shows; flows without a condition are chosen by their name.

    What lies on a circle comes after nothing: such a drawing is refused anyway.
    """
    deciding = {node.id for node in drawing.decisions()}
    for gateway_id in deciding:
        _name_outcomes(drawing, drawing.nodes[gateway_id])
    # Steps before decisions, each in their own order: what comes after several things names them in that order.
    named_nodes = sorted(drawing.nodes.values(), key=lambda node: node.kind != Kind.STEP)
    place = {key: nth for nth, key in enumerate(node.key for node in named_nodes)}
    known: dict[str, tuple[str, ...]] = {}

    def source(flow: Flow) -> Iterable[str]:
        node = drawing.nodes[flow.source]
        if node.kind == Kind.STEP:
            return (node.key,)
        if node.id in deciding:
            return (f"{node.key}:{flow.key or flow.id}",)
        return known[node.id]

    for node in in_order(drawing)[0]:
        found = {one for flow in drawing.incoming(node.id) for one in source(flow)}
        known[node.id] = tuple(sorted(found, key=lambda one: (place[one.partition(":")[0]], one)))

    steps = tuple(
        node.step.model_copy(update={"after": known.get(node.id, ())})
        for node in drawing.nodes.values()
        if node.step is not None
    )
    decisions = tuple(
        Decision(
            key=gateway.key,
            name=gateway.name or gateway.key,
            after=known.get(gateway.id, ()),
            branches=tuple(_branch(flow) for flow in drawing.outgoing(gateway.id)),
        )
        for gateway in drawing.decisions()
    )
    return Process(code=code, steps=steps, decisions=decisions)


def _branch(flow: Flow) -> Branch:
    return Branch(key=flow.key or flow.id, name=flow.name or flow.key or flow.id, when=flow.condition)


def _name_outcomes(drawing: Drawing, gateway: Node) -> None:
    for flow in drawing.outgoing(gateway.id):
        if flow.condition is None and flow.id != gateway.default and flow.name:
            flow.condition = Condition(fact=OUTCOME, value=flow.name)


class Unjoined(ValueError):
    """Sources of a step lead there neither together nor instead of each other."""


def drawn(process: Process) -> tuple[Drawing, list[Finding]]:
    """Return a drawing of a process, and what keeps it from being drawn (unknown or circular `after`, odd meetings)."""
    drawer = _Drawer(process)
    if not drawer.findings:
        drawer.draw()
    return drawer.drawing, drawer.findings


class _Drawer:
    def __init__(self, process: Process) -> None:
        self.process = process
        self.drawing = Drawing()
        self.findings: list[Finding] = []
        self.masks: dict[str, int] = {}
        """Source (`step` or `decision:branch`) → worlds in which it leads on."""
        self.ids: dict[str, str] = {}
        self.links: dict[str, list[str]] = {}
        """Source → nodes it leads to."""
        self.total = 1
        for decision in process.decisions:
            self.total *= max(1, len(decision.branches))
        if self.total > WORLDS_MAX:
            text = f"Its decisions have more than {WORLDS_MAX} combinations."
            self.findings.append(Finding("too_many_ways", text, "Quá nhiều tổ hợp rẽ nhánh.", kind="process"))
        self._check_names()

    def _check_names(self) -> None:
        keys = [one.key for one in (*self.process.steps, *self.process.decisions)]
        known = {step.key for step in self.process.steps} | {
            f"{decision.key}:{branch.key}" for decision in self.process.decisions for branch in decision.branches
        }
        for one in (*self.process.steps, *self.process.decisions):
            kind = "step" if one in self.process.steps else "decision"
            if keys.count(one.key) > 1:
                text = "Two steps or decisions have one key."
                self.findings.append(Finding("key_taken", text, "Trùng mã bước.", one.key, one.name, kind))
            if ":" in one.key:
                text = "A key has no colon."
                self.findings.append(Finding("key_invalid", text, "Mã không có dấu hai chấm.", one.key, one.name, kind))
            if strangers := sorted(set(one.after) - known):
                text = f"Comes after {', '.join(strangers)}, which is no step and no decision:branch here."
                self.findings.append(
                    Finding("after_unknown", text, "Bước trước không tồn tại.", one.key, one.name, kind)
                )
        for decision in self.process.decisions:
            if len(decision.branches) < 2:  # noqa: PLR2004 - a fork has two ways at least
                text = "A decision has two branches at least."
                self.findings.append(
                    Finding("one_branch", text, "Cần ít nhất hai nhánh.", decision.key, decision.name, "decision")
                )

    def draw(self) -> None:
        self._place()
        waiting = [*self.process.steps, *self.process.decisions]
        stride, strides = 1, dict[str, int]()
        for decision in self.process.decisions:
            strides[decision.key] = stride
            stride *= len(decision.branches)
        while waiting:
            ready = [one for one in waiting if all(source in self.masks for source in one.after)]
            if not ready:
                circle = ", ".join(one.key for one in waiting)
                text = f"These wait for each other: {circle}; a return is an action of officials."
                self.findings.append(
                    Finding("cycle", text, "Các bước chờ nhau thành vòng.", waiting[0].key, kind="step")
                )
                return
            for one in ready:
                self._join(one.key, one.after)
                if isinstance(one, Decision):
                    self._fork(one, strides[one.key])
                waiting.remove(one)
        self._end()
        self._connect()
        # In the order in which the process names them, so that it is the same process when it is read again.
        rank = {key: nth for nth, key in enumerate(one.key for one in (*self.process.steps, *self.process.decisions))}
        self.drawing.nodes = dict(sorted(self.drawing.nodes.items(), key=lambda item: rank.get(item[1].key, -1)))

    def _place(self) -> None:
        self.drawing.nodes[_START] = Node(_START, Kind.START, "Tiếp nhận")
        self.ids[""] = _START
        for step in self.process.steps:
            node_id = self.ids[step.key] = self._id(step.key, "Step")
            self.drawing.nodes[node_id] = Node(node_id, Kind.STEP, step.name, key=step.key, step=step)
        for decision in self.process.decisions:
            node_id = self.ids[decision.key] = self._id(decision.key, "Decision")
            self.drawing.nodes[node_id] = Node(node_id, Kind.EXCLUSIVE, decision.name, key=decision.key)

    def _id(self, key: str, prefix: str) -> str:
        taken = self.drawing.nodes.keys() | {_START, _END}
        if _ID.fullmatch(key) and key not in taken and not key.startswith(_OUR_IDS):
            return key
        return f"{prefix}_{len(taken)}"

    def _join(self, key: str, after: tuple[str, ...]) -> None:
        target = self.drawing.nodes[self.ids[key]]
        every = (1 << self.total) - 1
        if not after:
            self._leave("", target.id)
            self.masks[key] = every
            return
        groups = [(self.masks[source], [source]) for source in after]
        try:
            mask, exits = self._meet(groups)
        except Unjoined:
            text = f"{', '.join(after)} lead there neither always together nor always one instead of the other."
            self.findings.append(named(target, "meeting", text, "Các nhánh gộp không hợp lệ."))
            mask, exits = every, list(after)
        for source in exits:
            self._leave(source, target.id)
        self.masks[key] = mask

    def _meet(self, groups: list[tuple[int, list[str]]]) -> tuple[int, list[str]]:
        """Join sources by gateways until one is left; raises Unjoined."""
        while len(groups) > 1:
            joined = self._together(groups) or self._instead(groups)
            if joined is None:
                raise Unjoined
            groups = joined
        mask, (source, *others) = groups[0]
        return mask, [source, *others]

    def _together(self, groups: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]] | None:
        for mask, _ in groups:
            same = [group for group in groups if group[0] == mask]
            if len(same) > 1:
                return [*(group for group in groups if group[0] != mask), (mask, [self._gateway(Kind.PARALLEL, same)])]
        return None

    def _instead(self, groups: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]] | None:
        for nth, (mask, _) in enumerate(groups):
            apart, union = [groups[nth]], mask
            for other in groups[nth + 1 :]:
                if not other[0] & union:
                    apart.append(other)
                    union |= other[0]
            if len(apart) > 1:
                rest = [group for group in groups if group not in apart]
                return [*rest, (union, [self._gateway(Kind.EXCLUSIVE, apart)])]
        return None

    def _gateway(self, kind: Kind, groups: list[tuple[int, list[str]]]) -> str:
        node_id = f"Join_{len(self.drawing.nodes)}"
        self.drawing.nodes[node_id] = Node(node_id, kind, key=node_id)
        for _, sources in groups:
            for source in sources:
                self._leave(source, node_id)
        self.ids[node_id] = node_id
        return node_id

    def _leave(self, source: str, target: str) -> None:
        self.links.setdefault(source, []).append(target)

    def _connect(self) -> None:
        """Draw the flows: from each source to its node, by way of a parallel gateway when there are several."""
        branches = {
            f"{decision.key}:{branch.key}": (decision, branch)
            for decision in self.process.decisions
            for branch in decision.branches
        }
        order = {source: nth for nth, source in enumerate(branches)}
        for source in sorted(self.links, key=lambda one: order.get(one, -1)):
            targets = self.links[source]
            decision, branch = branches.get(source, (None, None))
            origin = self.ids[decision.key] if decision else self.ids[source]
            if len(targets) > 1:
                node_id = f"Fork_{len(self.drawing.nodes)}"
                self.drawing.nodes[node_id] = Node(node_id, Kind.PARALLEL, key=node_id)
                for target in targets:
                    self._flow(node_id, target)
                targets = [node_id]
            flow = self._flow(origin, targets[0])
            if branch is not None:
                flow.key, flow.name, flow.condition = branch.key, branch.name, branch.when
                if branch.when is None:
                    self.drawing.nodes[origin].default = flow.id

    def _flow(self, source: str, target: str) -> Flow:
        return self.drawing.connect(source, target, f"Flow_{len(self.drawing.flows) + 1}")

    def _fork(self, decision: Decision, stride: int) -> None:
        here, count = self.masks[decision.key], len(decision.branches)
        for nth, branch in enumerate(decision.branches):
            mask = 0
            for start in range(nth * stride, self.total, stride * count):
                mask |= ((1 << stride) - 1) << start
            self.masks[f"{decision.key}:{branch.key}"] = here & mask

    def _end(self) -> None:
        self.drawing.nodes[_END] = Node(_END, Kind.END, "Kết thúc")
        named_after = {source for one in (*self.process.steps, *self.process.decisions) for source in one.after}
        for step in self.process.steps:
            if step.key not in named_after:
                self._leave(step.key, _END)
        for decision in self.process.decisions:
            for branch in decision.branches:
                if f"{decision.key}:{branch.key}" not in named_after:
                    self._leave(f"{decision.key}:{branch.key}", _END)
