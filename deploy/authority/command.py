"""The command `motcua authority`."""

from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from deploy.authority.app import create_app
from deploy.mocks.serving import SHUTDOWN_S
from shared import log


def authority(
    host: Annotated[str, typer.Option(help="Address to listen on; keep it private.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8093,
    folder: Annotated[Path, typer.Option(help="Where it writes down what it stamped.")] = Path(".run/authority"),
    certificates: Annotated[
        Path | None, typer.Option(help="Folder of its certificates, if they lie elsewhere; made where there are none.")
    ] = None,
) -> None:
    """Run a small time-stamping authority (RFC 3161)."""
    log.configure("authority", "INFO")
    uvicorn.run(
        create_app(folder, certificates),
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
