"""A stack of tiny programs in place of the real one: python -m tests.deploy.standin FOLDER BEHAVIOUR… [--report N].

A behaviour is `name`, `name:crashes` (ends at once), `name:lingers` (never ready), `name:stubborn` (ignores SIGTERM)
or `name:tidies` (takes half a second to end).
"""

import os
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from deploy.local import ports
from deploy.local.folder import RunFolder, write_json
from deploy.local.launch import supervise
from deploy.local.program import HttpProgram
from deploy.local.servers import Phase

PROGRAM = """
import signal, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if behaviour == "lingers" else 200)
        self.end_headers()
    def log_message(self, *words):
        pass

port, behaviour = int(sys.argv[1]), sys.argv[2]
print("the last words of", behaviour, flush=True)
if behaviour == "crashes":
    sys.exit(3)
if behaviour == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if behaviour == "tidies":
    def tidy(*_):
        time.sleep(0.5)
        print("all is tidy", flush=True)
        sys.exit()
    signal.signal(signal.SIGTERM, tidy)
HTTPServer(("127.0.0.1", port), Health).serve_forever()
"""


class StandIn:
    """What deploy.local.stack.Stack is to the supervisor, smaller."""

    ready_timeout_s: float = float(os.environ.get("STANDIN_READY_S", "2"))

    def __init__(self, folder: RunFolder, behaviours: Sequence[str]) -> None:
        self.folder = folder
        self._behaviours = {word.partition(":")[0]: word.partition(":")[2] for word in behaviours}

    def phases(self) -> Sequence[Phase]:
        """Return nothing: these programs need no server."""
        return []

    @cached_property
    def programs(self) -> Sequence[HttpProgram]:
        """Return one program a behaviour."""
        chosen = ports.choose(self.folder.path / "ports.json", list(self._behaviours))
        return [
            self._program(name, chosen[name], behaviour or "behaves") for name, behaviour in self._behaviours.items()
        ]

    def _program(self, name: str, port: int, behaviour: str) -> HttpProgram:
        program = HttpProgram(
            name,
            log=self.folder.logs / f"{name}.log",
            pid_file=self.folder.pids / f"{name}.json",
            command=[sys.executable, "-c", PROGRAM, str(port), behaviour],
            environment={"STANDIN": str(self.folder.path)},
            url=f"http://{ports.LOOPBACK}:{port}",
        )
        program.stop_patience_s = 1
        return program

    def write_description(self) -> None:
        """Write which processes there are."""
        write_json(self.folder.stack, {program.name: program.pid for program in self.programs})


def command(folder: RunFolder, *behaviours: str) -> list[str]:
    """Return the command that supervises such a stack."""
    return [sys.executable, "-m", "tests.deploy.standin", str(folder.path), *behaviours]


def quiet(_words: str) -> None:
    """Hear what happens and keep it to oneself."""


if __name__ == "__main__":
    path, *words = sys.argv[1 : sys.argv.index("--report")]
    pipe = int(sys.argv[sys.argv.index("--report") + 1])
    sys.exit(0 if supervise(StandIn(RunFolder(Path(path)), words), pipe) else 1)
