"""Registers definitions at a gateway through its API: what is missing is added, what differs is changed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from deploy.local.folder import read_json, run_folder
from deploy.ministries import definitions
from deploy.ministries.definitions import Definition
from gateway.data_services.policy import Policy

ADMINISTRATOR = "lgsp-admin"
TIMEOUT_S = 30
COMPARED = ("stage", "base_url", "contract")


class NotRegistered(Exception):
    """The gateway refused; the message is its own."""


@dataclass(slots=True)
class Told:
    """What came of it; versions are counted."""

    services: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0


async def register_all(
    gateway: str, login: tuple[str, str], folder: Path = definitions.FOLDER, values: Mapping[str, str] | None = None
) -> Told:
    """Register the definitions of a folder. Raises NotRegistered, Undefined, httpx.HTTPError."""
    told = Told()
    found = definitions.read(folder, values)
    async with httpx.AsyncClient(base_url=gateway, timeout=TIMEOUT_S) as http:
        answer = await http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=login)
        token = _taken(answer)["access_token"]
        registrar = _Registrar(http, token, told)
        for definition in found:
            await registrar.register(definition)
    return told


def register_local() -> Told:
    """Register the definitions at the local stack's gateway, as its LGSP's administrator. Raises as register_all."""
    stack = read_json(run_folder().stack) or {}
    client = stack["clients"][ADMINISTRATOR]
    values = {"ministries": stack["ministries"]["url"], "secret": stack["ministries_secret"]}
    login = (client["client_id"], client["client_secret"])
    return asyncio.run(register_all(stack["gateway_url"], login, values=values))


class _Registrar:
    def __init__(self, http: httpx.AsyncClient, token: str, told: Told) -> None:
        self.http, self.told = http, told
        self.headers = {"Authorization": f"Bearer {token}"}

    async def register(self, definition: Definition) -> None:
        self.told.services += 1
        at = f"/api/v1/data-services/{definition.code}"
        known, etag = await self._read(at)
        if known is None or any(known[name] != value for name, value in definition.entry.items()):
            await self._put(at, definition.entry, etag)
        for name, version in definition.versions.items():
            await self._register_version(f"{at}/-/versions/{name}", version)

    async def _register_version(self, at: str, version: Mapping[str, Any]) -> None:
        known, etag = await self._read(at)
        policy = Policy.model_validate(version.get("policy", {})).model_dump(mode="json")
        if known is not None and self._is_same(known, version, policy):
            self.told.unchanged += 1
            return
        body = {name: version[name] for name in COMPARED} | {"policy": policy}
        if "credentials" in version:
            body["credentials"] = version["credentials"]
        await self._put(at, body, etag)
        if known is None:
            self.told.added += 1
        else:
            self.told.changed += 1

    def _is_same(self, known: Mapping[str, Any], version: Mapping[str, Any], policy: Mapping[str, Any]) -> bool:
        # Credentials are never answered: whether there are any is all that can be compared.
        return (
            all(known[name] == version[name] for name in COMPARED)
            and known["policy"] == policy
            and known["has_credentials"] == bool(version.get("credentials"))
        )

    async def _read(self, at: str) -> tuple[dict[str, Any] | None, str | None]:
        answer = await self.http.get(at, headers=self.headers)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None, None
        return _taken(answer), answer.headers["etag"]

    async def _put(self, at: str, body: Mapping[str, Any], etag: str | None) -> None:
        headers = {**self.headers, "Idempotency-Key": str(uuid4()), **({"If-Match": etag} if etag else {})}
        _taken(await self.http.put(at, json=body, headers=headers))


def _taken(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise NotRegistered(f"{answer.request.url.path}: {answer.status_code} {answer.text[:500]}")
    return answer.json()
