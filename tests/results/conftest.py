"""Results on a real database and a real folder, reached through its HTTP app and its inbox."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from deploy.local.papers import Seal
from deploy.local.seals import ensure_seals
from services.results.app import create_app
from services.results.settings import ResultsSettings
from shared import migrations
from tests.results.desk import Desk
from tests.support.servers import Databases
from tests.support.tokens import Issuer

NO_BROKER = "amqp://guest:guest@127.0.0.1:1/"
"""Nobody listens there: what is told stays in the outbox, where tests read it."""


@pytest.fixture(scope="package")
async def database_url(databases: Databases) -> AsyncIterator[str]:
    url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, "services.results", url)
    yield url
    await databases.drop_database(url.rpartition("/")[2])


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archive")


@pytest.fixture(scope="package")
def seals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with an authority and a seal that it certified."""
    folder = tmp_path_factory.mktemp("seals")
    ensure_seals(folder, agency="H32", name="UBND tỉnh", password="")
    return folder


@pytest.fixture(scope="package")
def seal(seals: Path) -> Seal:
    return Seal.from_file(seals / "H32.p12", "")


@pytest.fixture(scope="package")
def trust(seals: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a trust folder with one list, `province`."""
    folder = tmp_path_factory.mktemp("trust")
    (folder / "province").mkdir()
    shutil.copy(seals / "ca.pem", folder / "province")
    return folder


@pytest.fixture(scope="package")
async def app(database_url: str, folder: Path, trust: Path) -> AsyncIterator[FastAPI]:
    settings = ResultsSettings.model_validate(
        {
            "database_url": database_url,
            "amqp_url": NO_BROKER,
            "storage_url": folder.as_uri(),
            "document_bytes_max": 4_000_000,
            "signature_policy": "validated",
            "trust_folder": str(trust),
            "scrub_bytes_per_s": 0,
            "verify_bytes_max": 2_000_000,
        }
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def desk(app: FastAPI, folder: Path) -> AsyncIterator[Desk]:
    issuer = Issuer()
    issuer.trusted_by(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://results") as client:
        desk = Desk(app, client, issuer, folder)
        yield desk
        await desk.clear()
