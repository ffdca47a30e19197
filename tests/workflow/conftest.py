"""Workflow on a real database, reached through its HTTP app and its inbox."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from services.workflow.app import create_app
from services.workflow.settings import WorkflowSettings
from shared import migrations
from shared.db import Database
from shared.tokens import TokenVerifier
from shared.writes import Writer
from tests.support.servers import Databases
from tests.support.tokens import Issuer
from tests.workflow.office import Office


@pytest.fixture(scope="package")
async def database_url(databases: Databases) -> AsyncIterator[str]:
    url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, "services.workflow", url)
    yield url
    await databases.drop_database(url.rpartition("/")[2])


@pytest.fixture(scope="package")
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    """Make the app without its loops: nothing is retried or published but by the test's own hand."""
    settings = WorkflowSettings.model_validate({"database_url": database_url, "amqp_url": "amqp://nobody/"})
    app = create_app(settings)
    database = app.state.database = Database(database_url, service="workflow")
    app.state.writer = Writer(database)
    async with httpx.AsyncClient() as http:
        app.state.tokens = TokenVerifier(issuer=settings.issuer, jwks_url=settings.jwks_url, http=http)
        yield app
    await database.close()


@pytest.fixture
async def office(app: FastAPI) -> AsyncIterator[Office]:
    issuer = Issuer()
    issuer.trusted_by(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://workflow") as client:
        office = Office(app, client, issuer)
        yield office
        await office.clear()
