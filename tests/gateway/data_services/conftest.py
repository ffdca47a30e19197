"""A gateway with data services, before a real ministry; what clients are granted is put into the gateway's book."""

import base64
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from gateway.app import create_app
from gateway.operations.evidence import Call
from gateway.operations.rights import Grant
from shared import clock
from shared.db import Database
from tests.gateway.conftest import SECRET, settings_of
from tests.gateway.data_services.desk import Desk, Granted
from tests.gateway.data_services.ministry import Ministry
from tests.gateway.hall import Hall
from tests.gateway.visitor import Visitor
from tests.support.servers import Databases
from tests.support.serving import serving

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="package")
async def open_ministry() -> AsyncIterator[tuple[Ministry, str]]:
    ministry = Ministry()
    async with serving(ministry) as url:
        yield ministry, url


@pytest.fixture(scope="package")
async def services_gateway(
    databases: Databases, gateway_template: str, gateway_files: dict[str, str]
) -> AsyncIterator[tuple[FastAPI, str, Hall, Granted]]:
    url = await databases.create_database(template=gateway_template)
    more = {"data_service_hosts": "127.0.0.1, *.example", "sealing_keys": KEY, "body_bytes_max": 10_000_000}
    app = create_app(settings_of(url, "http://127.0.0.1:1", gateway_files, **more))
    database = Database(url, service="gateway")
    async with app.router.lifespan_context(app), serving(app) as address:
        yield app, address, Hall(database), Granted(app.state.book)
    await database.close()
    await databases.drop_database(url.rpartition("/")[2])


@pytest.fixture
async def desk(
    services_gateway: tuple[FastAPI, str, Hall, Granted], open_ministry: tuple[Ministry, str]
) -> AsyncIterator[Desk]:
    """Lend the desk at which data services are registered and called; everything is forgotten afterwards."""
    app, address, hall, granted = services_gateway
    ministry, ministry_url = open_ministry
    ministry.forget()
    granted.clear()
    granted["one-stop"] = (Grant("*"),)
    async with httpx.AsyncClient(base_url=address, timeout=30) as http:
        found = Desk(Visitor(app, http, SECRET), hall, ministry, ministry_url, granted)
        yield found
        if ministry.hold:
            ministry.hold.set()
    await app.state.data_services.failures._try_write()
    # What was only read is logged a little later: no test may find the entries of the one before.
    await app.state.evidence.store(Call(clock.now(), "end", None, "-", "-", "-", 0, 0, 0, 0, "-"))
    await hall.clear()
    app.state.data_services.lines._known.clear()
    await app.state.data_service_refresher.read()
