"""A whole stack with its sandbox, and the client that is generated from what its door says."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.integrators.client import generate
from deploy.integrators.command import CONTRACT
from tests.support.stack import Stack, running_stack


@pytest.fixture(scope="package")
def contract() -> dict[str, Any]:
    """Return the committed contract."""
    return json.loads(CONTRACT.read_text())


@pytest.fixture(scope="package")
def package(tmp_path_factory: pytest.TempPathFactory, contract: dict[str, Any]) -> Path:
    """Return the folder of a client that was generated from the contract."""
    folder = tmp_path_factory.mktemp("client")
    generate(contract, folder)
    return folder


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Lend a whole stack."""
    with running_stack(tmp_path_factory.mktemp("sandbox") / "run") as running:
        yield running


@pytest.fixture(scope="package")
def partner(stack: Stack, package: Path) -> dict[str, str]:
    """Return the environment of a partner of the sandbox."""
    known = stack.facts["clients"]["sandbox"]
    return {
        **stack.environment,
        "GATEWAY": stack.facts["gateway_url"],
        "CLIENT_ID": known["client_id"],
        "CLIENT_SECRET": known["client_secret"],
        "PYTHONPATH": str(package),
    }


def run(command: list[str], environment: dict[str, str], *, code: int = 0) -> str:
    """Run a program as a person would; return what it printed."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


PYTHON = sys.executable
