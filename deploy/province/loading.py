"""Loading a province through the operations that its own imports use."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.accounts.reading import read_roster
from deploy.catalogue import running
from deploy.catalogue.running import Source
from deploy.province.issuing import delegations, issuers
from deploy.province.plan import PROVINCE, Place, Sizes
from services.intake.models import FormDraft
from services.intake.operations import forms as intake_forms
from services.payment.operations.issuers import import_issuing
from services.workflow.operations.bpmn.drawing import Definition
from services.workflow.operations.processes import import_processes, read_written
from services.workflow.operations.roster import apply_roster
from shared import clock
from shared.caller import Caller
from shared.db import Database
from shared.identifiers import dossier_day
from shared.work import Work, open_work

BATCH = 250
REASONS_MAX = 10
BY_COMMAND = "command:province"
Step = Callable[[int, int], None]
Urls = dict[str, str]


@dataclass(frozen=True, slots=True)
class Province:
    """A province that was made up, and where its files lie."""

    folder: Path
    sizes: Sizes
    places: Sequence[Place]
    forms: Sequence[FormDraft]
    processes: Sequence[Definition]


@dataclass(slots=True)
class Rows:
    """What became of the rows that were given."""

    given: int = 0
    new: int = 0
    same: int = 0
    refused: int = 0
    reasons: list[str] = field(default_factory=list)
    """Why the first of them were refused."""

    def refuse(self, reason: str) -> None:
        """Count a row that was refused."""
        self.refused += 1
        if len(self.reasons) < REASONS_MAX:
            self.reasons.append(reason)


async def load_agencies(province: Province, urls: Urls, step: Step) -> Rows:
    """Load the agencies by the import that reads lists of them."""
    return await _by_file(running.import_agencies, province.folder / "agencies.jsonl", urls["intake"], step)


async def load_procedures(province: Province, urls: Urls, step: Step) -> Rows:
    """Load the procedures by the import of the national catalogue."""
    return await _by_file(running.import_procedures, province.folder / "procedures.jsonl", urls["intake"], step)


async def _by_file(load: Callable[..., object], path: Path, url: str, step: Step) -> Rows:
    source = Source(path, await asyncio.to_thread(path.read_bytes))
    report = await load(source, url, dry_run=False, progress=step)  # type: ignore[misc]
    rows = Rows(report["read"], report["added"] + report["changed"], report["unchanged"])
    for refusal in report["refusals"]:
        rows.refuse(f"line {refusal['line']} {refusal['code']}: {refusal['reason']}")
    return rows


async def load_forms(province: Province, urls: Urls, step: Step) -> Rows:
    """Load the e-forms, all at once."""
    async with _work(urls["intake"], "intake") as work:
        fresh = await intake_forms.import_forms(work, drafts=province.forms, day=dossier_day(clock.now()))
    step(len(province.forms), len(province.forms))
    return Rows(len(province.forms), len(fresh), len(province.forms) - len(fresh))


async def load_processes(province: Province, urls: Urls, step: Step) -> Rows:
    """Load the processes, checked one by one."""
    rows = Rows(len(province.processes))
    for start in range(0, rows.given, BATCH):
        batch = [read_written(one.code, one) for one in province.processes[start : start + BATCH]]
        async with _work(urls["workflow"], "workflow") as work:
            outcomes = await import_processes(work, batch, imported_by=BY_COMMAND)
        for outcome in outcomes:
            rows.new += outcome.kind == "created"
            rows.same += outcome.kind == "unchanged"
            if outcome.kind == "refused":
                rows.refuse(f"{outcome.name}: {'; '.join(map(str, outcome.findings))}")
        step(min(start + BATCH, rows.given), rows.given)
    return rows


async def load_accounts(province: Province, urls: Urls, step: Step) -> Rows:
    """Load officials, units and roles as one roster; nobody is bound by it until an agency says so."""
    read = await asyncio.to_thread(read_roster, province.folder / "accounts.csv")
    step(0, read.rows)
    async with _work(urls["workflow"], "workflow") as work:
        report = await apply_roster(work, read.roster, source="import", leavers_max=1, enforced=False)
    step(read.rows, read.rows)
    rows = Rows(read.rows, report.created, read.rows - read.refused - report.created)
    for odd in read.oddities[: read.refused]:
        rows.refuse(f"line {odd['line']}: {odd['what']}")
    return rows


async def load_issuers(province: Province, urls: Urls, step: Step) -> Rows:
    """Load who issues receipts, and for whom."""
    given = issuers(province.places)
    async with _work(urls["payment"], "payment") as work:
        done = await import_issuing(work, issuers=given, delegations=delegations(province.places), treasury_accounts=())
    step(len(given), len(given))
    return Rows(len(given), min(len(given), done.added + done.changed), max(0, len(given) - done.added - done.changed))


@asynccontextmanager
async def _work(url: str, service: str) -> AsyncIterator[Work]:
    database = Database(url, service=service, connections_max=1)
    try:
        async with open_work(database, Caller(BY_COMMAND, agency=PROVINCE)) as work:
            yield work
    finally:
        await database.close()
