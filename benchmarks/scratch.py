"""Databases and a virtual host of the benchmarks' own, on the stack's servers; gone afterwards."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx

VHOST = "motcua-bench"


class Scratch:
    """The servers, and what was made on them."""

    def __init__(self, stack: Mapping[str, Any]) -> None:
        self.stack = stack
        self._made: list[str] = []
        self.roles: list[str] = []
        """Made by whoever measures; dropped with the databases."""
        rabbitmq = stack["rabbitmq"]
        parts = urlsplit(rabbitmq["amqp_url"])
        login = f"{rabbitmq['username']}:{rabbitmq['password']}"
        self.amqp_url = urlunsplit(parts._replace(netloc=f"{login}@{parts.hostname}:{parts.port}", path=f"/{VHOST}"))

    async def database(self, name: str) -> str:
        """Make an empty database; return its URL."""
        admin = self.stack["postgres"]["admin_url"]
        connection = await asyncpg.connect(admin)
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()
        self._made.append(name)
        return urlunsplit(urlsplit(admin)._replace(path=f"/{name}"))

    async def _broker(self, method: str, path: str, body: object = None) -> None:
        rabbitmq = self.stack["rabbitmq"]
        login = (rabbitmq["username"], rabbitmq["password"])
        async with httpx.AsyncClient(base_url=rabbitmq["management_url"], auth=login, timeout=30) as client:
            answer = await client.request(method, path, json=body)
            if method != "DELETE":
                answer.raise_for_status()

    async def drop(self) -> None:
        """Remove everything that was made."""
        connection = await asyncpg.connect(self.stack["postgres"]["admin_url"])
        for name in self._made:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        for role in self.roles:
            await connection.execute(f'DROP ROLE IF EXISTS "{role}"')
        await connection.close()
        await self._broker("DELETE", f"/api/vhosts/{VHOST}")

    async def make_vhost(self) -> None:
        """Make the virtual host and give the administrator its rights."""
        user = self.stack["rabbitmq"]["username"]
        await self._broker("PUT", f"/api/vhosts/{VHOST}")
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        await self._broker("PUT", f"/api/permissions/{VHOST}/{user}", rights)


@asynccontextmanager
async def scratch_on(stack: Mapping[str, Any]) -> AsyncIterator[Scratch]:
    """Yield servers to write on; clean up afterwards, also after a failure."""
    scratch = Scratch(stack)
    await scratch.make_vhost()
    try:
        yield scratch
    finally:
        await scratch.drop()
