"""`motcua log`: export the transaction log, and verify it without any service running."""

import asyncio
import gzip
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console

from deploy.local.folder import local_database_urls, run_folder
from gateway.operations.evidence import (
    EvidenceKey,
    Export,
    Testimony,
    Verdict,
    Verifier,
    read_database,
    read_seals,
    read_testimonies,
    verify,
    write_record,
    write_seals,
)

WIDTH = 80
STATUS_UNSOUND, STATUS_UNREADABLE = 1, 2
SHOWN_MAX = 20

app = typer.Typer(
    help="The transaction log as evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Database = Annotated[
    str, typer.Option(envvar="MOTCUA_GATEWAY_DATABASE_URL", help="The gateway's database; default: the local stack's.")
]


class Unreadable(Exception):
    """There is nothing to verify, or it cannot be read; the message says what to do."""


@app.command("verify", help="Verify the log, offline: in the database, or in an export. Exit 1 names what is wrong.")
def verify_log(
    export: Annotated[Path | None, typer.Argument(help="An export made by `motcua log export`.")] = None,
    *,
    database: Database = "",
    key: Annotated[
        list[Path] | None, typer.Option(help="Evidence key (JWK, public half is enough); repeat it.")
    ] = None,
    witness: Annotated[Path | None, typer.Option(help="Folder of the witness's files.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Read the whole log and print what came of it."""
    folder = run_folder()
    try:
        keys = [_key(path) for path in key or [folder.evidence_key]]
        testimonies = list(read_testimonies(witness or folder.evidence))
        if export is not None:
            found = _verify_export(export, keys, testimonies)
        else:
            found = asyncio.run(_verify_database(database, keys, testimonies))
    except (Unreadable, OSError, ValueError, asyncpg.PostgresError) as problem:
        print(f"✗ {problem}", file=sys.stderr)
        raise typer.Exit(STATUS_UNREADABLE) from None
    if as_json:
        print(json.dumps(_as_json(found), indent=2))
    else:
        _show(found)
    if not found.sound:
        raise typer.Exit(STATUS_UNSOUND)


@app.command("export", help="Write the whole log into a file (JSON lines; .gz compresses), for a verifier elsewhere.")
def export_log(
    file: Annotated[Path, typer.Argument(help="Where to write.", writable=True, dir_okay=False)],
    database: Database = "",
) -> None:
    """Write every record and the ends of the months that were dropped."""
    try:
        count = asyncio.run(_export(file, database))
    except (Unreadable, OSError, asyncpg.PostgresError) as problem:
        print(f"✗ {problem}", file=sys.stderr)
        raise typer.Exit(STATUS_UNREADABLE) from None
    print(f"{count:,} records in {file}")


def _key(path: Path) -> EvidenceKey:
    if not path.exists():
        raise Unreadable(f"There is no evidence key at {path}. Name it with --key, or start the stack once: make up")
    try:
        return EvidenceKey(json.loads(path.read_text()))
    except Exception as problem:
        raise Unreadable(f"{path} holds no Ed25519 key as JWK: {problem}") from problem


def _verify_export(path: Path, keys: Sequence[EvidenceKey], witnessed: Sequence[Testimony]) -> Verdict:
    export = Export(path)
    return verify(export.records(), keys, witnessed=witnessed, seals=export.seals)


async def _verify_database(url: str, keys: Sequence[EvidenceKey], witnessed: Sequence[Testimony]) -> Verdict:
    async with _connected(url) as connection:
        verifier = Verifier(keys, witnessed=witnessed, seals=await read_seals(connection))
        async for record in read_database(connection):
            if not verifier.read(record):
                break
        return verifier.end()


async def _export(path: Path, url: str) -> int:
    count = 0
    async with _connected(url) as connection:
        with gzip.open(path, "wb") if path.suffix == ".gz" else path.open("wb") as file:
            write_seals(file, await read_seals(connection))
            async for record in read_database(connection):
                write_record(file, record)
                count += 1
    return count


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    address = url or local_database_urls().get("gateway")
    if address is None:
        raise Unreadable("Nothing has run here. Start the stack (make up), or name a database: --database URL")
    try:
        connection = await asyncpg.connect(address, timeout=10)
    except (OSError, asyncpg.PostgresError) as problem:
        raise Unreadable(
            f"The gateway's database does not answer ({type(problem).__name__}). Start it: make up"
        ) from None
    try:
        yield connection
    finally:
        await connection.close()


def _show(found: Verdict) -> None:
    console = Console(width=None if sys.stdout.isatty() else WIDTH, no_color="NO_COLOR" in os.environ, highlight=False)
    reach = f"{found.first:,} to {found.last:,}" if found.records else "none"
    console.print(f"Transaction log: {found.records:,} records ({reach}), {found.signatures:,} signatures hold,")
    console.print(f"{found.testimonies:,} testimonies of the witness.")
    if found.sound:
        console.print("[green]✓[/] Every record stands as it was written.")
        return
    for finding in found.findings[:SHOWN_MAX]:
        console.print(f"[red]✗[/] record {finding.number}: {finding.kind}: {finding.detail}")
    if len(found.findings) > SHOWN_MAX:
        console.print(f"  … and {len(found.findings) - SHOWN_MAX} more (--json shows them)")
    console.print(f"The first record that is not as it was written: {found.findings[0].number}")


def _as_json(found: Verdict) -> dict[str, Any]:
    return {
        "sound": found.sound,
        "records": found.records,
        "first": found.first,
        "last": found.last,
        "signatures": found.signatures,
        "testimonies": found.testimonies,
        "findings": [
            {"record": finding.number, "kind": finding.kind, "detail": finding.detail} for finding in found.findings
        ],
    }
