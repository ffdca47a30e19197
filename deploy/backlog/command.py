"""`motcua backlog import`: scans and their index into the archive."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from deploy.backlog import report, run
from deploy.backlog.index import IndexUnreadable, find_index, open_index
from deploy.backlog.pipeline import Source
from deploy.backlog.sample import write_sample
from deploy.backlog.signatures import Rules
from deploy.local.folder import local_database_urls, run_folder
from services.results.settings import ResultsSettings
from shared import clock
from shared.blobs import BlobStore, Keyring
from shared.caller import Caller
from shared.db import Database, is_outage
from shared.errors import DomainError, TransientError
from shared.identifiers import AgencyCodeError, current_agency

THREADS_MAX, THREADS_REMOTE = 16, 12
AGAIN = "Nothing is lost: run the same command again and it goes on where it stopped."

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def backlog() -> None:
    """Digitise the backlog of results on paper."""


@app.command("import")
def import_backlog(
    place: Annotated[Path, typer.Argument(help="The index (.csv, .xlsx), or a folder with index.csv or index.xlsx.")],
    *,
    rejects: Annotated[Path, typer.Option(help="Where rejected rows go: correct them and import that file.")],
    report_file: Annotated[Path | None, typer.Option("--report", help="Where the report goes, as JSON.")] = None,
    scans: Annotated[
        Path | None, typer.Option(help="Folder of the scans; the index's own folder unless given.")
    ] = None,
    agency: Annotated[str, typer.Option(help="Take results of this agency and those below it only.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, keep nothing.")] = False,
    chunk_rows: Annotated[int, typer.Option(min=1, max=10_000, help="Rows a transaction.")] = 1000,
    threads: Annotated[int, typer.Option(min=0, max=THREADS_MAX, help="Readers of files; 0 chooses.")] = 0,
) -> None:
    """Bring scans into the archive; a run that is killed goes on where it stopped when it is started again.

    Exit code 0 when every row is dealt with (see the rejects file), 1 when the run could not go to its end, 2 when the
    index as a whole cannot be taken. Database and store are those of MOTCUA_DATABASE_URL and MOTCUA_STORAGE_URL, else
    of the running local stack.
    """
    screen = report.console()
    settings = _settings()
    try:
        index = open_index(find_index(place, apart_from=rejects))
        caller = Caller("backlog-import", current_agency(agency) if agency else None)
    except (IndexUnreadable, AgencyCodeError) as problem:
        screen.print(f"[red]✗[/] {escape(str(problem))}", soft_wrap=True)
        raise typer.Exit(2) from None
    rules = Rules(settings)
    source = Source(
        index=index,
        folder=scans or index.path.parent,
        caller=caller,
        today=clock.now().astimezone(clock.VN).date(),
        chunk_rows=chunk_rows,
        threads=threads or _threads(settings.storage_url),
        document_bytes_max=settings.document_bytes_max,
        signatures=rules,
        store=None if dry_run else BlobStore(settings.storage_url, Keyring(settings.storage_keys.get_secret_value())),
    )
    outcome = _run(settings, source, rules, rejects, screen)
    report.show(screen, outcome.facts)
    if report_file:
        report.write_report(
            report_file, outcome.facts | {"rows_this_time": outcome.rows_done, "seconds": outcome.seconds}
        )
        screen.print(f"Report: {report_file}", soft_wrap=True)
    if outcome.facts["rejected"]:
        screen.print(f"Rejected rows: {rejects}. Correct them there and import that file.", soft_wrap=True)


@app.command("sample")
def sample(
    folder: Annotated[Path, typer.Argument(help="An empty or new folder.")],
    rows: Annotated[int, typer.Option(min=1, max=1_000_000)] = 100,
) -> None:
    """Write a made-up backlog to try the import on: scans, and an index with every column."""
    report.console().print(f"{rows} scans: {write_sample(folder, rows=rows)}", soft_wrap=True)


def _run(settings: ResultsSettings, source: Source, rules: Rules, rejects: Path, screen: report.Console) -> run.Outcome:
    async def lead(shown: report.Bar) -> run.Outcome:
        database = Database(settings.database_url.get_secret_value(), service="backlog", connections_max=2)
        try:
            return await (run.lead if source.store else run.rehearse)(database, source, rejects, shown)
        finally:
            await rules.close()
            await database.close()

    try:
        with report.Bar(screen) as bar:
            return asyncio.run(lead(bar))
    except KeyboardInterrupt:
        screen.print(f"Stopped. {AGAIN}")
        raise typer.Exit(130) from None
    except (DomainError, TransientError, run.SumsDiffer) as problem:
        screen.print(f"[red]✗[/] {escape(str(problem))}  {AGAIN}", soft_wrap=True)
        raise typer.Exit(1) from None
    except Exception as problem:
        if not is_outage(problem):
            raise
        screen.print(f"[red]✗[/] The database is away.  {AGAIN}", soft_wrap=True)
        raise typer.Exit(1) from None


def _threads(storage_url: str) -> int:
    return 2 * (os.cpu_count() or 1) if storage_url.startswith("file:") else THREADS_REMOTE


def _settings() -> ResultsSettings:
    """Return the service's settings, from the environment or of the running local stack."""
    if "MOTCUA_DATABASE_URL" in os.environ:
        return ResultsSettings.model_validate({"amqp_url": os.environ.get("MOTCUA_AMQP_URL", "amqp://")})
    folder, urls = run_folder(), local_database_urls()
    if not urls:
        raise typer.BadParameter("set MOTCUA_DATABASE_URL and MOTCUA_STORAGE_URL, or start the local stack (make up)")
    return ResultsSettings.model_validate(
        {
            "database_url": urls["results"],
            "amqp_url": "amqp://",
            "storage_url": (folder.storage / "results").as_uri(),
            "trust_folder": str(folder.path / "trust"),
        }
    )
