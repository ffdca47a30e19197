"""`motcua accounts`: take a roster from a file; say where only officials of the roster may work."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from deploy.accounts.reading import Read, UnreadableError, read_roster
from deploy.local.folder import local_database_urls
from services.workflow.operations.roster import RosterReport, apply_roster
from shared import clock
from shared.caller import service_caller
from shared.db import Database
from shared.errors import DomainError
from shared.work import Work

app = typer.Typer(
    help="Officials, units and roles.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
_out = Console(stderr=True)

DatabaseUrl = Annotated[
    str, typer.Option(envvar="MOTCUA_DATABASE_URL", help="Workflow's database; without it the local stack's.")
]


@app.command("import")
def import_accounts(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or XLSX: one row a role.")],
    report: Annotated[Path | None, typer.Option(help="Write what was read, changed and odd as JSON.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, change nothing.")] = False,  # noqa: FBT002
    enforce: Annotated[bool | None, typer.Option("--enforce/--no-enforce", help="Whether only these may work.")] = None,
    leavers_max: Annotated[float, typer.Option(help="Share of an agency's accounts that may leave at once.")] = 0.2,
    database_url: DatabaseUrl = "",
) -> None:
    """Bring accounts in step with a file, which stands for all accounts of the agencies it names."""
    try:
        read = read_roster(file)
        changed = asyncio.run(
            _apply(database_url or _local(), read, dry_run=dry_run, enforced=enforce, leavers_max=leavers_max)
        )
    except (UnreadableError, DomainError) as problem:
        _out.print(f"[red]{problem}[/red]")
        raise typer.Exit(1) from problem
    document = {
        "file": file.name,
        "dry_run": dry_run,
        "read": read.rows,
        "imported": read.rows - read.refused,
        "refused": read.refused,
        "accounts": len(read.roster.officials),
        "units": len(read.roster.units),
        "assignments": len(read.roster.assignments),
        "changes": asdict(changed),
        "oddities": read.oddities,
    }
    if report is not None:
        report.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    _show(document, changed)


@app.command("enforce")
def enforce_agency(
    agency: Annotated[str, typer.Argument(help="Code of an agency with accounts.")],
    off: Annotated[bool, typer.Option("--off", help="Let its systems name officials as they like again.")] = False,  # noqa: FBT002
    database_url: DatabaseUrl = "",
) -> None:
    """Say whether only officials of the roster may work on an agency's tasks; running services follow in seconds."""
    if not asyncio.run(_enforce(database_url or _local(), agency, enforced=not off)):
        _out.print(f"[red]{agency} has no accounts: import them first.[/red]")
        raise typer.Exit(1)
    _out.print(f"{agency}: {'anybody its systems name' if off else 'only officials of the roster'} may work.")


async def _apply(url: str, read: Read, *, dry_run: bool, enforced: bool | None, leavers_max: float) -> RosterReport:
    database = Database(url, service="workflow", connections_max=1)
    try:
        async with database.session() as session:
            work = Work(session, clock.now(), service_caller("accounts"))
            with _out.status(f"{read.rows:,} rows …"):
                changed = await apply_roster(
                    work, read.roster, source="import", leavers_max=leavers_max, enforced=enforced
                )
                await (session.rollback() if dry_run else work.commit())
            return changed
    finally:
        await database.close()


async def _enforce(url: str, agency: str, *, enforced: bool) -> bool:
    database = Database(url, service="workflow", connections_max=1)
    statement = "UPDATE staffed_agency SET enforced = :enforced, changed_at = :now WHERE agency_code = :agency"
    try:
        async with database.session() as session:
            found = await session.execute(
                text(f"{statement} RETURNING 1"), {"enforced": enforced, "now": clock.now(), "agency": agency}
            )
            known = found.first() is not None
            await session.commit()
            return known
    finally:
        await database.close()


def _local() -> str:
    found = local_database_urls().get("workflow")
    if found is None:
        _out.print("[red]Nothing has run here. Start the stack (make up), or name a database: --database-url URL[/red]")
        raise typer.Exit(1)
    return found


def _show(document: Mapping[str, object], changed: RosterReport) -> None:
    table = Table(title="Dry run: nothing was changed" if document["dry_run"] else None, show_header=False)
    for name in ("read", "refused", "accounts", "assignments"):
        table.add_row(name, str(document[name]))
    for name, value in asdict(changed).items():
        table.add_row(name.replace("_", " "), str(value))
    oddities = document["oddities"]
    table.add_row("oddities", str(len(oddities) if isinstance(oddities, list) else 0))
    _out.print(table)
