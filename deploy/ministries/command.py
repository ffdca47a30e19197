"""The commands `motcua ministries` and `motcua services`."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import httpx
import typer

from deploy.local.folder import read_json, run_folder
from deploy.ministries.app import create_app
from deploy.ministries.definitions import FOLDER, Undefined
from deploy.ministries.registering import ADMINISTRATOR, NotRegistered, register_all
from shared import log

SHUTDOWN_S = 2
SECRET = "MOTCUA_MINISTRIES_SECRET"  # noqa: S105 - a variable's name
app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


def ministries(
    host: Annotated[str, typer.Option(help="Address to listen on; keep it private.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8093,
    folder: Annotated[Path, typer.Option(help="Where it keeps what it carried out.")] = Path(".run/ministries"),
) -> None:
    """Run the mocked offices behind the data services."""
    import uvicorn  # noqa: PLC0415 - `motcua services` needs none

    log.configure("ministries", "INFO")
    served = create_app(folder, os.environ.get(SECRET, ""))
    uvicorn.run(served, host=host, port=port, access_log=False, log_config=None, timeout_graceful_shutdown=SHUTDOWN_S)


@app.callback()
def _group() -> None:
    """Let `register` be named."""


@app.command()
def register(
    folder: Annotated[Path, typer.Option(help="The definitions, one YAML file each.")] = FOLDER,
    gateway: Annotated[str, typer.Option(help="The gateway's address; the local stack's when left out.")] = "",
    client: Annotated[str, typer.Option(help="A client with services:read and services:write.")] = ADMINISTRATOR,
    secret: Annotated[str, typer.Option(envvar="MOTCUA_CLIENT_SECRET", help="Its secret.")] = "",
    upstream: Annotated[str, typer.Option(help="The value of ${ministries} in definitions.")] = "",
    upstream_secret: Annotated[str, typer.Option(envvar=SECRET, help="The value of ${secret}.")] = "",
) -> None:
    """Register the definitions at a gateway, and change what differs; run it as often as you like."""
    stack = read_json(run_folder().stack) or {}
    known = stack.get("clients", {}).get(client, {})
    gateway = gateway or stack.get("gateway_url", "http://127.0.0.1:8000")
    values = {
        "ministries": upstream or stack.get("ministries", {}).get("url", "http://127.0.0.1:8093"),
        "secret": upstream_secret or stack.get("ministries_secret", ""),
    }
    try:
        told = asyncio.run(register_all(gateway, (client, secret or known.get("client_secret", "")), folder, values))
    except (NotRegistered, Undefined, httpx.HTTPError, OSError) as problem:
        typer.echo(f"Not registered: {problem}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{told.services} services: {told.added} added, {told.changed} changed, {told.unchanged} as they were.")
