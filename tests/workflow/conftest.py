"""Workflow on a real database, reached through its HTTP app and its inbox."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from services.workflow.app import create_app
from services.workflow.settings import WorkflowSettings
from shared import migrations
from tests.support.servers import Databases
from tests.support.tokens import Issuer
from tests.workflow.office import Office

NO_BROKER = "amqp://guest:guest@127.0.0.1:1/"
"""Nobody listens there: what is told stays in the outbox, where tests read it."""


@pytest.fixture(scope="session")
async def database_url(databases: Databases) -> AsyncIterator[str]:
    url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, "services.workflow", url)
    yield url
    await databases.drop_database(url.rpartition("/")[2])


@pytest.fixture(scope="session")
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    settings = WorkflowSettings.model_validate({"database_url": database_url, "amqp_url": NO_BROKER})
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def office(app: FastAPI) -> AsyncIterator[Office]:
    issuer = Issuer()
    issuer.trusted_by(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://workflow") as client:
        office = Office(app, client, issuer)
        yield office
        await office.clear()
