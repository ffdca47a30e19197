"""The commands `motcua catalogue import` and `motcua agencies import`."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from deploy.catalogue import pulling, running
from deploy.catalogue.running import Progress, Source
from deploy.catalogue.shown import show_outcome, write_report
from deploy.catalogue.target import NoTargetError, database_url
from deploy.shown import Shown
from services.intake.operations.sources import UnreadableError
from shared.db import is_outage

SOME_REFUSED, UNREADABLE, NO_DATABASE, LATE, STOPPED = 1, 2, 3, 4, 130
CODES = "Exit code 0: all is in; 1: rows were refused; 2: the file cannot be read; 3: no database; 130: stopped."

File = Annotated[Path, typer.Argument(help="JSON Lines, JSON, CSV or XLSX; plain or gzipped.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read, compare and report; change nothing, need no database.")]
ReportFile = Annotated[Path | None, typer.Option("--report", help="Where the report goes, as JSON.")]
DatabaseUrl = Annotated[
    str,
    typer.Option("--database", envvar="MOTCUA_INTAKE_DATABASE_URL", help="Intake's database; else the local stack's."),
]
Import = Callable[..., Coroutine[Any, Any, dict[str, Any]]]

catalogue = typer.Typer(
    help="The catalogue of procedures.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
agencies = typer.Typer(help="The agencies.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@catalogue.callback()
def _catalogue() -> None:
    """Keep the catalogue of procedures."""


@agencies.callback()
def _agencies() -> None:
    """Keep the tree of agencies."""


@catalogue.command("import", epilog=CODES)
def import_catalogue(
    file: File, *, dry_run: DryRun = False, report: ReportFile = None, database: DatabaseUrl = ""
) -> None:
    """Bring in procedures of the national catalogue.

    The same file again changes nothing; one that was stopped in the middle goes on where it was. Every row that names
    a procedure is taken: what is odd about it, and what was decided, stands in the report.
    """
    _run(running.import_procedures, "procedures", file, dry_run=dry_run, report=report, database=database)


@agencies.command("import", epilog=CODES)
def import_agencies(
    file: File, *, dry_run: DryRun = False, report: ReportFile = None, database: DatabaseUrl = ""
) -> None:
    """Bring in agencies: provinces with their communes, or a table of code, name, level, parent, dates, successors."""
    _run(running.import_agencies, "agencies", file, dry_run=dry_run, report=report, database=database)


@catalogue.command(
    "pull", epilog="Exit code 0: complete; 1: incomplete or failed; 3: no gateway; 4: not ended in time."
)
def pull_catalogue(
    *,
    accept_smaller: Annotated[
        bool, typer.Option(help="You have looked: a list may be much shorter than before.")
    ] = False,
    gateway: Annotated[str, typer.Option(envvar="MOTCUA_GATEWAY_URL", help="Else the local stack's.")] = "",
    token: Annotated[str, typer.Option(envvar="MOTCUA_TOKEN", help="With catalogue:write.")] = "",
    within_s: Annotated[float, typer.Option(help="How long to wait for its end.")] = 600,
) -> None:
    """Pull the national portal's catalogue now, and say how it differs from the province's, which is not changed."""
    try:
        pulled = pulling.pull(gateway, token, accept_smaller=accept_smaller, within_s=within_s)
    except pulling.NoGatewayError as problem:
        _fail(str(problem), NO_DATABASE)
    except TimeoutError:
        _fail(f"The pull has not ended within {within_s:g} s; it goes on.", LATE)
    pulling.show(pulled)
    raise typer.Exit(0 if pulled["outcome"] == "complete" else SOME_REFUSED)


def _run(work: Import, words: str, file: Path, *, dry_run: bool, report: Path | None, database: str) -> None:
    console = Console(soft_wrap=True, highlight=False)
    if report and not report.absolute().parent.is_dir():
        _fail(f"There is no folder {report.absolute().parent} to write the report to.", UNREADABLE)
    source = _read(file)
    url = database_url(database)
    try:
        with Shown(console, words) as shown:
            outcome = asyncio.run(_tried(work, source, url, dry_run=dry_run, named=bool(database), progress=shown.step))
    except NoTargetError as problem:
        _fail(str(problem), NO_DATABASE)
    except UnreadableError as problem:
        _fail(f"{file.name}: {problem}", UNREADABLE)
    except KeyboardInterrupt:
        _fail("Stopped. What is in stays; the same command goes on from there.", STOPPED)
    except Exception as problem:
        if not is_outage(problem):
            raise
        _fail("The database went away. What is in stays; the same command goes on from there.", NO_DATABASE)
    _report(report, outcome)
    show_outcome(console, outcome, dry_run=dry_run)
    if report:
        console.print(f"Report: {escape(str(report))}")
    if outcome["refused"]:
        raise typer.Exit(SOME_REFUSED)


async def _tried(
    work: Import, source: Source, url: str | None, *, dry_run: bool, named: bool, progress: Progress
) -> dict[str, Any]:
    """Run an import; a dry run does without a stack that is down, but not without a database that was named."""
    try:
        return await work(source, url, dry_run=dry_run, progress=progress)
    except NoTargetError:
        if not dry_run or named:
            raise
        return await work(source, None, dry_run=True, progress=progress)


def _read(file: Path) -> Source:
    try:
        return Source(file, file.read_bytes())
    except OSError as problem:
        _fail(f"{file} cannot be read: {problem.strerror}", UNREADABLE)


def _report(path: Path | None, outcome: dict[str, Any]) -> None:
    if path is None:
        return
    try:
        write_report(path, outcome)
    except OSError as problem:
        _fail(f"The import is done, but its report cannot be written to {path}: {problem.strerror}", UNREADABLE)


def _fail(words: str, code: int) -> NoReturn:
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"[red]✗[/] {escape(words)}")
    raise typer.Exit(code)
