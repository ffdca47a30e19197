"""The commands `motcua secret` and `motcua token`: what a person needs to log in as one of the demo's clients."""

from typing import Annotated, Any

import httpx
import typer

from deploy.local.folder import read_json, run_folder

Client = Annotated[str, typer.Argument(help="One of the clients in stack.json: one-stop, citizen-portal, ops, …")]


def secret(client: Client) -> None:
    """Print a demo client's secret."""
    typer.echo(_client(client)["client_secret"])


def token(client: Client) -> None:
    """Print a fresh access token of a demo client."""
    known, stack = _client(client), read_json(run_folder().stack) or {}
    answer = httpx.post(
        f"{stack['gateway_url']}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(known["client_id"], known["client_secret"]),
    )
    answer.raise_for_status()
    typer.echo(answer.json()["access_token"])


def _client(name: str) -> dict[str, Any]:
    stack = read_json(run_folder().stack)
    if not stack:
        raise typer.BadParameter("the stack is not up; start it:  make up")
    if name not in stack["clients"]:
        raise typer.BadParameter(f"{name!r} is none of: {', '.join(stack['clients'])}")
    return stack["clients"][name]
