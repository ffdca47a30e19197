"""Payment on a real database, as a real HTTP server, beside a real process of the mocked payment platform."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from deploy.local.seals import ensure_seals
from services.payment.app import create_app
from services.payment.settings import PaymentSettings
from shared import migrations
from tests.payment.providers import (
    BANK_CLIENT,
    BANK_SECRET,
    BANK_SECRET_PREVIOUS,
    ROUTES,
    TMN_CODE,
    VNPAY_SECRET,
    VNPAY_SECRET_PREVIOUS,
    MockProcess,
)
from tests.payment.till import Till
from tests.portal.process import PARTNER, SECRET, PortalProcess
from tests.support.served import free_port
from tests.support.servers import Databases
from tests.support.tokens import Issuer

SEALS_PASSWORD = "seals"
NO_BROKER = "amqp://guest:guest@127.0.0.1:1/"
"""Nobody listens there: what is told stays in the outbox, where tests read it."""


@pytest.fixture(scope="package")
async def database_url(databases: Databases) -> AsyncIterator[str]:
    url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, "services.payment", url)
    yield url
    await databases.drop_database(url.rpartition("/")[2])


@pytest.fixture(scope="package")
def door(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Return the port of the gateway that the platform calls back."""
    return free_port(tmp_path_factory.mktemp("door"))


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory, door: int) -> Iterator[PortalProcess]:
    folder = tmp_path_factory.mktemp("platform")
    with PortalProcess(folder, gateway_url=f"http://127.0.0.1:{door}", portal_gateway_timeout_s="30") as process:
        yield process


@pytest.fixture(scope="package")
def seals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the seal of H32 and the certificate of who vouches for it."""
    folder = tmp_path_factory.mktemp("seals")
    ensure_seals(folder, agency="H32", name="UBND tỉnh (thử nghiệm)", password=SEALS_PASSWORD)
    return folder


@pytest.fixture(scope="package")
def vnpay(tmp_path_factory: pytest.TempPathFactory, door: int) -> Iterator[MockProcess]:
    with MockProcess("vnpay", tmp_path_factory.mktemp("vnpay"), f"http://127.0.0.1:{door}") as process:
        yield process


@pytest.fixture(scope="package")
def bank(tmp_path_factory: pytest.TempPathFactory, door: int) -> Iterator[MockProcess]:
    with MockProcess("bank", tmp_path_factory.mktemp("bank"), f"http://127.0.0.1:{door}") as process:
        yield process


@pytest.fixture(scope="package")
async def app(
    database_url: str, platform: PortalProcess, seals: Path, vnpay: MockProcess, bank: MockProcess
) -> AsyncIterator[FastAPI]:
    settings = PaymentSettings.model_validate(
        {
            "database_url": database_url,
            "amqp_url": NO_BROKER,
            "platform_url": platform.url,
            "platform_partner": PARTNER,
            "platform_secret": SECRET,
            "platform_timeout_s": 1.0,
            "platform_poll_s": 0.05,
            "platform_secret_previous": "SECRET2025",
            "vnpay_url": vnpay.url,
            "vnpay_tmn_code": TMN_CODE,
            "vnpay_secret": VNPAY_SECRET,
            "vnpay_secret_previous": VNPAY_SECRET_PREVIOUS,
            "bank_url": bank.url,
            "bank_client": BANK_CLIENT,
            "bank_secret": BANK_SECRET,
            "bank_secret_previous": BANK_SECRET_PREVIOUS,
            "provider_routes": ROUTES,
            "seals_folder": seals,
            "seals_password": SEALS_PASSWORD,
        }
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture(scope="package")
async def gateway(app: FastAPI, door: int) -> AsyncIterator[None]:
    """Stand where the gateway stands: payment under /api/v1, on a port that the platform can call."""
    outside = FastAPI()
    outside.mount("/api/v1", app)
    config = uvicorn.Config(outside, host="127.0.0.1", port=door, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await serving


@pytest.fixture
async def till(
    app: FastAPI, gateway: None, platform: PortalProcess, vnpay: MockProcess, bank: MockProcess
) -> AsyncIterator[Till]:
    issuer = Issuer()
    issuer.trusted_by(app)
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://payment") as client,
        httpx.AsyncClient(base_url=platform.url) as control,
        httpx.AsyncClient(base_url=vnpay.url) as at_vnpay,
        httpx.AsyncClient(base_url=bank.url) as at_bank,
    ):
        till = Till(app, client, control, issuer, at_vnpay, at_bank)
        await till.clear()
        yield till
