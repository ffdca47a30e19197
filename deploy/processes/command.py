"""The commands `motcua processes check` and `motcua processes import`."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from deploy.local.folder import local_database_urls
from services.workflow.operations.bpmn.drawing import Finding
from services.workflow.operations.processes import Item, Outcome, import_processes, read_file, read_written
from services.workflow.schemas.processes import ProcessBody
from shared.caller import Caller
from shared.db import Database, is_outage
from shared.work import open_work

REFUSED, NO_FILES, NO_DATABASE = 1, 2, 3
CODES = "Exit code 0: all is well; 1: something was refused; 2: no files there; 3: no database."
BATCH = 100
SUFFIXES = (".bpmn", ".bpmn20.xml", ".json")
HOW = (
    "There is no workflow database to write to. Start the stack (make up), or name a migrated database with "
    "--database postgresql://… or MOTCUA_WORKFLOW_DATABASE_URL."
)

app = typer.Typer(help="Processes.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Files = Annotated[Path, typer.Argument(help="A .bpmn, .bpmn20.xml or .json file, or a folder of them.")]
Report = Annotated[Path | None, typer.Option("--report", help="Where every outcome goes, as JSON Lines.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Compare with what is there; change nothing.")]
By = Annotated[str, typer.Option("--by", help="The official who imports them.")]
DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database", envvar="MOTCUA_WORKFLOW_DATABASE_URL", help="Workflow's database; else the local stack's."
    ),
]


@app.command("check", epilog=CODES)
def check(files: Files, *, report: Report = None) -> None:
    """Say what keeps processes from running: file, line, element and reason. Needs no database."""
    outcomes = [
        Outcome(item.name, "refused" if item.findings else "created", None, None, item.findings)
        for item in _read(files)
    ]
    _show(outcomes, report, words={"created": "can run", "refused": "cannot run"})


@app.command("import", epilog=CODES)
def import_command(
    files: Files, *, by: By = "motcua", dry_run: DryRun = False, report: Report = None, database: DatabaseUrl = ""
) -> None:
    """Bring in processes: a new version of each that changed; what cannot run is refused and named."""
    items = _read(files)
    url = database or local_database_urls().get("workflow")
    if not url:
        _fail(HOW, NO_DATABASE)
    try:
        outcomes = asyncio.run(_import(url, items, by=by, dry_run=dry_run))
    except Exception as problem:
        if not is_outage(problem):
            raise
        _fail(f"The database does not answer. {HOW}", NO_DATABASE)
    _show(outcomes, report, words={"created": "new", "unchanged": "unchanged", "refused": "refused"})


async def _import(url: str, items: Sequence[Item], *, by: str, dry_run: bool) -> list[Outcome]:
    database = Database(url, service="workflow", connections_max=1)
    outcomes: list[Outcome] = []
    twice = {
        code for code, count in Counter(one.definition.code for one in items if one.definition).items() if count > 1
    }
    items = [_marked(item) if item.definition and item.definition.code in twice else item for item in items]
    try:
        for start in track(range(0, len(items), BATCH), "Importing", transient=True):
            async with open_work(database, Caller("motcua-processes")) as work:
                batch = items[start : start + BATCH]
                outcomes += await import_processes(work, batch, imported_by=by, dry_run=dry_run, everywhere=True)
    finally:
        await database.close()
    return outcomes


def _marked(item: Item) -> Item:
    text = "Is there twice: another of these files has this code, too."
    return Item(item.name, item.definition, [*item.findings, Finding("sent_twice", text, "Trùng mã.", kind="process")])


def _read(files: Path) -> list[Item]:
    found = sorted(one for one in files.rglob("*") if one.is_file()) if files.is_dir() else [files]
    found = [one for one in found if one.name.endswith(SUFFIXES)]
    if not found or not all(one.exists() for one in found):
        _fail(f"{files}: no file that ends in {', '.join(SUFFIXES)}.", NO_FILES)
    return [_item(one, str(one.relative_to(files)) if files.is_dir() else one.name) for one in found]


def _item(path: Path, name: str) -> Item:
    content = path.read_bytes()
    if not path.name.endswith(".json"):
        return read_file(name, content)
    try:
        return read_written(name, ProcessBody.model_validate_json(content).definition())
    except ValidationError as problem:
        findings = [
            Finding("json", str(one["msg"]), "Dữ liệu không hợp lệ.", ".".join(map(str, one["loc"])), kind="member")
            for one in problem.errors(include_input=False)
        ]
        return Item(name, None, findings)


def _show(outcomes: Sequence[Outcome], report: Path | None, *, words: dict[str, str]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for outcome in outcomes:
        for finding in outcome.findings:
            console.print(escape(f"{outcome.name}: {finding}"))
    counts: Counter[str] = Counter(outcome.kind for outcome in outcomes)
    console.print(f"{len(outcomes)} processes: " + ", ".join(f"{counts[kind]} {word}" for kind, word in words.items()))
    if report is not None:
        report.write_bytes(b"".join(orjson.dumps(asdict(outcome)) + b"\n" for outcome in outcomes))
        console.print(f"Report: {escape(str(report))}")
    if counts["refused"]:
        raise typer.Exit(REFUSED)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
