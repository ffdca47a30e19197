"""The five processes, and how to knock at them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from fastapi import FastAPI

from shared.ids import new_id
from tests.rights.doors import Door, all_scopes
from tests.rights.knocking import Heard, knock
from tests.support.tokens import Issuer

OWNER = "H32.14.21"
"""Whose things everybody else asks for."""
NO_BROKER = "amqp://guest:guest@127.0.0.1:1/"
WITHOUT_GRANTS = "without-grants"
"""A client of the province with every scope and no right at any data service."""
DIRECTLY, THROUGH = "directly", "through the gateway"
NO_LIMIT = 1e9


@dataclass(slots=True)
class House:
    """Every process of the province."""

    apps: Mapping[str, FastAPI]
    issuer: Issuer
    folders: Mapping[str, Path]

    def authorization(
        self, scopes: Iterable[str] | None = None, *, agency: str | None = "H32", client: str | None = None
    ) -> str:
        """Return what a client of an agency sends; with all scopes unless told otherwise."""
        granted = all_scopes() if scopes is None else scopes
        return f"Bearer {self.issuer.token(granted, agency=agency, client_id=client or client_of(agency))}"

    def headers(self, *, agency: str | None) -> dict[str, str]:
        """Return the headers of a change by an agency's client."""
        return {"Authorization": self.authorization(agency=agency), "Idempotency-Key": str(new_id())}

    async def knock(
        self,
        door: Door,
        way: str,
        authorization: str | None,
        *,
        values: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> Heard:
        """Knock at a door in one way, with or without a token; a body that is no bytes goes as JSON."""
        path = door.filled(values)
        if way == THROUGH and door.service != "gateway":
            path = f"/api/v1{path}"
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        headers = {
            "authorization": authorization,
            "idempotency-key": str(new_id()),
            "x-purpose": "Kiem tra",
            "x-document-name": "don.pdf",
            "content-type": "application/json" if content else None,
        }
        app = self.apps["gateway" if way == THROUGH else door.service]
        return await knock(app, door.method, path, headers=headers, query=query, body=content)


def client_of(agency: str | None) -> str:
    """Return the name of an agency's client."""
    return f"client-of-{agency}"


def ways_to(door: Door) -> list[str]:
    """Return the ways that lead to a door."""
    return [DIRECTLY] if door.service == "gateway" or door.at_the_gateway() is None else [DIRECTLY, THROUGH]
