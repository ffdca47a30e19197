"""The toy as a process of its own, served as every service is: to be overloaded and to be asked to end."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import typer
from fastapi import FastAPI
from joserfc.jwk import KeySet
from sqlalchemy import text

from deploy.serve import run
from shared.settings import Limits
from shared.work import Work
from tests.support.served import Served
from tests.support.tokens import Issuer
from tests.support.toyapp import create_toy_app


class ToyServer(Served):
    """A running toy whose every write takes a while."""

    def __init__(self, folder: Path, database_url: str, *, write_s: float, **limits: float) -> None:
        self.issuer = Issuer()
        keys = orjson.dumps(self.issuer.keys().as_dict()).decode()
        toys = {"toy_url": database_url, "toy_keys": keys, "toy_write_s": write_s}
        super().__init__(folder, __name__, settings={**limits, **toys}, ready_path="/health/live")

    def ask_to_end(self) -> None:
        """Send what an orchestrator sends."""
        self.kill(signal.SIGTERM)


@contextmanager
def toy_server(database_url: str, *, write_s: float, **limits: float) -> Iterator[ToyServer]:
    """Run the toy in a process; a write takes write_s seconds; limits are settings."""
    with TemporaryDirectory() as folder, ToyServer(Path(folder), database_url, write_s=write_s, **limits) as server:
        yield server


def create_app() -> FastAPI:
    """Return the toy as its environment says."""
    keys, write_s = (
        KeySet.import_key_set(orjson.loads(os.environ["MOTCUA_TOY_KEYS"])),
        float(os.environ["MOTCUA_TOY_WRITE_S"]),
    )
    app = create_toy_app(os.environ["MOTCUA_TOY_URL"], keys=keys, **Limits().model_dump())

    async def take_a_while(work: Work) -> None:
        await work.session.execute(text("SELECT pg_sleep(:s)"), {"s": write_s})

    app.state.hooks.inside = take_a_while
    return app


def main(port: int = typer.Option()) -> None:
    """Serve it."""
    run(f"{__spec__.name}:create_app", host="127.0.0.1", port=port)


if __name__ == "__main__":
    typer.run(main)
