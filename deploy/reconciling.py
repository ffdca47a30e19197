"""`motcua portal-sync`: compare the national portal with what it was told, now, and print what came of it."""

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from sqlalchemy import text

from deploy.local.folder import local_database_urls
from gateway.operations.reconciling import request_run
from shared import clock
from shared.db import Database, is_outage

STATUS_DIFFERS, STATUS_UNFINISHED = 1, 2
POLL_S = 0.3
ASKED_BY = "command"
_RUN = text("SELECT * FROM portal_run WHERE id = :id")
_STANDING = text(
    "SELECT dossier_code, kind, state FROM portal_difference WHERE closed_at IS NULL ORDER BY found_at LIMIT 20"
)

app = typer.Typer(
    help="The synchronisation with the national portal.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class NoRunError(Exception):
    """There is nothing to run it on, or it does not end; the message says what to do."""


DatabaseOption = Annotated[
    str, typer.Option(envvar="MOTCUA_GATEWAY_DATABASE_URL", help="The gateway's database; default: the local stack's.")
]


@dataclass(frozen=True, slots=True)
class Found:
    """A run that has ended, and the differences that stand."""

    run: dict[str, Any]
    standing: list[dict[str, Any]]


@app.callback()
def _group() -> None:
    """Keep `reconcile` a command of its own."""


@app.command("reconcile", help="Compare now, by the gateway that runs, and wait. Exit 1: there are differences.")
def reconcile(
    database: DatabaseOption = "",
    wait_s: Annotated[float, typer.Option(help="Seconds to wait for the end.")] = 3600,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run as JSON.")] = False,
) -> None:
    """Ask for a run and show what it gave."""
    try:
        found = asyncio.run(reconcile_now(database or local_database_urls().get("gateway", ""), wait_s))
    except NoRunError as problem:
        print(f"✗ {problem}", file=sys.stderr)
        raise typer.Exit(STATUS_UNFINISHED) from None
    print(json.dumps(found.run, indent=2, default=str) if as_json else _told(found))
    if found.run["differences"] or found.standing:
        raise typer.Exit(STATUS_DIFFERS)


async def reconcile_now(url: str, wait_s: float) -> Found:
    """Ask for a run and wait for its end. Raises NoRunError."""
    if not url:
        raise NoRunError("Nothing has run here. Start the stack (make up), or name a database: --database URL")
    database = Database(url, service="gateway", connections_max=2)
    try:
        return await _followed(database, wait_s)
    except Exception as problem:
        if is_outage(problem):
            name = type(problem).__name__
            raise NoRunError(f"The gateway's database does not answer ({name}). Start it: make up") from problem
        raise
    finally:
        await database.close()


async def _followed(database: Database, wait_s: float) -> Found:
    async with database.session() as session:
        run = await request_run(session, asked_by=ASKED_BY, now=clock.now())
        await session.commit()
        number = run.id
    deadline = clock.monotonic() + wait_s
    while clock.monotonic() < deadline:
        async with database.session() as session:
            row = (await session.execute(_RUN, {"id": number})).mappings().one()
            if row["finished_at"]:
                standing = (await session.execute(_STANDING)).mappings()
                return Found(dict(row), [dict(one) for one in standing])
        await asyncio.sleep(POLL_S)
    raise NoRunError(
        f"Run {number} has not ended in {wait_s:.0f} s. It goes on by itself when a gateway runs and the portal"
        " answers: see the console."
    )


def _told(found: Found) -> str:
    run = found.run
    way = "two-way" if run["two_way"] else "one-way: the portal does not tell what it holds"
    lines = [
        f"Run {run['id']} ({way})",
        f"  listed by the portal   {run['listed']:>9,}",
        f"  looked up              {run['compared']:>9,}",
        f"  in step                {run['in_step']:>9,}",
        f"  on their way           {run['on_their_way']:>9,}",
        f"  not answered           {run['unanswered']:>9,}",
        f"  differences            {run['differences']:>9,}",
        f"  told anew              {run['redriven']:>9,}",
        f"  settled                {run['settled']:>9,}",
        f"  synced of accepted     {run['dossiers_synced']:>9,} of {run['dossiers_accepted']:,} (index 1.4)",
    ]
    lines += [f"  ✗ {one['dossier_code']}: {one['kind']} ({one['state']})" for one in found.standing]
    return "\n".join(lines)
