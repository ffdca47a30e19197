"""Registers and calls data services as people and systems do."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx

from gateway.operations.book import Book
from gateway.operations.rights import Grant
from gateway.routes.data_services.parts import Parts
from tests.gateway.data_services.ministry import Ministry, contract
from tests.gateway.hall import Hall
from tests.gateway.visitor import Visitor
from tests.support.assertions import eventually

CODE = "CSDL_DanCu"
ADMIN = "lgsp-admin"
ENTRY = {
    "agency": "H32.14",
    "provider": "Bộ Công an",
    "name_vi": "Cơ sở dữ liệu quốc gia về dân cư",
    "name_en": "National population database",
}
PATHS = ("GET /things", "GET /things/{id}", "POST /things!", "POST /orders", "PUT /things/{id}!", "DELETE /things/{id}")


class Granted:
    """What clients may call, put into the book that the door reads; its other facts stay."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._set: set[str] = set()

    def __getitem__(self, client_id: str) -> tuple[Grant, ...]:
        """Return what a client may call."""
        return self._book._entries[client_id].rights.grants

    def __setitem__(self, client_id: str, grants: tuple[Grant, ...]) -> None:
        """Let a client call this, and nothing else."""
        entry = self._book._entries[client_id]
        self._book._entries[client_id] = replace(entry, rights=replace(entry.rights, grants=grants))
        self._set.add(client_id)

    def clear(self) -> None:
        """Let nobody call anything."""
        for client_id in list(self._set):
            self[client_id] = ()


class Desk:
    """The gateway's data services in a test's hands."""

    def __init__(
        self,
        visitor: Visitor,
        hall: Hall,
        ministry: Ministry,
        ministry_url: str,
        granted: Granted,
    ) -> None:
        self.visitor, self.hall, self.ministry, self.ministry_url = visitor, hall, ministry, ministry_url
        self.granted = granted

    @property
    def parts(self) -> Parts:
        """Return what the data plane works with."""
        return self.visitor.app.state.data_services

    async def put_service(self, code: str = CODE, *, etag: str | None = None, **changes: Any) -> httpx.Response:
        """Register a service, or change it."""
        headers = {"If-Match": etag} if etag else {}
        body = {**ENTRY, **changes}
        return await self.visitor.send("PUT", f"/api/v1/data-services/{code}", who=ADMIN, json=body, headers=headers)

    async def put_version(
        self, code: str = CODE, version: str = "v1", *, etag: str | None = None, **changes: Any
    ) -> httpx.Response:
        """Add a version, or change it."""
        body = {"stage": "active", "base_url": self.ministry_url, "contract": contract(*PATHS), **changes}
        headers = {"If-Match": etag} if etag else {}
        path = f"/api/v1/data-services/{code}/-/versions/{version}"
        return await self.visitor.send("PUT", path, who=ADMIN, json=body, headers=headers)

    async def offer(self, code: str = CODE, version: str = "v1", **changes: Any) -> None:
        """Register a service with one version, and wait until it can be called."""
        if not await self.hall.rows("SELECT 1 FROM data_service WHERE code = :code", code=code):
            answer = await self.put_service(code)
            assert answer.status_code == 201, answer.text
        answer = await self.put_version(code, version, **changes)
        assert answer.status_code == 201, answer.text
        await self.known(code, version, answer.json()["revision"])

    async def known(self, code: str, version: str, revision: int, *, within_s: float = 30) -> None:
        """Wait until the data plane knows this revision of a version."""

        async def there() -> bool:
            service = self.parts.registry.find(code)
            found = service.versions.get(version) if service else None
            return found is not None and found.revision == revision

        await eventually(there, within_s=within_s)

    async def call(
        self,
        method: str = "GET",
        path: str = "/things",
        *,
        code: str = CODE,
        who: str = "one-stop",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Call a data service."""
        return await self.visitor.send(method, f"/api/v1/data-services/{code}{path}", who=who, headers=headers, **more)
