"""The gateway on a real database, as a real HTTP server before a real one that plays the services."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import orjson
import pytest
from fastapi import FastAPI
from joserfc.jwk import ECKey

from gateway.app import create_app
from gateway.operations.evidence import Call
from gateway.settings import GatewaySettings
from services.intake.app import create_app as create_intake
from services.intake.settings import IntakeSettings
from shared import clock, migrations
from shared.db import Database
from tests.gateway.backstage import SERVICES, Backstage
from tests.gateway.cashier import Cashier
from tests.gateway.hall import Hall
from tests.gateway.registrar import Registrar
from tests.gateway.visitor import Visitor
from tests.portal.process import PortalProcess
from tests.support.servers import Databases
from tests.support.serving import serving

OpenGateway = Callable[..., AbstractAsyncContextManager[Visitor]]
NO_BROKER = "amqp://guest:guest@127.0.0.1:1/"
ISSUER = "https://motcua.example"
SECRET = "s" * 43
EXCHANGE_KEY = base64.b64encode(b"k" * 32).decode()
CLIENTS: dict[str, tuple[str | None, str]] = {
    "one-stop": ("H32", "dossiers:submit dossiers:read dossiers:decide tasks:read payments:write results:read"),
    "one-stop-h32.14": ("H32.14", "dossiers:read dossiers:submit"),
    "other-province": ("H33", "dossiers:read sync:read"),
    "statistics": ("H32", "sync:read"),
    "national-portal": ("H32", "portal"),
    "hooks": ("H32", "webhooks:read webhooks:write sync:read"),
    "hooks-h32.14": ("H32.14", "webhooks:read webhooks:write"),
    "hooks-h33": ("H33", "webhooks:read webhooks:write"),
    "hooks-reader": ("H32", "webhooks:read"),
    "edocs-h32": ("H32", "edocs:read edocs:write"),
    "edocs-h32.14": ("H32.14", "edocs:read edocs:write"),
    "edocs-h33": ("H33", "edocs:read edocs:write"),
    "cataloguer": ("H32", "catalogue:write"),
    "ops": ("H32", "ops:read ops:act"),
    "lgsp-admin": ("H32", "services:read services:write"),
    "lgsp-reader": ("H32", "services:read"),
    "other-lgsp": ("H33", "services:read services:write"),
    "nobody": (None, "sync:read dossiers:read"),
    "registrar": ("H32", "clients:read clients:write clients:grant ops:read"),
    "registrar-h32.14": ("H32.14", "clients:read clients:write dossiers:read tasks:read"),
}

hypothesis.settings.register_profile("unhurried", deadline=None, max_examples=25)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(scope="package")
async def gateway_template(databases: Databases) -> AsyncIterator[str]:
    """Return the name of a migrated database, to be copied."""
    url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, "gateway", url)
    yield url.rpartition("/")[2]
    await databases.drop_database(url.rpartition("/")[2])


async def _copied(databases: Databases, template: str) -> AsyncIterator[str]:
    url = await databases.create_database(template=template)
    yield url
    await databases.drop_database(url.rpartition("/")[2])


async def _hall_of(url: str) -> AsyncIterator[Hall]:
    database = Database(url, service="gateway")
    yield Hall(database)
    await database.close()


@pytest.fixture(scope="package")
async def quiet_url(databases: Databases, gateway_template: str) -> AsyncIterator[str]:
    async for url in _copied(databases, gateway_template):
        yield url


@pytest.fixture(scope="package")
async def gateway_url(databases: Databases, gateway_template: str) -> AsyncIterator[str]:
    async for url in _copied(databases, gateway_template):
        yield url


@pytest.fixture(scope="package")
async def open_hall(quiet_url: str) -> AsyncIterator[Hall]:
    async for hall in _hall_of(quiet_url):
        yield hall


@pytest.fixture(scope="package")
async def open_house(gateway_url: str) -> AsyncIterator[Hall]:
    async for hall in _hall_of(gateway_url):
        yield hall


@pytest.fixture
async def hall(open_hall: Hall) -> AsyncIterator[Hall]:
    """Lend a gateway's database at which no gateway runs; it is emptied afterwards."""
    yield open_hall
    await open_hall.clear()


@pytest.fixture
async def house(open_house: Hall) -> AsyncIterator[Hall]:
    """Lend the database of the running gateway; it is emptied afterwards."""
    yield open_house
    await open_house.clear()


@pytest.fixture(scope="package")
def gateway_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Write the signing key and the clients; return the settings that name them."""
    folder: Path = tmp_path_factory.mktemp("gateway")
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"})
    (folder / "key.json").write_bytes(orjson.dumps(key.as_dict(private=True)))
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    clients: list[dict[str, Any]] = [
        {"client_id": name, "name": name, "agency": agency, "scopes": scopes.split(), "secret_sha256": digest}
        for name, (agency, scopes) in CLIENTS.items()
    ]
    for one in clients:
        if "edocs:read" in one["scopes"]:
            one["grants"] = [{"service": "edocs"}]
    gone = {**clients[0], "client_id": "gone", "active": False}
    (folder / "clients.json").write_bytes(orjson.dumps([*clients, gone]))
    return {"signing_key_file": str(folder / "key.json"), "clients_file": str(folder / "clients.json")}


@pytest.fixture(scope="package")
async def open_backstage() -> AsyncIterator[tuple[Backstage, str]]:
    backstage = Backstage()
    async with serving(backstage) as url:
        yield backstage, url


@pytest.fixture
def backstage(open_backstage: tuple[Backstage, str]) -> Backstage:
    """Lend the services behind the door."""
    open_backstage[0].forget()
    return open_backstage[0]


def settings_of(database_url: str, services_url: str, files: dict[str, str], **more: Any) -> GatewaySettings:
    """Return the settings of a gateway for tests."""
    values: dict[str, Any] = {
        "database_url": database_url,
        "amqp_url": NO_BROKER,
        "issuer": ISSUER,
        "portal_enabled": False,
        "upstream_timeout_s": 2,
        "body_bytes_max": 100_000,
        "failed_logins_per_minute": 1_000,
        "outgoing_allowed": "127.0.0.1/32",
        "outgoing_ports": "1-65535",
        "outgoing_http": True,
        "sealing_keys": EXCHANGE_KEY,
        "webhook_schedule_s": "0.05,0.1,0.2,0.4,0.8,86400",
        **{f"{service}_url": f"{services_url}/{service}" for service in SERVICES},
        **files,
        **more,
    }
    return GatewaySettings.model_validate(values)


@pytest.fixture(scope="package")
async def _gateway(
    gateway_url: str, open_backstage: tuple[Backstage, str], gateway_files: dict[str, str]
) -> AsyncIterator[tuple[FastAPI, str]]:
    app = create_app(settings_of(gateway_url, open_backstage[1], gateway_files))
    async with app.router.lifespan_context(app), serving(app) as url:
        yield app, url


@pytest.fixture
async def visitor(_gateway: tuple[FastAPI, str], house: Hall, backstage: Backstage) -> AsyncIterator[Visitor]:
    """Lend a client at the gateway's door."""
    app, url = _gateway
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        yield Visitor(app, http, SECRET)
    # What was only read is logged a little later: no test may find the entries of the one before.
    await app.state.evidence.store(Call(clock.now(), "end", None, "-", "-", "-", 0, 0, 0, 0, "-"))


@pytest.fixture
def open_gateway(
    gateway_url: str,
    open_backstage: tuple[Backstage, str],
    backstage: Backstage,
    gateway_files: dict[str, str],
    house: Hall,
) -> OpenGateway:
    """Lend a way to open gateways of one's own on the same database, which is emptied after the test."""
    del backstage, house

    @asynccontextmanager
    async def opened(*, database_url: str = gateway_url, port: int = 0, **settings: Any) -> AsyncIterator[Visitor]:
        app = create_app(settings_of(database_url, open_backstage[1], gateway_files, **settings))
        async with (
            app.router.lifespan_context(app),
            serving(app, port=port) as url,
            httpx.AsyncClient(base_url=url, timeout=60) as http,
        ):
            yield Visitor(app, http, SECRET)

    return opened


@pytest.fixture
def registrar(visitor: Visitor) -> Registrar:
    """Lend somebody who may register any client of the province with any right."""
    return Registrar(visitor)


@pytest.fixture(scope="package")
async def _replica(
    gateway_url: str, open_backstage: tuple[Backstage, str], gateway_files: dict[str, str]
) -> AsyncIterator[tuple[FastAPI, str]]:
    behind_proxies = {"trusted_proxies": "127.0.0.0/8", "certificate_proxies": "127.0.0.1"}
    app = create_app(settings_of(gateway_url, open_backstage[1], gateway_files, **behind_proxies))
    async with app.router.lifespan_context(app), serving(app) as url:
        yield app, url


@pytest.fixture
async def replica(_replica: tuple[FastAPI, str], visitor: Visitor) -> AsyncIterator[Visitor]:
    """Lend a client at a second gateway on the same database; it takes this machine for its proxy."""
    app, url = _replica
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        yield Visitor(app, http, SECRET)
    await app.state.evidence.store(Call(clock.now(), "end", None, "-", "-", "-", 0, 0, 0, 0, "-"))
    del visitor


@pytest.fixture(scope="package")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalProcess]:
    """Run the mocked national portal, a process of its own."""
    with PortalProcess(tmp_path_factory.mktemp("portal"), gateway_url="http://127.0.0.1:1") as process:
        yield process


@pytest.fixture
def dialect() -> str:
    """Say in which words the portal is spoken to; tests ask for others by parametrising."""
    return "legacy"


@pytest.fixture
async def cashier(hall: Hall, portal: PortalProcess, dialect: str) -> AsyncIterator[Cashier]:
    """Lend a payer before an empty portal."""
    async with httpx.AsyncClient(base_url=f"{portal.url}/_control", timeout=30) as control:
        (await control.post("/reset")).raise_for_status()
        yield Cashier(hall, portal.url, control, dialect)


@pytest.fixture(scope="module")
async def intake(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[FastAPI, Path]]:
    """Run the real intake, for the module's tests alone; it lends the app and the folder of its files."""
    url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, "services.intake", url)
    folder = tmp_path_factory.mktemp("kept")
    values = {"database_url": url, "amqp_url": NO_BROKER, "storage_url": folder.as_uri(), "issuer": ISSUER}
    app = create_intake(IntakeSettings.model_validate({**values, "catalogue_poll_s": 0.1}))
    async with app.router.lifespan_context(app):
        yield app, folder
    await databases.drop_database(url.rpartition("/")[2])
