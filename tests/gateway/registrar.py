"""Somebody who manages clients at a gateway's door, and the clients themselves."""

from collections.abc import Mapping
from typing import Any

import httpx

from shared.ids import new_id
from tests.gateway.visitor import Visitor
from tests.support.assertions import eventually

CLIENTS = "/api/v1/clients"
CREDENTIALS = {"grant_type": "client_credentials"}


class Registrar:
    """Registers clients, gives them secrets, and lets them call."""

    def __init__(self, visitor: Visitor, who: str = "registrar") -> None:
        self.visitor = visitor
        self.http = visitor.http
        self.who = who

    async def post(self, path: str = "", **more: Any) -> httpx.Response:
        """Change something in the register."""
        return await self.visitor.post(CLIENTS + path, **{"who": self.who, **more})

    async def get(self, path: str = "", **more: Any) -> httpx.Response:
        """Read the register."""
        return await self.visitor.get(CLIENTS + path, **{"who": self.who, **more})

    async def client(self, **more: Any) -> dict[str, Any]:
        """Register a client of a name of its own; return it."""
        body = {"client_id": f"c-{new_id().hex}", "name": "Hệ thống thử", "agency": "H32", "scopes": ["dossiers:read"]}
        answer = await self.post(json=body | more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def change(self, client_id: str, *, version: int | None = None, **values: Any) -> httpx.Response:
        """Change a client, in its newest version unless another is given."""
        if version is None:
            version = (await self.get(f"/{client_id}")).json()["version"]
        headers = {"If-Match": f'"{version}"'}
        path = f"{CLIENTS}/{client_id}"
        return await self.visitor.send("PATCH", path, who=self.who, headers=headers, json=values)

    async def secret(self, client_id: str, **body: Any) -> str:
        """Make a secret."""
        answer = await self.post(f"/{client_id}/secrets", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["secret"]

    async def ask(
        self,
        client_id: str,
        secret: str,
        *,
        http: httpx.AsyncClient | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Ask for a token with a secret."""
        data = {**CREDENTIALS, "client_id": client_id, "client_secret": secret}
        return await (http or self.http).post("/oauth/token", data=data, headers=headers)

    async def token(self, client_id: str, **more: Any) -> str:
        """Return a token of a client, with a new secret."""
        answer = await self.ask(client_id, await self.secret(client_id), **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    async def caller(self, **more: Any) -> "Calling":
        """Register a client and return it with a token."""
        client_id = (await self.client(**more))["client_id"]
        return Calling(self.http, client_id, await self.token(client_id))


class Calling:
    """A client that has a token."""

    def __init__(self, http: httpx.AsyncClient, client_id: str, token: str) -> None:
        self.http = http
        self.client_id = client_id
        self.token = token

    async def call(
        self,
        path: str = "/api/v1/dossiers",
        *,
        http: httpx.AsyncClient | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Read something."""
        usual = {"Authorization": f"Bearer {self.token}"}
        return await (http or self.http).get(path, headers={**usual, **(headers or {})})

    async def comes_to(self, status: int, *, within_s: float = 10, **more: Any) -> httpx.Response:
        """Call until the answer has a status, which must come soon."""

        async def there() -> httpx.Response | None:
            answer = await self.call(**more)
            return answer if answer.status_code == status else None

        found = await eventually(there, within_s=within_s)
        assert found is not None
        return found
