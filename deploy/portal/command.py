"""The command `motcua portal`."""

from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from deploy.portal.app import create_app
from deploy.portal.settings import PortalSettings
from shared import log

SHUTDOWN_S = 2
"""A held answer (fault timeout_after_effect) may not hold the process."""


def portal(
    host: Annotated[str, typer.Option(help="Address to listen on; keep it private.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8090,
    folder: Annotated[Path, typer.Option(help="Where the portal keeps what it was told.")] = Path(".run/portal"),
) -> None:
    """Run the mocked national portal and its payment platform."""
    settings = PortalSettings(portal_folder=folder)
    log.configure("portal", settings.log_level)
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
