"""The command `motcua serve`: one service by its name. What only migrations need is not loaded here."""

import gc
from typing import Annotated, Any

import typer
import uvicorn
from uvicorn.importer import import_from_string

from deploy.packages import PACKAGES
from shared.guard.protocol import server_options
from shared.settings import Limits

SHUTDOWN_S = 5
GARBAGE_THRESHOLDS = (20_000, 20, 20)
"""So many objects more than there were before cycles are searched (Python's own: 700, 10, 10): some megabytes."""

Name = Annotated[str, typer.Argument(help="intake, workflow, payment, results or gateway.")]


def package_of(name: str) -> str:
    """Return the package of a service; raises BadParameter for a name that is none."""
    if name not in PACKAGES:
        raise typer.BadParameter(f"{name!r} is none of: {', '.join(PACKAGES)}")
    return PACKAGES[name]


def serve(
    name: Name,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
) -> None:
    """Run one service until SIGTERM or Ctrl-C; its settings come from the environment (MOTCUA_…)."""
    run(f"{package_of(name)}.app:create_app", host=host, port=port)


def run(app: str, *, host: str, port: int) -> None:
    """Serve what a factory returns ("module:function"), with the limits of the environment, until SIGTERM or Ctrl-C."""

    def made() -> Any:  # noqa: ANN401 - an ASGI app
        served = import_from_string(app)()
        _leave_alone_what_is_here()
        return served

    uvicorn.run(
        made,
        factory=True,
        host=host,
        port=port,
        loop="uvloop",
        timeout_graceful_shutdown=SHUTDOWN_S,
        **server_options(Limits()),
    )


def _leave_alone_what_is_here() -> None:
    """Let the search for garbage pass over what lasts as long as the process: modules, models, routes.

    Without that, every full search looks at all of it again, and for that long no call is served.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
