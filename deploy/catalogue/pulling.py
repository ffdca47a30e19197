"""`motcua catalogue pull`: let the gateway pull the portal's catalogue now, and tell how it ended and what differs."""

import time
from typing import Any

import httpx
import typer

from deploy.local.folder import read_json, run_folder
from shared.ids import new_id

PATH = "/api/v1/portal/catalogue/pulls"
LOOK_S = 1.0


class NoGatewayError(Exception):
    """There is no gateway to ask, or it does not let us."""


def pull(gateway: str, token: str, *, accept_smaller: bool, within_s: float) -> dict[str, Any]:
    """Ask for a pull and wait for its end; without an address and a token the local stack is asked.

    Raises NoGatewayError, TimeoutError.
    """
    url, bearer = (gateway, token) if gateway and token else _local()
    headers = {"Authorization": f"Bearer {bearer}"}
    deadline = time.monotonic() + within_s
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=30) as http:
            asked = http.post(PATH, json={"accept_smaller": accept_smaller}, headers={"Idempotency-Key": str(new_id())})
            asked.raise_for_status()
            found: dict[str, Any] = asked.json()
            while found["finished_at"] is None:
                if time.monotonic() > deadline:
                    raise TimeoutError
                time.sleep(LOOK_S)
                found = http.get(f"{PATH}/{found['id']}").raise_for_status().json()
            return found
    except httpx.HTTPError as problem:
        raise NoGatewayError(f"{type(problem).__name__}: {problem}") from problem


def _local() -> tuple[str, str]:
    stack = read_json(run_folder().stack)
    if not stack:
        raise NoGatewayError("Give --gateway and --token, or start the local stack:  make up")
    known = stack["clients"]["one-stop"]
    asked = httpx.post(
        f"{stack['gateway_url']}/oauth/token",
        data={"grant_type": "client_credentials", "scope": "catalogue:write"},
        auth=(known["client_id"], known["client_secret"]),
    )
    return stack["gateway_url"], asked.raise_for_status().json()["access_token"]


def show(pulled: dict[str, Any]) -> None:
    """Print how a pull ended."""
    counts = pulled["counts"]
    typer.echo(f"{pulled['outcome']}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    if pulled["reason"]:
        typer.echo(pulled["reason"])
