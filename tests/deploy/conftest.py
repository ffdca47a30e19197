"""Run folders whose processes are surely gone after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.control import Control
from deploy.local.folder import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    yield folder
    Control(folder).take_down()
