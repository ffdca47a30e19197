"""Reading a BPMN 2.0 file: the subset that officials' work needs, everything else refused by name and line.

Taken: one process with a start and end events without triggers, tasks (task, userTask, manualTask), exclusive and
parallel gateways, sequence flows with conditions, lanes. Kept apart as documentation: annotations, associations,
groups, data objects and stores, black-box pools and messages between pools. Refused: what would run a machine or wait
for something else than an official (service and script tasks, sub-processes, timers, messages, boundary events, other
gateways, loops, listeners).

A step's unit and role: properties `unit` and `role`, else the lane (the outer one is the unit, the inner one the role,
or one lane named "unit / role"), the role also from candidateGroups or a potentialOwner. Its time in working minutes:
property `minutes`, or a duration (`PT4H`, `P2D` of 8 hours) there, in `duration` or in dueDate. Properties are
extension elements with name and value (camunda:, zeebe:, flowable:, bizagi:) or metaKey and metaValue (signavio:), or
lines `key: value` of the documentation.

XML is read without DTD, entities and network; files above FILE_MAX bytes are refused.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from lxml import etree

from services.workflow.operations.bpmn import conditions, words
from services.workflow.operations.bpmn.drawing import Drawing, Finding, Flow, Kind, Node
from shared.events.values import Duration, DurationUnit, ProcessStep

FILE_MAX = 1_000_000
FINDINGS_MAX = 100
"""More are not told at once."""
FIGURES_MAX = 6
TERM_MAX = 10_000
DAY_MINUTES = 480
MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"

_FIGURE = re.compile(r"[0-9]{1,6}")
_DURATION = re.compile(r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?)?")


@dataclass(slots=True)
class File:
    """What a file says, as far as it could be read."""

    code: str = ""
    name: str = ""
    drawing: Drawing = field(default_factory=Drawing)
    properties: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def refuse(self, element: Any, code: str, message: str, message_vi: str) -> None:  # noqa: ANN401 - lxml is untyped
        """Note what is wrong at an element."""
        if len(self.findings) >= FINDINGS_MAX:
            return
        found = Finding(
            code,
            message,
            message_vi,
            element.get("id") or "",
            " ".join((element.get("name") or "").split()),
            _local(element),
            element.sourceline or 0,
        )
        self.findings.append(found)


def read(content: bytes) -> File:
    """Return the process of a BPMN file with everything about it that cannot be taken."""
    file = File()
    root = _parsed(content, file)
    if root is None:
        return file
    for element in _elements(root):
        if _local(element) not in words.BESIDE:
            file.refuse(element, "not_supported", "is outside the subset", "nằm ngoài phạm vi hỗ trợ")
    processes = [one for one in root.iterchildren(f"{{{MODEL}}}process") if _holds_flow(one)]
    if not processes:
        file.findings.append(Finding("no_process", "The file holds no process.", "Tệp không có quy trình nào."))
        return file
    for other in processes[1:]:
        file.refuse(other, "second_process", "one file holds one process", "mỗi tệp chỉ một quy trình")
    _read_process(processes[0], file)
    return file


def _parsed(content: bytes, file: File) -> Any:  # noqa: ANN401 - lxml is untyped
    if len(content) > FILE_MAX:
        too_big = f"The file has {len(content)} bytes; at most {FILE_MAX} are read."
        file.findings.append(Finding("too_big", too_big, f"Tệp vượt quá {FILE_MAX} byte."))
        return None
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        unsafe = "A document type or entities are not taken: they can reach files and networks."
        file.findings.append(Finding("unsafe_xml", unsafe, "Không nhận DOCTYPE hoặc thực thể XML."))
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        line = getattr(problem, "lineno", None) or 0
        file.findings.append(Finding("not_xml", f"No XML: {problem}.", "Tệp không phải XML hợp lệ.", line=line))
        return None
    if root.getroottree().docinfo.doctype:
        file.findings.append(Finding("unsafe_xml", "A document type is not taken.", "Không nhận DOCTYPE."))
        return None
    if root.tag != f"{{{MODEL}}}definitions":
        wrong = f"The root is {root.tag}, not BPMN 2.0's definitions ({MODEL})."
        file.findings.append(Finding("not_bpmn", wrong, "Tệp không phải BPMN 2.0.", line=root.sourceline or 0))
        return None
    return root


def _read_process(process: Any, file: File) -> None:  # noqa: ANN401
    file.properties = _properties(process)
    file.code = file.properties.get("code") or process.get("id") or ""
    file.name = _text(process.get("name")) or file.code
    lanes = _lanes(process)
    for element in _elements(process):
        local = _local(element)
        if local in words.KINDS:
            _read_node(element, lanes, file)
        elif local not in words.SILENT:
            _refuse_kind(element, file)
    for element in process.iterchildren(f"{{{MODEL}}}sequenceFlow"):
        _read_flow(element, file)


def _refuse_kind(element: Any, file: File) -> None:  # noqa: ANN401
    reason = words.REASONS.get(_local(element), "see the subset in the documentation")
    file.refuse(element, "not_supported", f"is outside the subset: {reason}", "nằm ngoài phạm vi hỗ trợ")


def _read_node(element: Any, lanes: dict[str, list[str]], file: File) -> None:  # noqa: ANN401
    node_id = element.get("id") or ""
    if not node_id or node_id in file.drawing.nodes:
        file.refuse(element, "id_missing", "needs an id of its own", "thiếu mã hoặc trùng mã phần tử")
        return
    for child in _elements(element):
        local = _local(child)
        if local.endswith("EventDefinition") or local == "eventDefinitionRef":
            what = local.removesuffix("EventDefinition")
            file.refuse(
                element, "not_supported", f"must not have a trigger ({what})", "sự kiện không được có kích hoạt"
            )
        elif local not in words.WITHIN:
            file.refuse(
                element, "not_supported", f"{local}: {words.REASONS.get(local, 'outside the subset')}", "không hỗ trợ"
            )
    for inner in _extensions(element):
        if _local(inner) in words.CODE:
            file.refuse(
                element, "code", f"{_local(inner)}: no code is run from a process", "không chạy mã trong quy trình"
            )
    if element.get("isForCompensation") == "true":
        file.refuse(element, "not_supported", "compensation is outside the subset", "không hỗ trợ bù trừ")
    properties, kind = _properties(element), words.KINDS[_local(element)]
    node = Node(node_id, kind, _text(element.get("name")), element.sourceline or 0, properties.get("key") or node_id)
    node.default = element.get("default")
    if kind == Kind.STEP:
        node.step = _step(element, node, properties, lanes.get(node_id, []), file)
    file.drawing.nodes[node_id] = node


def _step(  # noqa: ANN401, RUF100 - lxml is untyped
    element: Any,  # noqa: ANN401
    node: Node,
    properties: dict[str, str],
    lanes: list[str],
    file: File,
) -> ProcessStep:
    unit, role = _whose(element, properties, lanes)
    if not unit:
        file.refuse(element, "no_unit", "has no unit: put it in a lane or give it a property unit", "chưa có đơn vị")
    if not role:
        file.refuse(element, "no_role", "has no role: inner lane, property role or candidateGroups", "chưa có vai trò")
    given = properties.get("minutes") or properties.get("duration") or _attribute(element, "dueDate") or ""
    minutes = _minutes(given)
    if minutes is None:
        what = (
            f"its time {given!r} is no number of minutes and no duration" if given else "has no time: property minutes"
        )
        file.refuse(element, "no_time", what, "chưa có thời gian xử lý (số phút)")
    return ProcessStep(
        key=node.key,
        name=node.name or node.key,
        unit=unit,
        role=role,
        minutes=minutes or 0,
        awaits_payment=properties.get("awaits_payment", "").lower() in {"true", "1", "yes", "có"},
        output=properties.get("output") or None,
    )


def _whose(element: Any, properties: dict[str, str], lanes: list[str]) -> tuple[str, str]:  # noqa: ANN401
    unit, role = (lanes[0], lanes[-1]) if len(lanes) > 1 else (lanes[0] if lanes else "", "")
    if len(lanes) == 1 and " / " in unit:
        unit, _, role = unit.partition(" / ")
    groups = _attribute(element, "candidateGroups") or _owner(element)
    return properties.get("unit", unit).strip(), properties.get("role", groups or role).strip()


def _owner(element: Any) -> str:  # noqa: ANN401
    """Return the potentialOwner, BPMN's own way to say whose a task is."""
    for owner in element.iter(f"{{{MODEL}}}potentialOwner", f"{{{MODEL}}}humanPerformer"):
        for expression in owner.iter(f"{{{MODEL}}}formalExpression", f"{{{MODEL}}}expression"):
            return _text(expression.text)
    return ""


def _minutes(text: str) -> int | None:
    if _FIGURE.fullmatch(text.strip()):
        return int(text)
    found = _DURATION.fullmatch(text.strip())
    if not found or not any(found.groups()) or max(len(part or "") for part in found.groups()) > FIGURES_MAX:
        return None
    days, hours, minutes = (int(found[part] or 0) for part in ("days", "hours", "minutes"))
    return days * DAY_MINUTES + hours * 60 + minutes


def _read_flow(element: Any, file: File) -> None:  # noqa: ANN401
    source, target = element.get("sourceRef"), element.get("targetRef")
    nodes = file.drawing.nodes
    if source not in nodes or target not in nodes:
        loose = source if source not in nodes else target
        if not any(one.element_id == loose for one in file.findings):
            file.refuse(
                element, "loose_flow", f"is tied to {loose!r}, which is not there", "luồng nối tới phần tử không có"
            )
        return
    properties = _properties(element)
    flow_id = element.get("id") or f"Flow_{len(file.drawing.flows) + 1}"
    flow = Flow(flow_id, source, target, _text(element.get("name")), None, element.sourceline or 0)
    flow.key = properties.get("key") or flow_id
    expression = element.find(f"{{{MODEL}}}conditionExpression")
    if expression is not None and _text(expression.text):
        flow.condition = conditions.parse(expression.text)
        if flow.condition is None:
            message = f"its condition {_text(expression.text)!r} is more than one comparison of a fact with a value"
            file.refuse(element, "condition", message, "điều kiện quá phức tạp")
        if nodes[source].kind != Kind.EXCLUSIVE:
            message = "has a condition but does not leave an exclusive gateway"
            file.refuse(element, "condition", message, "điều kiện chỉ đặt sau cổng loại trừ")
    file.drawing.flows.append(flow)


def _lanes(process: Any) -> dict[str, list[str]]:  # noqa: ANN401
    """Return the names of the lanes around each node, the outermost first."""
    found: dict[str, list[str]] = {}
    for lane in process.iter(f"{{{MODEL}}}lane"):
        around = [lane, *lane.iterancestors(f"{{{MODEL}}}lane")]
        path = [name for one in reversed(around) if (name := _text(one.get("name")))]
        for reference in lane.iterchildren(f"{{{MODEL}}}flowNodeRef"):
            known = found.get(_text(reference.text), [])
            found[_text(reference.text)] = max(known, path, key=len)
    return found


def _properties(element: Any) -> dict[str, str]:  # noqa: ANN401
    found: dict[str, str] = {}
    for documentation in element.iterchildren(f"{{{MODEL}}}documentation"):
        for line in (documentation.text or "").splitlines():
            key, colon, value = line.partition(":")
            if colon:
                found[_key(key)] = value.strip()
    for inner in _extensions(element):
        key = inner.get("name") or inner.get("metaKey")
        value = inner.get("value") or inner.get("metaValue")
        if key and value:
            found[_key(key)] = value.strip()
    return found


def _key(text: str) -> str:
    bare = text.strip().lower()
    return words.ALIASES.get(bare, bare)


def _extensions(element: Any) -> list[Any]:  # noqa: ANN401
    around = element.find(f"{{{MODEL}}}extensionElements")
    return [] if around is None else [one for one in around.iterdescendants() if isinstance(one.tag, str)]


def _attribute(element: Any, local: str) -> str:  # noqa: ANN401
    """Return an attribute of a modeller's own namespace, on the element or on one of its extensions."""
    for one in (element, *_extensions(element)):
        for name, value in one.attrib.items():
            if name == local or name.endswith(f"}}{local}"):
                return _text(value)
    return ""


def _elements(parent: Any) -> list[Any]:  # noqa: ANN401
    return [one for one in parent if isinstance(one.tag, str)]


def _holds_flow(process: Any) -> bool:  # noqa: ANN401
    return any(_local(one) not in words.SILENT for one in _elements(process))


def _local(element: Any) -> str:  # noqa: ANN401
    return etree.QName(element).localname


def _text(text: str | None) -> str:
    return " ".join((text or "").split())


def term_of(properties: dict[str, str]) -> Duration | None:
    """Return the procedure's term from a property such as `5 working_day`; raises ValueError for another form."""
    if not (text := properties.get("term", "")):
        return None
    amount, _, unit = text.partition(" ")
    if not 0 < float(amount) <= TERM_MAX:
        raise ValueError(f"a term lies between 0 and {TERM_MAX}")
    return Duration(amount=float(amount), unit=DurationUnit(unit.strip().rstrip("s")))


def day_of(properties: dict[str, str], key: str) -> date | None:
    """Return a date from a property; raises ValueError for what is no date."""
    text = properties.get(key)
    return date.fromisoformat(text) if text else None
