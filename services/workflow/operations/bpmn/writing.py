"""Writing a process as a BPMN 2.0 file with its diagram, which any modeller opens and `reading` reads again.

Lanes are units with roles within; the rest of a step stands in Camunda's properties and candidateGroups, which Camunda
Modeler shows and bpmn-js keeps. Columns follow the flow, rows the lanes.
"""

from lxml import etree

from services.workflow.operations.bpmn import conditions
from services.workflow.operations.bpmn.checking import in_order
from services.workflow.operations.bpmn.compiling import drawn
from services.workflow.operations.bpmn.drawing import Definition, Drawing, Flow, Kind, Node

MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DIAGRAM = "http://www.omg.org/spec/BPMN/20100524/DI"
SHAPES = "http://www.omg.org/spec/DD/20100524/DC"
EDGES = "http://www.omg.org/spec/DD/20100524/DI"
CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SPACES = {"bpmn": MODEL, "bpmndi": DIAGRAM, "dc": SHAPES, "di": EDGES, "camunda": CAMUNDA, "xsi": XSI}

COLUMN, ROW, HEAD, MARGIN = 170, 120, 30, 60
_SIZES = {
    Kind.START: (36, 36),
    Kind.END: (36, 36),
    Kind.STEP: (120, 80),
    Kind.EXCLUSIVE: (50, 50),
    Kind.PARALLEL: (50, 50),
}
Lane = tuple[str, str]
"""Unit and role."""
Box = tuple[int, int, int, int]
"""x, y, width, height in the diagram's points."""


def write(definition: Definition) -> bytes:
    """Return a definition as a BPMN file; raises ValueError for a process that cannot be drawn."""
    drawing, findings = drawn(definition.process)
    if findings:
        raise ValueError(str(findings[0]))
    lanes = _lanes(drawing)
    root = etree.Element(f"{{{MODEL}}}definitions", nsmap=_SPACES)
    root.set("id", "Definitions_1")
    root.set("targetNamespace", "urn:motcua:process")
    root.set("exporter", "Một Cửa")
    around = _add(root, MODEL, "collaboration", id="Collaboration_1")
    _add(around, MODEL, "participant", id="Participant_1", name=definition.name, processRef="Process_1")
    process = _add(root, MODEL, "process", id="Process_1", name=definition.name, isExecutable="true")
    _write_properties(process, _about(definition))
    _write_lanes(process, lanes)
    for node in drawing.nodes.values():
        _write_node(process, drawing, node)
    for flow in drawing.flows:
        _write_flow(process, flow)
    _write_diagram(root, drawing, lanes)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _about(definition: Definition) -> dict[str, str]:
    term = definition.term
    told = {
        "code": definition.code,
        "procedure_code": definition.procedure_code,
        "agency_code": definition.agency_code,
        "valid_from": definition.valid_from.isoformat() if definition.valid_from else None,
        "valid_to": definition.valid_to.isoformat() if definition.valid_to else None,
        "term": f"{term.amount:g} {term.unit}" if term else None,
    }
    return {key: value for key, value in told.items() if value}


def _lanes(drawing: Drawing) -> dict[Lane, list[Node]]:
    """Return the nodes of each lane: steps in their own, the others with the step before them."""
    order, _ = in_order(drawing)
    found: dict[Lane, list[Node]] = {}
    whose: dict[str, Lane] = {}
    for node in drawing.nodes.values():
        if node.step is not None:
            whose[node.id] = (node.step.unit, node.step.role)
            found.setdefault(whose[node.id], [])
    first = next(iter(found))
    for node in order:
        before = [whose[flow.source] for flow in drawing.incoming(node.id) if flow.source in whose]
        lane = whose.setdefault(node.id, before[0] if before else first)
        found[lane].append(node)
    units = list(dict.fromkeys(unit for unit, _ in found))
    return dict(sorted(found.items(), key=lambda item: units.index(item[0][0])))


def _write_lanes(process: etree._Element, lanes: dict[Lane, list[Node]]) -> None:
    top = _add(process, MODEL, "laneSet", id="LaneSet_1")
    units: dict[str, etree._Element] = {}
    for nth, ((unit, role), nodes) in enumerate(lanes.items(), start=1):
        if unit not in units:
            outer = _add(top, MODEL, "lane", id=f"Unit_{len(units) + 1}", name=unit)
            units[unit] = _add(outer, MODEL, "childLaneSet", id=f"Roles_{len(units) + 1}")
        inner = _add(units[unit], MODEL, "lane", id=f"Lane_{nth}", name=role)
        for node in nodes:
            _add(inner, MODEL, "flowNodeRef").text = node.id


def _write_node(process: etree._Element, drawing: Drawing, node: Node) -> None:
    element = _add(process, MODEL, node.kind, id=node.id)
    if node.name:
        element.set("name", node.name)
    if node.default:
        element.set("default", node.default)
    properties = {"key": node.key} if node.key != node.id else {}
    if node.step is not None:
        element.set(f"{{{CAMUNDA}}}candidateGroups", node.step.role)
        properties |= {"unit": node.step.unit, "role": node.step.role, "minutes": str(node.step.minutes)}
        properties |= {"awaits_payment": "true"} if node.step.awaits_payment else {}
        properties |= {"output": node.step.output} if node.step.output else {}
    _write_properties(element, properties)
    for flow in drawing.incoming(node.id):
        _add(element, MODEL, "incoming").text = flow.id
    for flow in drawing.outgoing(node.id):
        _add(element, MODEL, "outgoing").text = flow.id


def _write_flow(process: etree._Element, flow: Flow) -> None:
    element = _add(process, MODEL, "sequenceFlow", id=flow.id, sourceRef=flow.source, targetRef=flow.target)
    if flow.name:
        element.set("name", flow.name)
    if flow.key and flow.key != flow.id:
        _write_properties(element, {"key": flow.key})
    if flow.condition is not None:
        condition = _add(element, MODEL, "conditionExpression")
        condition.set(f"{{{XSI}}}type", "bpmn:tFormalExpression")
        condition.text = conditions.written(flow.condition)


def _write_properties(element: etree._Element, properties: dict[str, str]) -> None:
    if properties:
        around = _add(_add(element, MODEL, "extensionElements"), CAMUNDA, "properties")
        for name, value in properties.items():
            _add(around, CAMUNDA, "property", name=name, value=value)


def _write_diagram(root: etree._Element, drawing: Drawing, lanes: dict[Lane, list[Node]]) -> None:
    diagram = _add(root, DIAGRAM, "BPMNDiagram", id="BPMNDiagram_1")
    plane = _add(diagram, DIAGRAM, "BPMNPlane", id="BPMNPlane_1", bpmnElement="Collaboration_1")
    boxes, lane_boxes, pool = _layout(drawing, lanes)
    _shape(plane, "Participant_1", pool, isHorizontal="true")
    units: dict[str, Box] = {}
    for nth, (lane, box) in enumerate(lane_boxes.items(), start=1):
        x, y, width, _ = units.get(lane[0], box)
        units[lane[0]] = (x, y, width, box[1] + box[3] - y)
        _shape(plane, f"Lane_{nth}", (box[0] + HEAD, box[1], box[2] - HEAD, box[3]), isHorizontal="true")
    for nth, box in enumerate(units.values(), start=1):
        _shape(plane, f"Unit_{nth}", box, isHorizontal="true")
    for node_id, box in boxes.items():
        marked = {"isMarkerVisible": "true"} if drawing.nodes[node_id].kind == Kind.EXCLUSIVE else {}
        _shape(plane, node_id, box, **marked)
    for flow in drawing.flows:
        edge = _add(plane, DIAGRAM, "BPMNEdge", id=f"{flow.id}_di", bpmnElement=flow.id)
        for x, y in _waypoints(boxes[flow.source], boxes[flow.target]):
            _add(edge, EDGES, "waypoint", x=str(x), y=str(y))


def _layout(drawing: Drawing, lanes: dict[Lane, list[Node]]) -> tuple[dict[str, Box], dict[Lane, Box], Box]:
    columns = _columns(drawing)
    width = (max(columns.values()) + 1) * COLUMN + 2 * HEAD + MARGIN
    boxes: dict[str, Box] = {}
    lane_boxes: dict[Lane, Box] = {}
    top = MARGIN
    for lane, nodes in lanes.items():
        depth: dict[int, int] = {}
        for node in nodes:
            column = columns[node.id]
            row = depth[column] = depth.get(column, -1) + 1
            w, h = _SIZES[node.kind]
            x = MARGIN + 3 * HEAD + column * COLUMN + (COLUMN - w) // 2
            boxes[node.id] = (x, top + row * ROW + (ROW - h) // 2, w, h)
        height = ROW * (max(depth.values(), default=0) + 1)
        lane_boxes[lane] = (MARGIN + HEAD, top, width - HEAD, height)
        top += height
    return boxes, lane_boxes, (MARGIN, MARGIN, width, top - MARGIN)


def _columns(drawing: Drawing) -> dict[str, int]:
    columns: dict[str, int] = {}
    for node in in_order(drawing)[0]:
        columns[node.id] = max((columns[flow.source] + 1 for flow in drawing.incoming(node.id)), default=0)
    return columns


def _waypoints(source: Box, target: Box) -> list[tuple[int, int]]:
    start = (source[0] + source[2], source[1] + source[3] // 2)
    end = (target[0], target[1] + target[3] // 2)
    if start[1] == end[1]:
        return [start, end]
    middle = end[0] - (COLUMN - target[2]) // 4
    return [start, (middle, start[1]), (middle, end[1]), end]


def _shape(plane: etree._Element, element_id: str, box: Box, **more: str) -> None:
    shape = _add(plane, DIAGRAM, "BPMNShape", id=f"{element_id}_di", bpmnElement=element_id, **more)
    x, y, width, height = map(str, box)
    _add(shape, SHAPES, "Bounds", x=x, y=y, width=width, height=height)


def _add(parent: etree._Element, space: str, local: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{space}}}{local}", attributes)
