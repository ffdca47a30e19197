"""The toy as a process of its own, served as every service is: to be overloaded and to be asked to end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from fastapi import FastAPI
from joserfc.jwk import KeySet
from sqlalchemy import text

from deploy.local.web import CallRefused, call
from deploy.serve import run
from shared.settings import Limits
from shared.work import Work
from tests.portal.process import free_port
from tests.support.tokens import Issuer
from tests.support.toyapp import create_toy_app

ROOT = Path(__file__).parents[2]
START_S = END_S = 30


class ToyServer:
    """A running toy whose every write takes a while."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str, issuer: Issuer) -> None:
        self.process, self.url, self.issuer = process, url, issuer

    def ask_to_end(self) -> None:
        """Send what an orchestrator sends."""
        self.process.send_signal(signal.SIGTERM)

    def memory_bytes(self) -> int:
        """Return the memory that the process holds now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def toy_server(database_url: str, *, write_s: float, **limits: float) -> Iterator[ToyServer]:
    """Run the toy in a process; a write takes write_s seconds; limits are settings."""
    issuer, port = Issuer(), free_port()
    environment = {
        **os.environ,
        **{f"MOTCUA_{name.upper()}": str(value) for name, value in limits.items()},
        "TOY_URL": database_url,
        "TOY_KEYS": orjson.dumps(issuer.keys().as_dict()).decode(),
        "TOY_WRITE_S": str(write_s),
    }
    process = subprocess.Popen([sys.executable, "-m", __name__, str(port)], cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(process, f"{url}/health/live")
        yield ToyServer(process, url, issuer)
    finally:
        process.kill()
        process.wait(END_S)


def _wait_for(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            call("GET", url)
        except CallRefused:
            assert process.poll() is None, "the toy did not start"
            assert time.monotonic() < deadline, "the toy is not up in time"
            time.sleep(0.05)
        else:
            return


def create_app() -> FastAPI:
    """Return the toy as its environment says."""
    keys, write_s = KeySet.import_key_set(orjson.loads(os.environ["TOY_KEYS"])), float(os.environ["TOY_WRITE_S"])
    app = create_toy_app(os.environ["TOY_URL"], keys=keys, **Limits().model_dump())

    async def take_a_while(work: Work) -> None:
        await work.session.execute(text("SELECT pg_sleep(:s)"), {"s": write_s})

    app.state.hooks.inside = take_a_while
    return app


if __name__ == "__main__":
    run(f"{__spec__.name}:create_app", host="127.0.0.1", port=int(sys.argv[1]))
