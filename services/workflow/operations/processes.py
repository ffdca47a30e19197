"""Processes: those that intake publishes with its catalogue, and those that officials draw."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.workflow import queries
from services.workflow.errors import ProcessInvalid, ProcessVersionTaken
from services.workflow.models import DrawnProcess, ProcessVersion
from services.workflow.operations.bpmn.drawing import Definition, Finding
from services.workflow.operations.bpmn.importing import from_bpmn, from_process
from services.workflow.operations.bpmn.writing import write
from shared.caller import Caller
from shared.clock import VN
from shared.events.values import Duration, DurationUnit, Process
from shared.work import Work

_CODE = re.compile(r"[\w.-]{1,100}")


async def keep_process(
    work: Work, *, procedure_code: str, version: int, process: Process, procedure_name: str | None = None
) -> None:
    """Keep a version of a procedure's process; the same one again changes nothing.

    Raises ProcessInvalid when its steps cannot be run, ProcessVersionTaken when the version has other steps already.
    """
    known = await queries.find_process(work.session, procedure_code, version)
    if known == process:
        return
    if known is not None:
        raise ProcessVersionTaken(f"{procedure_code} has a version {version} with other steps: publish a new version.")
    check(process)
    queries.desk(work.session).processes[procedure_code, version] = process
    definition = process.model_dump(mode="json")
    work.session.add(
        ProcessVersion(
            procedure_code=procedure_code, version=version, definition=definition, procedure_name=procedure_name
        )
    )


def check(process: Process) -> None:
    """Check that every case of a process comes to its end; raises ProcessInvalid naming the step that is wrong."""
    _, findings = from_process(process, None)
    findings += [
        Finding("minutes", "Takes less than no time.", "Thời gian âm.", step.key, step.name, "step")
        for step in process.steps
        if step.minutes < 0
    ]
    if findings:
        raise ProcessInvalid(f"Process {process.code}: " + " ".join(map(str, findings)))


@dataclass(frozen=True, slots=True)
class Item:
    """A process as it was sent, read and checked."""

    name: str
    definition: Definition | None
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a process that was sent."""

    name: str
    kind: Literal["created", "unchanged", "refused"]
    code: str | None
    version: int | None
    findings: list[Finding]


def read_file(name: str, content: bytes) -> Item:
    """Read a BPMN file; pure computing, a millisecond or two."""
    definition, findings = from_bpmn(content)
    return Item(name, definition, findings)


def read_written(name: str, definition: Definition) -> Item:
    """Read a process given as JSON."""
    process, findings = from_process(definition.process, definition.term)
    same = {
        "code": definition.code,
        "name": definition.name,
        "procedure_code": definition.procedure_code,
        "agency_code": definition.agency_code,
    }
    more = {"valid_from": definition.valid_from, "valid_to": definition.valid_to, "term": definition.term}
    return Item(name, Definition(process=process, **same, **more), findings)  # type: ignore[arg-type]


async def import_processes(
    work: Work, items: Sequence[Item], *, imported_by: str, dry_run: bool = False, everywhere: bool = False
) -> list[Outcome]:
    """Keep each process as a new version of its code; what is the same already stays, what cannot run is refused.

    A dry run only says what would happen. `everywhere`: also for agencies that are not the caller's (an operator at the
    database). Running cases stay on the versions they started with.
    """
    definitions = [item.definition for item in items if item.definition]
    newest = await queries.list_newest_versions(work.session, [one.code for one in definitions])
    procedures = sorted({one.procedure_code for one in definitions if one.procedure_code})
    rivals: list[Claim] = [_claim_of_row(row) for row in await queries.list_rivals(work.session, procedures)]
    sent = Counter(one.code for one in definitions)
    today, outcomes = work.now.astimezone(VN).date(), list[Outcome]()
    for item in items:
        definition, findings = item.definition, list(item.findings)
        if definition is None:
            outcomes.append(Outcome(item.name, "refused", None, None, findings))
            continue
        known = newest.get(definition.code)
        claim = _claim(definition, known, today)
        findings += _refusals(definition, claim, rivals, twice=sent[definition.code] > 1)
        findings += [] if everywhere else _strangers(work.caller, definition)
        if findings:
            outcomes.append(Outcome(item.name, "refused", definition.code or None, None, findings))
            continue
        rivals.append(claim)
        if known is not None and _is_same(known, definition):
            outcomes.append(Outcome(item.name, "unchanged", definition.code, known.version, []))
            continue
        row = _row(work, definition, claim, imported_by, version=known.version + 1 if known else 1)
        if not dry_run:
            work.session.add(row)
        outcomes.append(Outcome(item.name, "created", row.code, row.version, []))
    return outcomes


@dataclass(frozen=True, slots=True)
class Claim:
    """For what and when a process is used."""

    code: str
    procedure_code: str | None
    agency_code: str | None
    valid_from: date
    valid_to: date | None

    def meets(self, other: "Claim") -> bool:
        """Tell whether a case could start with either of two processes, and nothing says with which."""
        if self.code == other.code or self.procedure_code is None:
            return False
        if (self.procedure_code, self.agency_code) != (other.procedure_code, other.agency_code):
            return False
        return self.valid_from <= (other.valid_to or date.max) and other.valid_from <= (self.valid_to or date.max)


def _claim(definition: Definition, known: DrawnProcess | None, today: date) -> Claim:
    valid_from = definition.valid_from
    if valid_from is None:
        valid_from = known.valid_from if known is not None and _is_same(known, definition) else today
    return Claim(definition.code, definition.procedure_code, definition.agency_code, valid_from, definition.valid_to)


def _claim_of_row(row: DrawnProcess) -> Claim:
    return Claim(row.code, row.procedure_code, row.agency_code, row.valid_from, row.valid_to)


def _refusals(definition: Definition, claim: Claim, rivals: Sequence[Claim], *, twice: bool) -> list[Finding]:
    findings = []
    if not _CODE.fullmatch(definition.code):
        text = "Its code is not 1 to 100 letters, digits, points, dashes."
        findings.append(_of_process(definition, "code_invalid", text, "Mã quy trình không hợp lệ."))
    if twice:
        text = "Is sent twice in one import: another file has this code, too."
        findings.append(_of_process(definition, "sent_twice", text, "Trùng mã quy trình trong lần nhập."))
    if claim.valid_to is not None and claim.valid_to < claim.valid_from:
        text = f"Ends on {claim.valid_to} before it begins on {claim.valid_from}."
        findings.append(_of_process(definition, "validity", text, "Ngày hết hiệu lực trước ngày có hiệu lực."))
    for rival in rivals:
        if claim.meets(rival):
            text = f"Process {rival.code} is for procedure {rival.procedure_code} and this agency at that time, too."
            findings.append(_of_process(definition, "rival", text, f"Thủ tục đã có quy trình {rival.code}."))
    return findings


def _strangers(caller: Caller, definition: Definition) -> list[Finding]:
    provincial = caller.agency is not None and "." not in caller.agency
    if caller.may_see(definition.agency_code) if definition.agency_code else provincial:
        return []
    text = "Is for an agency that is not yours (without agency_code: for all, which is the province's to say)."
    return [_of_process(definition, "not_yours", text, "Quy trình không thuộc cơ quan của bạn.")]


def _of_process(definition: Definition, code: str, message: str, message_vi: str) -> Finding:
    return Finding(code, message, message_vi, definition.code, definition.name, "process")


def _is_same(known: DrawnProcess, definition: Definition) -> bool:
    term = definition.term
    return (
        known.definition == definition.process.model_dump(mode="json")
        and known.name == definition.name
        and (known.procedure_code, known.agency_code) == (definition.procedure_code, definition.agency_code)
        and definition.valid_from in {None, known.valid_from}
        and definition.valid_to == known.valid_to
        and (known.term_amount, known.term_unit) == ((term.amount, term.unit) if term else (None, None))
    )


def _row(work: Work, definition: Definition, claim: Claim, imported_by: str, *, version: int) -> DrawnProcess:
    return DrawnProcess(
        code=definition.code,
        version=version,
        name=definition.name,
        procedure_code=definition.procedure_code,
        agency_code=definition.agency_code,
        valid_from=claim.valid_from,
        valid_to=claim.valid_to,
        term_amount=definition.term.amount if definition.term else None,
        term_unit=definition.term.unit if definition.term else None,
        definition=definition.process.model_dump(mode="json"),
        drawing=definition.drawing,
        imported_by=imported_by,
        imported_at=work.now,
    )


def export(row: DrawnProcess, *, redraw: bool) -> bytes:
    """Return a version as a BPMN file: the one it was imported from, or drawn anew."""
    if row.drawing is not None and not redraw:
        return row.drawing.encode()
    definition = Definition(
        code=row.code,
        name=row.name,
        process=Process.model_validate(row.definition),
        procedure_code=row.procedure_code,
        agency_code=row.agency_code,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        term=_term(row),
    )
    return write(definition)


def _term(row: DrawnProcess) -> Duration | None:
    if row.term_amount is None or row.term_unit is None:
        return None
    return Duration(amount=row.term_amount, unit=DurationUnit(row.term_unit))
