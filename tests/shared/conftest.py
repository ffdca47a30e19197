"""The toy's two sides on real databases, and a virtual host of its own for each test that asks for one."""

import io
import logging
from collections.abc import AsyncIterator, Iterator

import hypothesis
import pytest
from fastapi import FastAPI

from shared import log
from shared.db import Database
from tests.support.bus import Side, clear, create_tables
from tests.support.servers import Broker, Databases
from tests.support.toy import CURED
from tests.support.toyapp import Hooks, ToyClient, client_of, create_toy_app

# No example is too slow: the machine may be busy.
hypothesis.settings.register_profile("unhurried", deadline=None, max_examples=60)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="package")
async def toy_template(databases: Databases) -> AsyncIterator[str]:
    """Return the name of a database with the toy's tables, to be copied."""
    url = await databases.create_database()
    database = Database(url, service="toy")
    await create_tables(database)
    await database.close()
    yield url.rpartition("/")[2]
    await databases.drop_database(url.rpartition("/")[2])


async def _side(databases: Databases, template: str, name: str) -> AsyncIterator[Side]:
    url = await databases.create_database(template=template)
    database = Database(url, service=name, connections_max=10)
    yield Side(database)
    await database.close()
    await databases.drop_database(url.rpartition("/")[2])


@pytest.fixture(scope="package")
async def _speaking(databases: Databases, toy_template: str) -> AsyncIterator[Side]:
    async for side in _side(databases, toy_template, "toy"):
        yield side


@pytest.fixture(scope="package")
async def _listening(databases: Databases, toy_template: str) -> AsyncIterator[Side]:
    async for side in _side(databases, toy_template, "ear"):
        yield side


@pytest.fixture
async def toy(_speaking: Side) -> AsyncIterator[Side]:
    """Lend the side that tells; it is emptied afterwards."""
    CURED.clear()
    yield _speaking
    await clear(_speaking)


@pytest.fixture
async def ear(_listening: Side) -> AsyncIterator[Side]:
    """Lend the side that listens; it is emptied afterwards."""
    CURED.clear()
    yield _listening
    await clear(_listening)


@pytest.fixture
def amqp_url(broker: Broker) -> Iterator[str]:
    """Return the address of an empty virtual host."""
    url = broker.create_vhost()
    yield url
    broker.drop_vhost(url.rpartition("/")[2])


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Return what this process logs, as it would stand on its standard output."""
    log.configure("toy", "INFO")
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


@pytest.fixture(scope="package")
async def _toy_app(_speaking: Side) -> AsyncIterator[FastAPI]:
    app = create_toy_app(_speaking.database.dsn)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(_toy_app: FastAPI, toy: Side) -> AsyncIterator[ToyClient]:
    """Lend a client of the toy's app, without hooks."""
    _toy_app.state.hooks = Hooks()
    async with client_of(_toy_app) as client:
        yield client
