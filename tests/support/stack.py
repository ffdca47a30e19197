"""A whole stack of one's own, started by the command that people use."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local import ports
from deploy.local.control import Control
from deploy.local.folder import ROOT, RunFolder

UP_S = 170


class Stack:
    """A running stack: what it says of itself, and a hand on its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.control = Control(RunFolder(folder))
        self.facts: dict[str, Any] = json.loads((folder / "stack.json").read_text())

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which `motcua` finds this stack."""
        return {**os.environ, "MOTCUA_RUN_DIR": str(self.folder)}


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """Start everything in a folder of its own; take it down at the end."""
    environment = {**os.environ, "MOTCUA_RUN_DIR": str(folder)}
    # Not the usual port of the door: it looks free to one stack while that of another one is being killed.
    RunFolder(folder).create()
    ports.choose(folder / "ports.json", ["gateway"])
    motcua = [sys.executable, "-m", "deploy.cli"]
    started = subprocess.run(
        [*motcua, "up"], cwd=ROOT, env=environment, timeout=UP_S, capture_output=True, text=True, check=False
    )
    assert started.returncode == 0, started.stdout + started.stderr
    yield Stack(folder)
    subprocess.run([*motcua, "down"], cwd=ROOT, env=environment, timeout=UP_S, check=True, capture_output=True)
