"""From a file or a written process to a definition that can run, with everything that is wrong about it."""

from services.workflow.operations.bpmn import reading
from services.workflow.operations.bpmn.checking import STEPS_MAX, check, in_order, oversize
from services.workflow.operations.bpmn.compiling import compiled, drawn
from services.workflow.operations.bpmn.drawing import Definition, Finding
from shared.events.values import Duration, Process


def from_bpmn(content: bytes) -> tuple[Definition | None, list[Finding]]:
    """Return the definition in a BPMN file, None when nothing of it can be taken, and all that is wrong with it."""
    file = reading.read(content)
    if not file.drawing.nodes:
        return None, file.findings
    if too_big := oversize(file.drawing):
        return None, [*file.findings, *too_big]
    findings = list(file.findings)
    term, valid_from, valid_to = None, None, None
    try:
        term = reading.term_of(file.properties)
        valid_from = reading.day_of(file.properties, "valid_from")
        valid_to = reading.day_of(file.properties, "valid_to")
    except ValueError as problem:
        message = f"A property of the process cannot be read: {problem} (term as `5 working_day`, dates as 2026-01-31)."
        findings.append(Finding("property", message, "Thuộc tính quy trình không hợp lệ.", file.code, kind="process"))
    circle = in_order(file.drawing)[1]
    process = compiled(file.code, file.drawing)
    # Where elements were left out, the rest does not hang together: what follows from that is no news.
    if circle or not any(one.code in {"not_supported", "loose_flow", "id_missing"} for one in findings):
        findings += check(file.drawing, process, term)
    definition = Definition(
        code=file.code,
        name=file.name,
        process=process,
        procedure_code=file.properties.get("procedure_code"),
        agency_code=file.properties.get("agency_code"),
        valid_from=valid_from,
        valid_to=valid_to,
        term=term,
        drawing=_as_text(content),
    )
    return definition, findings


def _as_text(content: bytes) -> str | None:
    """Return a file as it can be kept and given back; None for other encodings than UTF-8: it is drawn anew."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def from_process(process: Process, term: Duration | None) -> tuple[Process, list[Finding]]:
    """Return a written process in the order in which drawings give it, and all that is wrong with it."""
    if len(process.steps) > STEPS_MAX:
        text = f"More than {STEPS_MAX} steps."
        return process, [Finding("too_big", text, "Quy trình quá lớn.", kind="process")]
    drawing, findings = drawn(process)
    for step in process.steps:
        lacks = [("no_unit", "unit", "đơn vị", step.unit), ("no_role", "role", "vai trò", step.role)]
        findings += [
            Finding(code, f"Has no {what}.", f"Chưa có {what_vi}.", step.key, step.name, "step")
            for code, what, what_vi, value in lacks
            if not value.strip()
        ]
    if any(one.code in {"after_unknown", "cycle", "key_taken", "key_invalid", "too_many_ways"} for one in findings):
        return process, findings
    findings += check(drawing, process, term)
    return (process if findings else compiled(process.code, drawing)), findings
