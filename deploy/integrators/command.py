"""The commands `motcua client` and `motcua conformance`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from deploy.local.folder import ROOT

CONTRACT = ROOT / "docs" / "reference" / "openapi" / "motcua.json"
TIMEOUT_S = 30


def client(
    folder: Annotated[Path, typer.Argument(help="Where to write the package.", file_okay=False)],
    contract: Annotated[str, typer.Option(help="Address or file of the contract (OpenAPI 3.1).")] = str(CONTRACT),
) -> None:
    """Write the typed Python client, `motcua_client`, from the contract; `pip install FOLDER` installs it."""
    from deploy.integrators.client import ContractUnusable, generate  # noqa: PLC0415 - takes a second to import

    try:
        found = generate(_read(contract), folder)
    except (ContractUnusable, OSError, ValueError, KeyError, httpx.HTTPError) as problem:
        typer.echo(f"{contract}: {problem}", err=True)
        raise typer.Exit(1) from problem
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", "--line-length", "120", str(folder)], check=True)
    typer.echo(f"{folder}: {len(found)} calls. Install it:  pip install {folder}")


def _read(contract: str) -> dict[str, Any]:
    if contract.startswith(("http://", "https://")):
        answer = httpx.get(contract, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()
    return json.loads(Path(contract).read_text(encoding="utf-8"))
