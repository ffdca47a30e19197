"""The toy's two sides, as the mechanics' tests use them; and a whole stack for the faults of the whole."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.control import Control
from deploy.local.folder import ROOT, RunFolder
from tests.shared.conftest import _listening, _speaking, amqp_url, ear, toy, toy_template

__all__ = ["_listening", "_speaking", "amqp_url", "ear", "toy", "toy_template"]

UP_S = 170


class Stack:
    """A running stack: what it says of itself, and a hand on its processes."""

    def __init__(self, folder: Path) -> None:
        self.control = Control(RunFolder(folder))
        self.facts: dict[str, Any] = json.loads((folder / "stack.json").read_text())


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start everything in a folder of its own, with the command that people use; take it down at the end."""
    folder = tmp_path_factory.mktemp("stack") / "run"
    environment = {**os.environ, "MOTCUA_RUN_DIR": str(folder)}
    motcua = [sys.executable, "-m", "deploy.cli"]
    started = subprocess.run(
        [*motcua, "up"], cwd=ROOT, env=environment, timeout=UP_S, capture_output=True, text=True, check=False
    )
    assert started.returncode == 0, started.stdout + started.stderr
    yield Stack(folder)
    subprocess.run([*motcua, "down"], cwd=ROOT, env=environment, timeout=UP_S, check=True, capture_output=True)
