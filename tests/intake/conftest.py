"""Intake on a real database and a real folder, reached through its HTTP app and its inbox."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from services.intake.app import create_app
from services.intake.settings import IntakeSettings
from shared import migrations
from tests.intake.counter import Counter
from tests.support.servers import Databases
from tests.support.tokens import Issuer

NO_BROKER = "amqp://guest:guest@127.0.0.1:1/"
"""Nobody listens there: what is told stays in the outbox, where tests read it."""


@pytest.fixture(scope="package")
async def database_url(databases: Databases) -> AsyncIterator[str]:
    url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, "services.intake", url)
    yield url
    await databases.drop_database(url.rpartition("/")[2])


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


@pytest.fixture(scope="package")
def settings(database_url: str, folder: Path) -> IntakeSettings:
    return IntakeSettings.model_validate(
        {"database_url": database_url, "amqp_url": NO_BROKER, "storage_url": folder.as_uri(), "catalogue_poll_s": 0.2}
    )


@pytest.fixture(scope="package")
async def app(settings: IntakeSettings) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def counter(app: FastAPI, folder: Path) -> AsyncIterator[Counter]:
    """Give the one-stop counter to a test; it is empty again afterwards."""
    issuer = Issuer()
    issuer.trusted_by(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://intake") as client:
        counter = Counter(app, client, issuer, folder)
        yield counter
        await counter.clear()
