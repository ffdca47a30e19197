"""After thousands of random acts every account balances: clocks, tasks, consultations, events."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import httpx
import pytest

from services.workflow.app import create_app
from services.workflow.settings import WorkflowSettings
from shared import migrations
from shared.db import Database
from tests.support.servers import Databases
from tests.support.tokens import Issuer
from tests.workflow.balances import assert_all_balances, list_cases
from tests.workflow.office import Office
from tests.workflow.simulation import ACTS, Simulation, finish_all, work_on

ACTS_DONE, ACTS_AT_ONCE = 1_500, 100
ACTS_LARGE, SEASON, PROCESSES_AT_ONCE = 1_000_000, 25_000, 2


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_account_balances(office: Office, seed: int) -> None:
    simulation = Simulation(random.Random(seed))
    await work_on(office, simulation, acts=ACTS_DONE, at_once=ACTS_AT_ONCE)
    assert simulation.done.keys() >= ACTS.keys()
    assert simulation.refused.keys() >= ACTS.keys() - {"pay", "withdraw", "complete_many", "hear_of_result"}
    await assert_all_balances(office)
    await finish_all(office, simulation)
    await assert_all_balances(office)
    assert {case.status for case in await list_cases(office)} == {"completed", "withdrawn"}


@pytest.mark.large
@pytest.mark.timeout(3_600)
async def test_every_account_balances_after_a_million_acts(databases: Databases) -> None:
    """Seasons of 25,000 acts side by side; after each every account is balanced and the office starts anew."""
    urls = [await databases.create_database() for _ in range(PROCESSES_AT_ONCE)]
    seeds = range(1_000, 1_000 + ACTS_LARGE // SEASON)
    with ProcessPoolExecutor(PROCESSES_AT_ONCE, mp_context=get_context("spawn")) as offices:
        loop = asyncio.get_running_loop()
        turns = [
            loop.run_in_executor(offices, partial(run_seasons, url, seeds[nth::PROCESSES_AT_ONCE]))
            for nth, url in enumerate(urls)
        ]
        acts = sum(await asyncio.gather(*turns), Counter())
    assert acts.total() >= ACTS_LARGE
    assert acts.keys() >= ACTS.keys()
    for url in urls:
        await databases.drop_database(url.rpartition("/")[2])


def run_seasons(url: str, seeds: Sequence[int]) -> Counter[str]:
    """Work through seasons in an empty database, in a process of one's own; return how often each act was tried."""
    migrations.upgrade("services.workflow", url)
    return asyncio.run(_seasons(url, seeds))


async def _seasons(url: str, seeds: Sequence[int]) -> Counter[str]:
    settings = WorkflowSettings.model_validate({"database_url": url, "amqp_url": "amqp://nobody/"})
    app = create_app(settings)
    app.state.database = Database(url, service="workflow")
    acts: Counter[str] = Counter()
    async with httpx.AsyncClient() as client:
        office = Office(app, client, Issuer())
        for seed in seeds:
            simulation = Simulation(random.Random(seed))
            await work_on(office, simulation, acts=SEASON, at_once=500)
            await finish_all(office, simulation)
            await assert_all_balances(office)
            assert {case.status for case in await list_cases(office)} == {"completed", "withdrawn"}
            acts += simulation.done + simulation.refused
            await office.clear()
    await app.state.database.close()
    return acts
