"""Checking that every case of a drawing comes to its end, each step at most once, in time.

Ways through a drawing are told apart by "worlds": one combination of branches for all its decisions. Each flow has a
bit per world in which it is walked. Then a parallel gateway must get all of its flows in the same worlds (or it waits
for ever), any other node each flow in worlds of its own (or it is done twice), and a node without worlds is never
reached. Exact for drawings without loops; a return to an earlier step is an action of officials, not a flow.
"""

from collections import Counter
from itertools import combinations, pairwise

from services.workflow.operations.bpmn.drawing import Drawing, Finding, Flow, Kind, Node, named, names
from services.workflow.operations.branching import CASE_FACTS, OUTCOME, same_kind
from shared.events.values import Comparison, Condition, Decision, Duration, DurationUnit, Process

NODES_MAX = 400
FLOWS_MAX = 1_000
WORLDS_MAX = 1 << 14
STEPS_MAX = 100
Masks = dict[int, int]
"""Position of a flow → bits of the worlds in which it is walked."""

_UNIT_MINUTES = {
    DurationUnit.HOUR: 60,
    DurationUnit.WORKING_HOUR: 60,
    DurationUnit.DAY: 480,
    DurationUnit.WORKING_DAY: 480,
    DurationUnit.MONTH: 23 * 480,
}
"""At most so many working minutes lie in a unit of a term."""
_COMPLEMENTS = {
    Comparison.EQUAL: Comparison.UNEQUAL,
    Comparison.LESS: Comparison.AT_LEAST,
    Comparison.GREATER: Comparison.AT_MOST,
}


def check(drawing: Drawing, process: Process, term: Duration | None) -> list[Finding]:
    """Return everything that keeps a drawing from running, and where its steps take longer than its term."""
    findings = _shape(drawing)
    order, cycle = in_order(drawing)
    if cycle:
        message = (
            f"These wait for each other in a circle: {names(cycle)}; a return is an action of officials, not a flow."
        )
        findings.append(
            named(cycle[0], "cycle", message, "Các bước tạo thành vòng lặp; trả lại là thao tác của cán bộ.")
        )
        return findings
    findings += _ways(drawing, order)
    findings += _decisions(drawing, process)
    return findings + _times(drawing, order, term)


def oversize(drawing: Drawing) -> list[Finding]:
    """Return whether a drawing has more steps, elements or flows than are looked at."""
    steps = sum(node.kind == Kind.STEP for node in drawing.nodes.values())
    if steps <= STEPS_MAX and len(drawing.nodes) <= NODES_MAX and len(drawing.flows) <= FLOWS_MAX:
        return []
    text = f"More than {STEPS_MAX} steps, {NODES_MAX} elements or {FLOWS_MAX} flows."
    return [Finding("too_big", text, "Quy trình quá lớn.", kind="process")]


def _shape(drawing: Drawing) -> list[Finding]:
    nodes = drawing.nodes.values()
    starts = [node for node in nodes if node.kind == Kind.START]
    findings = []
    if not starts:
        findings.append(Finding("no_start", "No start event.", "Thiếu điểm bắt đầu.", kind="process"))
    findings += [
        named(node, "second_start", "There is another start event; a case starts at one.", "Chỉ được một điểm bắt đầu.")
        for node in starts[1:]
    ]
    if not any(node.kind == Kind.END for node in nodes):
        findings.append(Finding("no_end", "No end event.", "Thiếu điểm kết thúc.", kind="process"))
    if not any(node.kind == Kind.STEP for node in nodes):
        findings.append(
            Finding("no_steps", "It has no steps: nobody has anything to do.", "Không có bước nào.", kind="process")
        )
    keys = Counter(node.key for node in nodes if node.kind in {Kind.STEP, Kind.EXCLUSIVE})
    for node in nodes:
        findings += _node_shape(drawing, node)
        if keys[node.key] > 1 and node.kind == Kind.STEP:
            text = f"Two elements have one key, {node.key!r}."
            findings.append(named(node, "key_taken", text, "Trùng mã bước."))
        if ":" in node.key:
            findings.append(named(node, "key_invalid", "A key has no colon.", "Mã không được có dấu hai chấm."))
    return findings


def _node_shape(drawing: Drawing, node: Node) -> list[Finding]:
    findings = []
    into, out = drawing.incoming(node.id), drawing.outgoing(node.id)
    if node.kind == Kind.START and into:
        findings.append(
            named(node, "start_entered", "A flow leads into the start.", "Không được nối vào điểm bắt đầu.")
        )
    if node.kind == Kind.END and out:
        findings.append(named(node, "end_left", "A flow leads out of the end.", "Không được nối ra từ điểm kết thúc."))
    if node.kind != Kind.START and not into:
        findings.append(named(node, "unreachable", "No flow leads to it.", "Không có đường tới phần tử này."))
    if node.kind != Kind.END and not out:
        text = "No flow leads on: connect it to what follows, or to an end event."
        findings.append(named(node, "no_way_on", text, "Không có đường đi tiếp, cần nối tới điểm kết thúc."))
    if node.default is not None and node.default not in {flow.id for flow in out}:
        text = f"Its default flow {node.default} does not leave it."
        findings.append(named(node, "default", text, "Luồng mặc định không đi ra từ cổng này."))
    return findings


def in_order(drawing: Drawing) -> tuple[list[Node], list[Node]]:
    """Return the nodes so that each follows those that lead to it, and those that lie on circles."""
    waiting = {node_id: len(drawing.incoming(node_id)) for node_id in drawing.nodes}
    ready = [node_id for node_id, count in waiting.items() if not count]
    targets: dict[str, list[str]] = {node_id: [] for node_id in drawing.nodes}
    for flow in drawing.flows:
        targets[flow.source].append(flow.target)
    done: list[str] = []
    while ready:
        node_id = ready.pop()
        done.append(node_id)
        for target in targets[node_id]:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    left = set(drawing.nodes) - set(done)
    # What only follows a circle is not on it.
    while ends := {one for one in left if not any(target in left for target in targets[one])}:
        left -= ends
    return [drawing.nodes[one] for one in done], [node for node in drawing.nodes.values() if node.id in left]


def worlds(drawing: Drawing) -> tuple[int, dict[str, int]]:
    """Return how many combinations of branches there are, and for each deciding flow the bits of its worlds."""
    total, bits = 1, dict[str, int]()
    for gateway in drawing.decisions():
        out = drawing.outgoing(gateway.id)
        total *= len(out)
        if total > WORLDS_MAX:
            return total, {}
    stride = 1
    for gateway in drawing.decisions():
        out = drawing.outgoing(gateway.id)
        block, period = (1 << stride) - 1, stride * len(out)
        for nth, flow in enumerate(out):
            mask = 0
            for start in range(nth * stride, total, period):
                mask |= block << start
            bits[flow.id] = mask
        stride = period
    return total, bits


def _ways(drawing: Drawing, order: list[Node]) -> list[Finding]:
    total, bits = worlds(drawing)
    if total > WORLDS_MAX:
        text = f"Its decisions have more than {WORLDS_MAX} combinations: draw parts of it as processes of their own."
        return [Finding("too_many_ways", text, "Quá nhiều tổ hợp rẽ nhánh.", kind="process")]
    every, walked, findings = (1 << total) - 1, dict[str, int](), list[Finding]()
    for node in order:
        into = drawing.incoming(node.id)
        here = every if node.kind == Kind.START else 0
        for flow in into:
            here |= walked[flow.id]
        findings += _meeting(drawing, node, into, walked)
        if not here and into:
            findings.append(named(node, "unreachable", "No way leads to it.", "Không có đường tới phần tử này."))
        for flow in drawing.outgoing(node.id):
            walked[flow.id] = here & bits.get(flow.id, every)
    return findings


def _meeting(drawing: Drawing, node: Node, into: list[Flow], walked: dict[str, int]) -> list[Finding]:
    if node.kind == Kind.PARALLEL:
        for one, other in pairwise(into):
            if walked[one.id] != walked[other.id]:
                where = names([drawing.nodes[one.source], drawing.nodes[other.source]])
                text = f"Can wait for ever: the flows from {where} are not always walked together."
                return [named(node, "waits_for_ever", text, "Cổng song song chờ nhánh có thể không xảy ra.")]
    elif node.kind != Kind.END:
        for one, other in combinations(into, 2):
            if walked[one.id] & walked[other.id]:
                where = names([drawing.nodes[one.source], drawing.nodes[other.source]])
                text = f"Is reached from {where} in one case: it would be done twice; join them by a parallel gateway."
                return [
                    named(node, "done_twice", text, "Có thể bị thực hiện hai lần; cần cổng song song để gộp nhánh.")
                ]
    return []


def _decisions(drawing: Drawing, process: Process) -> list[Finding]:
    findings = []
    by_key = {decision.key: decision for decision in process.decisions}
    for gateway in drawing.decisions():
        findings += _branches(drawing, gateway)
        decision = by_key.get(gateway.key)
        if decision is not None:
            findings += _asked(gateway, decision, process)
    return findings


def _branches(drawing: Drawing, gateway: Node) -> list[Finding]:
    findings = []
    for flow in drawing.outgoing(gateway.id):
        if flow.condition is None and flow.id != gateway.default:
            text = f"has neither a condition nor a name, and is not the default of {names([gateway])}"
            vi = "nhánh cần tên, điều kiện hoặc là nhánh mặc định"
            findings.append(Finding("no_condition", text, vi, flow.id, flow.name, "sequenceFlow", flow.line))
    return findings


def _asked(gateway: Node, decision: Decision, process: Process) -> list[Finding]:
    whens = [branch.when for branch in decision.branches]
    given = [when for when in whens if when is not None]
    findings = []
    if any(when.fact == OUTCOME for when in given):
        findings += _outcome(gateway, decision, given, process)
    if not _complete(whens) and not any(when.fact == OUTCOME for when in given):
        text = "For some value none of its conditions holds: give it a default flow."
        findings.append(named(gateway, "no_default", text, "Cần nhánh mặc định."))
    if whens.count(None) > 1:
        text = "Several of its flows have no condition."
        findings.append(named(gateway, "two_defaults", text, "Có nhiều nhánh không có điều kiện."))
    if len({(when.fact, when.op, when.value) for when in given}) < len(given):
        findings.append(named(gateway, "same_condition", "Two of its flows have one condition.", "Trùng điều kiện."))
    strangers = {when.fact for when in given} - CASE_FACTS - {OUTCOME}
    if strangers and not before(process, decision.after):
        text = f"Nobody can have told {', '.join(sorted(strangers))}: there is no step before it."
        findings.append(named(gateway, "fact_unknown", text, "Chưa có bước nào cung cấp thông tin để rẽ nhánh."))
    return findings


def _outcome(gateway: Node, decision: Decision, given: list[Condition], process: Process) -> list[Finding]:
    if any(when.fact == OUTCOME and (when.op != Comparison.EQUAL or not isinstance(when.value, str)) for when in given):
        text = "An outcome is a word: compare it by == with a text."
        return [named(gateway, "outcome", text, "Kết quả xử lý phải so sánh bằng với một chuỗi.")]
    if len(before(process, decision.after)) != 1:
        text = "The outcome is that of one step: put the gateway directly after it (or use facts)."
        return [named(gateway, "outcome", text, "Cổng rẽ nhánh theo kết quả phải đặt ngay sau một bước.")]
    return []


def before(process: Process, after: tuple[str, ...]) -> set[str]:
    """Return the keys of the steps that something comes after, seen through the decisions between."""
    inputs = {decision.key: decision.after for decision in process.decisions}
    found, ahead = set[str](), list(after)
    while ahead:
        key, _, branch = ahead.pop().partition(":")
        if branch:
            ahead += inputs.get(key, ())
        else:
            found.add(key)
    return found


def _complete(whens: list[Condition | None]) -> bool:
    """Tell whether one branch is taken whatever the facts are: a default, or two conditions that are opposites."""
    if None in whens:
        return True
    for one, other in combinations([when for when in whens if when is not None], 2):
        if one.fact != other.fact or not same_kind(one.value, other.value):
            continue
        if isinstance(one.value, bool) and one.op == other.op == Comparison.EQUAL and one.value != other.value:
            return True
        if one.value == other.value and (_COMPLEMENTS.get(one.op) == other.op or _COMPLEMENTS.get(other.op) == one.op):
            return True
    return False


def _times(drawing: Drawing, order: list[Node], term: Duration | None) -> list[Finding]:
    if term is None:
        return []
    allowed, ends = round(term.amount * _UNIT_MINUTES[term.unit]), dict[str, int]()
    for node in order:
        starts = [ends[flow.source] for flow in drawing.incoming(node.id)]
        ends[node.id] = max(starts, default=0) + (node.step.minutes if node.step else 0)
    longest = max(ends.values(), default=0)
    if longest <= allowed:
        return []
    last = max(order, key=lambda node: ends[node.id])
    text = f"Its longest way takes {longest} working minutes, the term leaves {allowed}."
    return [named(last, "too_slow", text, f"Tổng thời gian các bước ({longest} phút) vượt thời hạn ({allowed} phút).")]
