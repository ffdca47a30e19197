"""Seventy-two hours without the portal: everything is told afterwards, in order, once, with the moment it was true."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from shared import clock
from tests.gateway.cashier import Cashier
from tests.gateway.hall import Hall
from tests.gateway.outage import HOURS, Outage, began_at
from tests.gateway.wandering import wander
from tests.portal.process import PortalProcess


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where the portal keeps what it was told."""
    return tmp_path


@pytest.fixture
def process(folder: Path) -> Iterator[PortalProcess]:
    """Run a portal of its own, which may be ended."""
    with PortalProcess(folder, gateway_url="http://127.0.0.1:1") as process:
        yield process


@pytest.fixture
async def outage(hall: Hall, process: PortalProcess, folder: Path) -> AsyncIterator[Outage]:
    """Lend an outage that may begin."""
    async with httpx.AsyncClient(base_url=f"{process.url}/_control", timeout=60) as control:
        yield Outage(hall, Cashier(hall, process.url, control), process, folder)


async def play(outage: Outage, dossiers: int, capsys: pytest.CaptureFixture[str]) -> None:
    with clock.running(clock.SimulatedTime(began_at())) as sim:
        assert isinstance(sim, clock.SimulatedTime)
        lives = wander(dossiers, began=began_at(), hours=HOURS, seed=dossiers)
        found = await outage.last(lives, sim)
        assert found.wrong == []
        summary = await outage.cashier.summary()
        assert (summary["violations"], summary["disorder"], summary["dossiers"]) == (0, 0, dossiers)
        assert summary["statuses"] == found.statuses
        # A portal that is away is asked by one dossier at a time, after pauses: hundreds of times in three days.
        assert found.calls_while_down < 2 * 400 + HOURS * 3600 / 150 + 50
        run = await outage.auditor.reconcile()
        assert (run["differences"], run["in_step"], run["listed"]) == (0, dossiers, dossiers)
        assert await outage.auditor.differences() == []
    with capsys.disabled():
        print(f"\n{found.told()}")  # noqa: T201 - the figures of the proof


async def test_outage_of_three_days_is_caught_up_with(outage: Outage, capsys: pytest.CaptureFixture[str]) -> None:
    await play(outage, 200, capsys)


@pytest.mark.large
@pytest.mark.timeout(5400)
async def test_outage_of_three_days_with_50_000_dossiers_moving_is_caught_up_with(
    outage: Outage, capsys: pytest.CaptureFixture[str]
) -> None:
    await play(outage, 50_000, capsys)
