"""A whole house for schemathesis: the gateway with the four services behind it, each on a real database."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from joserfc.jwk import ECKey

from deploy.docs.parts import PARTS, Part
from shared import migrations
from tests.conformity.furnishing import Furnisher
from tests.conformity.judge import ALL_SCOPES, CLIENT
from tests.gateway.hall import Hall
from tests.support.servers import Databases
from tests.support.serving import serving

ISSUER = "https://motcua.example"
SECRET = "s" * 43
SETTINGS: dict[str, Any] = {"amqp_url": "amqp://guest:guest@127.0.0.1:1/", "issuer": ISSUER}
OWN: dict[str, dict[str, Any]] = {
    # The public checks have a limit for each address, and schemathesis has only one.
    "gateway": {
        "portal_enabled": False,
        "public_calls_per_minute": 1_000_000,
        "failed_logins_per_minute": 1_000_000,
        "outgoing_allowed": "127.0.0.1/32",
        "outgoing_ports": "1-65535",
        "outgoing_http": True,
        "data_service_hosts": "127.0.0.1",
        "sealing_keys": base64.b64encode(b"k" * 32).decode(),
    },
    "payment": {"platform_url": "http://127.0.0.1:1", "platform_partner": "partner", "platform_secret": "secret"},
}


@dataclass(frozen=True)
class Door:
    """The gateway as a client sees it."""

    url: str
    token: str
    known: dict[str, list[str]]


class House(AsyncExitStack):
    """Processes' apps on databases of their own, as real servers."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        super().__init__()
        self.databases = databases
        self.folder = folder
        self.apps: dict[str, FastAPI] = {}

    async def serve(self, part: Part, **settings: Any) -> str:
        """Start a process's app on a new database; return its address."""
        url = await self.databases.create_database()
        self.push_async_callback(self.databases.drop_database, url.rpartition("/")[2])
        await asyncio.to_thread(migrations.upgrade, part.package, url)
        if "storage_url" in part.settings.model_fields:
            settings["storage_url"] = (self.folder / part.name).as_uri()
        found = part.settings.model_validate({**SETTINGS, **OWN.get(part.name, {}), "database_url": url, **settings})
        app = self.apps[part.name] = part.room("app").create_app(found)
        await self.enter_async_context(app.router.lifespan_context(app))
        return await self.enter_async_context(serving(app))


@pytest.fixture(scope="module")
async def door(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """Lend a gateway behind which everything works, with one of everything."""
    folder = tmp_path_factory.mktemp("door")
    *services, gateway = sorted(PARTS, key=lambda part: part.name == "gateway")
    async with House(databases, folder) as house:
        urls = {f"{part.name}_url": await house.serve(part) for part in services}
        url = await house.serve(gateway, **urls, **_files(folder))
        state = house.apps["gateway"].state
        for part in services:
            house.apps[part.name].state.tokens.use_keys(state.issuer.keys)
        token = await _token(url)
        async with httpx.AsyncClient(base_url=url, timeout=30, headers={"Authorization": f"Bearer {token}"}) as http:
            known = await Furnisher(http, Hall(state.database)).furnish()
        yield Door(url, token, known)


def _files(folder: Path) -> dict[str, str]:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"})
    (folder / "key.json").write_bytes(orjson.dumps(key.as_dict(private=True)))
    client = {
        "client_id": CLIENT,
        "name": CLIENT,
        "agency": "H32",
        "scopes": list(ALL_SCOPES),
        "grants": [{"service": "*"}, {"service": "edocs"}],
        "secret_sha256": hashlib.sha256(SECRET.encode()).hexdigest(),
    }
    (folder / "clients.json").write_bytes(orjson.dumps([client]))
    files = {"signing_key_file": "key.json", "clients_file": "clients.json"}
    return {name: str(folder / file) for name, file in files.items()} | {"token_lifetime_s": str(6 * 3600)}


async def _token(url: str) -> str:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        asked = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
        return (await client.post("/oauth/token", data=asked)).raise_for_status().json()["access_token"]
