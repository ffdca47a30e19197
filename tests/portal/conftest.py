"""A real portal process per module, emptied before each test; and a province that it can call."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.portal.process import PortalProcess
from tests.portal.province import Province
from tests.portal.wire import Wire


@pytest.fixture(scope="module")
def province() -> Iterator[Province]:
    with Province() as running:
        yield running


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory, province: Province) -> Iterator[PortalProcess]:
    with PortalProcess(tmp_path_factory.mktemp("portal"), gateway_url=province.url) as running:
        yield running


@pytest.fixture
def portal(process: PortalProcess, province: Province) -> Iterator[Wire]:
    """Empty the portal and log in, as a client sees it."""
    with Wire(process.url) as wire:
        wire.control("POST", "/reset")
        province.forget()
        wire.log_in()
        yield wire


@pytest.fixture
def own_process(tmp_path: Path, province: Province) -> Iterator[PortalProcess]:
    """Start a portal for one test only, that it may kill and start again."""
    province.forget()
    with PortalProcess(tmp_path, gateway_url=province.url) as running:
        yield running
