"""The commands `motcua conformance`: `door` (as a partner), `service` and `webhook` (a partner)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import httpx
import typer

from deploy.integrators.conformance.findings import show
from deploy.integrators.conformance.upstream import Unusable, check_upstream
from deploy.integrators.conformance.webhooks import check_receiver
from deploy.local.folder import ROOT, read_json, run_folder

SCRIPT = ROOT / "gateway" / "routes" / "joining" / "motcua_conformance.py"
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Report = Annotated[Path | None, typer.Option(help="Write the findings here, as JSON.", dir_okay=False)]


@app.command()
def door(
    url: Annotated[str, typer.Option(help="Address of the door; the local stack's without it.")] = "",
    client_id: Annotated[str, typer.Option(help="A client of the sandbox.")] = "sandbox",
    report: Report = None,
) -> None:
    """Check a door as a partner would; elsewhere than here its secret is in MOTCUA_CLIENT_SECRET."""
    stack = read_json(run_folder().stack) or {}
    known = {} if url else stack.get("clients", {}).get(client_id, {})
    if not url and not known:
        typer.echo("Nothing runs here: start the stack (make up), or give --url.", err=True)
        raise typer.Exit(2)
    secret = known.get("client_secret") or os.environ.get("MOTCUA_CLIENT_SECRET", "")
    command = [sys.executable, str(SCRIPT), "--url", url or stack["gateway_url"], "--client-id", client_id]
    command += ["--json", str(report)] if report else []
    done = subprocess.run(command, env={**os.environ, "MOTCUA_CLIENT_SECRET": secret}, check=False)
    raise typer.Exit(done.returncode)


@app.command()
def service(
    base_url: Annotated[str, typer.Argument(help="Where the partner's service is.")],
    contract: Annotated[Path, typer.Argument(help="Its OpenAPI document, JSON.", exists=True, dir_okay=False)],
    header: Annotated[list[str] | None, typer.Option(help="A header to send, 'Name: value'; repeatable.")] = None,
    report: Report = None,
) -> None:
    """Hold a partner's service against its own contract, before it becomes a data service."""
    headers = dict(one.split(":", 1) for one in header or () if ":" in one)
    try:
        described = json.loads(contract.read_text(encoding="utf-8"))
        with httpx.Client(headers={name: value.strip() for name, value in headers.items()}) as http:
            good = show(check_upstream(base_url.rstrip("/"), described, http=http), report)
    except (Unusable, ValueError) as problem:
        typer.echo(f"{contract}: {problem}", err=True)
        raise typer.Exit(2) from problem
    raise typer.Exit(0 if good else 1)


@app.command()
def webhook(
    url: Annotated[str, typer.Argument(help="Where the partner receives webhooks.")],
    secret: Annotated[
        str, typer.Option(help="Its secret, whsec_…; better in the environment.", envvar="WEBHOOK_SECRET")
    ],
    report: Report = None,
) -> None:
    """Deliver to a partner's receiver what it must take, and what it must refuse."""
    try:
        with httpx.Client() as http:
            good = show(check_receiver(url, secret, http=http), report)
    except ValueError as problem:
        typer.echo(f"The secret cannot be read: {problem}", err=True)
        raise typer.Exit(2) from problem
    raise typer.Exit(0 if good else 1)
