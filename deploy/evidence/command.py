"""`motcua log`: export, anchor and verify the transaction log, without any service running."""

import asyncio
import gzip
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer
from asn1crypto import x509
from rich.console import Console

from deploy.authority.certificates import CA_FILE
from deploy.local.folder import local_database_urls, read_json, run_folder
from gateway.operations.evidence import (
    Anchor,
    Anchoring,
    Authority,
    EvidenceKey,
    Export,
    Finding,
    Outside,
    Testimony,
    Verdict,
    check_all,
    read_anchor_files,
    read_anchors,
    read_database,
    read_roots,
    read_seals,
    read_testimonies,
    verify,
    verify_database,
    write_beginning,
    write_record,
)
from gateway.stamping import StampingAuthority
from shared.db import Database as GatewayDatabase

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


@dataclass(frozen=True, slots=True)
class _Known:
    """What a verifier is given besides the log."""

    keys: Sequence[EvidenceKey]
    witnessed: Sequence[Testimony]
    anchors: Sequence[Anchor]
    roots: Sequence[x509.Certificate]
    workers: int


@app.command("verify", help="Verify the log, offline: in the database, or in an export. Exit 1 names what is wrong.")
def verify_log(
    export: Annotated[Path | None, typer.Argument(help="An export made by `motcua log export`.")] = None,
    *,
    database: Database = "",
    key: Annotated[
        list[Path] | None, typer.Option(help="Evidence key (JWK, public half is enough); repeat it.")
    ] = None,
    witness: Annotated[Path | None, typer.Option(help="Folder of the witness's files and of the time stamps.")] = None,
    authority: Annotated[
        Path | None, typer.Option(help="Trusted certificates (PEM) of time-stamping authorities; default: the stack's.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes; 0: one a processor.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Read the whole log and print what came of it."""
    folder = run_folder()
    place = witness or folder.evidence
    try:
        keys = [_key(path) for path in key or [folder.evidence_key]]
        known = _Known(keys, list(read_testimonies(place)), list(read_anchor_files(place)), _roots(authority), workers)
        found = asyncio.run(_verify_export(export, known) if export else _verify_database(database, known))
    except (Unreadable, OSError, ValueError, asyncpg.PostgresError) as problem:
        print(f"✗ {problem}", file=sys.stderr)
        raise typer.Exit(STATUS_UNREADABLE) from None
    if as_json:
        print(json.dumps(_as_json(found), indent=2))
    else:
        _show(found, trusting=bool(known.roots))
    if not found.sound:
        raise typer.Exit(STATUS_UNSOUND)


@app.command("export", help="Write the whole log into a file (JSON lines; .gz compresses), for a verifier elsewhere.")
def export_log(
    file: Annotated[Path, typer.Argument(help="Where to write.", writable=True, dir_okay=False)],
    database: Database = "",
) -> None:
    """Write every record, the ends of the months that were dropped, and the time stamps."""
    try:
        count = asyncio.run(_export(file, database))
    except (Unreadable, OSError, asyncpg.PostgresError) as problem:
        print(f"✗ {problem}", file=sys.stderr)
        raise typer.Exit(STATUS_UNREADABLE) from None
    print(f"{count:,} records in {file}")


@app.command("anchor", help="Have the log's end time-stamped now, and keep the stamp.")
def anchor_log(
    database: Database = "",
    url: Annotated[str, typer.Option(help="RFC 3161 authority; default: the local stack's.")] = "",
    authority: Annotated[
        Path | None, typer.Option(help="Its trusted certificates (PEM); default: the stack's.")
    ] = None,
    witness: Annotated[Path | None, typer.Option(help="Folder where the stamp is kept too.")] = None,
) -> None:
    """Ask an authority for a time stamp on the last record."""
    try:
        made = asyncio.run(_anchor(database, url or _local_authority(), _roots(authority), witness))
    except (Unreadable, OSError, ValueError, asyncpg.PostgresError) as problem:
        print(f"✗ {problem}", file=sys.stderr)
        raise typer.Exit(STATUS_UNREADABLE) from None
    print(f"Record {made.number:,} is time-stamped." if made else "Every record is time-stamped already.")


async def _anchor(url: str, door: str, roots: Sequence[x509.Certificate], witness: Path | None) -> Anchor | None:
    if not roots:
        raise Unreadable("Name the authority's trusted certificates: --authority ca.pem")
    database = GatewayDatabase(_address(url), service="gateway")
    anchoring = Anchoring(
        database, Authority(StampingAuthority(door), roots), folder=str(witness or run_folder().evidence)
    )
    try:
        made = await anchoring.attempt(every_s=0)
    finally:
        await database.close()
    if anchoring.last_error:
        raise Unreadable(f"No time stamp: {anchoring.last_error}")
    return made


def _local_authority() -> str:
    url: str | None = ((read_json(run_folder().stack) or {}).get("authority") or {}).get("url")
    if not url:
        raise Unreadable("Name an authority (--url), or start the local stack: make up")
    return url


def _roots(path: Path | None) -> Sequence[x509.Certificate]:
    local = run_folder().authority / CA_FILE
    return read_roots(path or local) if path or local.exists() else []


def _key(path: Path) -> EvidenceKey:
    if not path.exists():
        raise Unreadable(f"There is no evidence key at {path}. Name it with --key, or start the stack once: make up")
    try:
        return EvidenceKey(json.loads(path.read_text()))
    except Exception as problem:
        raise Unreadable(f"{path} holds no Ed25519 key as JWK: {problem}") from problem


async def _outside(known: _Known, anchors: Sequence[Anchor]) -> tuple[Outside, list[Finding]]:
    """Check every time stamp; without trusted certificates none says anything."""
    proven, unproven = await check_all([*known.anchors, *anchors], known.roots) if known.roots else ([], [])
    return Outside(known.keys, known.witnessed, proven), unproven


async def _verify_export(path: Path, known: _Known) -> Verdict:
    export = Export(path)
    outside, unproven = await _outside(known, export.anchors)
    found = verify(
        export.records(),
        outside.keys,
        witnessed=outside.witnessed,
        seals=export.seals,
        anchored=outside.anchored,
    )
    return _with(found, unproven)


async def _verify_database(url: str, known: _Known) -> Verdict:
    async with _connected(url) as connection:
        outside, unproven = await _outside(known, await read_anchors(connection))
    return _with(await verify_database(_address(url), outside, workers=known.workers), unproven)


def _with(found: Verdict, unproven: Sequence[Finding]) -> Verdict:
    found.findings = sorted([*found.findings, *unproven], key=lambda finding: finding.number)
    return found


async def _export(path: Path, url: str) -> int:
    count = 0
    async with _connected(url) as connection:
        with gzip.open(path, "wb") if path.suffix == ".gz" else path.open("wb") as file:
            write_beginning(file, await read_seals(connection), await read_anchors(connection))
            async for record in read_database(connection):
                write_record(file, record)
                count += 1
    return count


def _address(url: str) -> str:
    address = url or local_database_urls().get("gateway")
    if address is None:
        raise Unreadable("Nothing has run here. Start the stack (make up), or name a database: --database URL")
    return address


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    address = _address(url)
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


def _show(found: Verdict, *, trusting: bool) -> None:
    console = Console(width=None if sys.stdout.isatty() else WIDTH, no_color="NO_COLOR" in os.environ, highlight=False)
    reach = f"{found.first:,} to {found.last:,}" if found.records else "none"
    console.print(f"Transaction log: {found.records:,} records ({reach}), {found.signatures:,} signatures hold,")
    console.print(f"{found.testimonies:,} testimonies of the witness.")
    console.print(_anchors_in_words(found, trusting=trusting))
    if found.sound:
        console.print("[green]✓[/] Every record stands as it was written.")
        return
    for finding in found.findings[:SHOWN_MAX]:
        console.print(f"[red]✗[/] record {finding.number}: {finding.kind}: {finding.detail}")
    if len(found.findings) > SHOWN_MAX:
        console.print(f"  … and {len(found.findings) - SHOWN_MAX} more (--json shows them)")
    console.print(f"The first record that is not as it was written: {found.findings[0].number}")


def _anchors_in_words(found: Verdict, *, trusting: bool) -> str:
    if not trusting:
        return "Time stamps were not checked: name the trusted certificates (--authority)."
    if found.anchored_at is None:
        return "No time stamp: nothing outside proves this log yet."
    later = max(found.last - found.anchored, 0)
    return (
        f"{found.anchors:,} time stamps hold, the last of {found.anchored_at:%Y-%m-%d %H:%M} UTC on record"
        f" {found.anchored:,}; {later:,} records since."
    )


def _as_json(found: Verdict) -> dict[str, Any]:
    return {
        "sound": found.sound,
        "records": found.records,
        "first": found.first,
        "last": found.last,
        "signatures": found.signatures,
        "testimonies": found.testimonies,
        "anchors": found.anchors,
        "anchored": found.anchored or None,
        "anchored_at": found.anchored_at.isoformat() if found.anchored_at else None,
        "findings": [
            {"record": finding.number, "kind": finding.kind, "detail": finding.detail} for finding in found.findings
        ],
    }
