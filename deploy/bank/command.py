"""The command `motcua bank`."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.bank.app import create_app
from deploy.bank.settings import BankSettings
from deploy.mocks.serving import serve


def bank(
    host: Annotated[str, typer.Option(help="Address to listen on; keep it private.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8092,
    folder: Annotated[Path, typer.Option(help="Where it keeps the credits.")] = Path(".run/bank"),
) -> None:
    """Run the mocked bank."""
    serve(create_app(BankSettings(bank_folder=folder)), "bank", host=host, port=port)  # type: ignore[call-arg]
