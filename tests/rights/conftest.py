"""All five processes of the province in one, on real databases, with one issuer that they trust."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from deploy.docs.parts import PARTS
from shared import log, migrations
from tests.gateway.conftest import settings_of
from tests.intake.counter import Counter
from tests.rights.doors import all_scopes
from tests.rights.gateway_seeds import CODE
from tests.rights.house import NO_BROKER, OWNER, WITHOUT_GRANTS, House, client_of
from tests.rights.lives import Lives
from tests.rights.nouns import ITS_FRIEND, STRANGERS, WHO_MAY, Seeds
from tests.rights.seeds import sow
from tests.support.servers import Databases
from tests.support.serving import serving
from tests.support.tokens import ISSUER, Issuer

BEHIND = tuple(part for part in PARTS if part.name != "gateway")


async def _migrated(databases: Databases, package: str) -> str:
    url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, package, url)
    return url


def _settings(name: str, settings_class: Any, url: str, folder: Path) -> Any:
    stored = {"storage_url": folder.as_uri()}
    more: dict[str, dict[str, Any]] = {
        "intake": stored,
        "results": {**stored, "signature_policy": "validated", "scrub_bytes_per_s": 0},
    }
    needed = {"platform_url": "http://127.0.0.1:1", "platform_partner": "P", "platform_secret": "S"}
    return settings_class.model_validate({"database_url": url, "amqp_url": NO_BROKER, **needed, **more.get(name, {})})


@pytest.fixture(scope="package")
async def house(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Run every process; the gateway reaches the others over HTTP."""
    urls = {part.name: await _migrated(databases, part.package) for part in PARTS}
    issuer, apps, folders = Issuer(), {}, {}
    async with AsyncExitStack() as stack:
        addresses = {}
        for part in BEHIND:
            folders[part.name] = tmp_path_factory.mktemp(part.name)
            settings = _settings(part.name, part.settings, urls[part.name], folders[part.name])
            apps[part.name] = await _open(stack, part.room("app").create_app(settings), issuer)
            addresses[f"{part.name}_url"] = await stack.enter_async_context(serving(apps[part.name]))
        files = {"clients_file": str(_clients(tmp_path_factory.mktemp("gateway") / "clients.json"))}
        own = settings_of(
            urls["gateway"],
            "",
            files,
            issuer=ISSUER,
            data_service_hosts="127.0.0.1",
            **addresses,
            upstream_timeout_s=30,
        )
        apps["gateway"] = await _open(stack, PARTS[-1].room("app").create_app(own), issuer)
        yield House(apps, issuer, folders)
    for url in urls.values():
        await databases.drop_database(url.rpartition("/")[2])


@pytest.fixture(scope="package")
async def seeds(house: House) -> Seeds:
    """Make one of everything at one agency."""
    return await sow(house)


@pytest.fixture(scope="module")
def logged() -> Iterator[io.StringIO]:
    """Lend all that is logged, at its most talkative, as it would be written."""
    root, written = logging.getLogger(), io.StringIO()
    log.configure("rights", "DEBUG")
    ours = root.handlers[0]
    assert isinstance(ours, logging.StreamHandler)
    before = ours.setStream(written)
    yield written
    ours.setStream(before or io.StringIO())
    root.setLevel("INFO")


@pytest.fixture(scope="module")
async def lives(house: House, logged: io.StringIO) -> AsyncIterator[Lives]:
    transport = httpx.ASGITransport(house.apps["intake"], raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://intake", timeout=60) as client:
        counter = Counter(house.apps["intake"], client, house.issuer, house.folders["intake"])
        found = Lives(house, client, counter)
        await found.lead()
        yield found


async def _open(stack: AsyncExitStack, app: FastAPI, issuer: Issuer) -> FastAPI:
    await stack.enter_async_context(app.router.lifespan_context(app))
    issuer.trusted_by(app)
    return app


def _clients(file: Path) -> Path:
    """Register a client of every agency, with all scopes: the gateway lets in nobody whom it does not know."""
    agencies = dict.fromkeys((*WHO_MAY, ITS_FRIEND, *STRANGERS))
    known = {"one-stop": "H32", WITHOUT_GRANTS: "H32", **{client_of(agency): agency for agency in agencies}}
    usual = {"scopes": sorted(all_scopes()), "secret_sha256": "0" * 64}
    listed = [
        {"client_id": name, "name": name, "agency": agency, "grants": _grants(name), **usual}
        for name, agency in known.items()
    ]
    file.write_bytes(orjson.dumps(listed))
    return file


def _grants(client: str) -> list[dict[str, str]]:
    """Return a client's rights at data services: documents for all, the owner's own service for its client alone."""
    services = {WITHOUT_GRANTS: [], client_of(OWNER): ["edocs", CODE]}.get(client, ["edocs"])
    return [{"service": service} for service in services]
