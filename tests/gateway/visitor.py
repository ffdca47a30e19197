"""A client system at the gateway's door, with tokens of the gateway's own."""

from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import FastAPI

from shared.ids import new_id


class Visitor:
    """Calls the gateway as any client; its tokens are fetched once."""

    def __init__(self, app: FastAPI, http: httpx.AsyncClient, secret: str) -> None:
        self.app = app
        self.http = http
        self.secret = secret
        self._tokens: dict[str, str] = {}

    async def token(self, client_id: str) -> str:
        """Return a client's access token."""
        if client_id not in self._tokens:
            asked = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": self.secret}
            answer = await self.http.post("/oauth/token", data=asked)
            self._tokens[client_id] = answer.json()["access_token"]
        return self._tokens[client_id]

    def forget_tokens(self) -> None:
        """Fetch new ones for the next calls: those there are have expired."""
        self._tokens.clear()

    async def send(
        self,
        method: str,
        path: str,
        *,
        who: str = "one-stop",
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Make a call, an unsafe one with a key of its own unless given."""
        usual = {"Authorization": f"Bearer {await self.token(who)}", "Idempotency-Key": key or str(new_id())}
        return await self.http.request(method, path, headers={**usual, **(headers or {})}, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        """Read."""
        return await self.send("GET", path, **more)

    async def post(self, path: str, **more: Any) -> httpx.Response:
        """Change something."""
        return await self.send("POST", path, **more)
