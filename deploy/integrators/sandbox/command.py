"""The command `motcua sandbox`."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.integrators.sandbox.app import SandboxSettings, create_app
from deploy.mocks.serving import serve


def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on; keep it private.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8093,
    folder: Annotated[Path, typer.Option(help="Where it remembers how far it has come.")] = Path(".run/sandbox"),
) -> None:
    """Play the officials of the sandbox's agency, for dossiers of test identities."""
    serve(create_app(SandboxSettings(sandbox_folder=folder)), "sandbox", host=host, port=port)  # type: ignore[call-arg]
