"""The contract of the door: one OpenAPI document of everything that can be called."""

import asyncio
import hashlib
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response

from gateway.operations.contract import Document, merged
from gateway.upstream import Upstream
from shared import clock, log
from shared.errors import DomainError

FRESH_S = 60
router = APIRouter(prefix="/api/v1", tags=["contract"])

_log = log.get(__name__)


class Contract:
    """The merged document, made anew at most once a minute; a service that is away keeps its last known part."""

    def __init__(self, upstream: Upstream, *, url: str) -> None:
        self._upstream = upstream
        self._url = url
        self._parts: dict[str, Document] = {}
        self._body, self._tag = b"", ""
        self._good_until = 0.0
        self._making = asyncio.Lock()

    async def read(self, app: FastAPI) -> tuple[bytes, str]:
        """Return the document and its tag."""
        async with self._making:
            if clock.monotonic() >= self._good_until:
                await asyncio.gather(*(self._ask(name) for name in self._upstream.urls))
                self._body = orjson.dumps(merged(app.openapi(), self._parts, url=self._url))
                self._tag = f'"{hashlib.sha256(self._body).hexdigest()[:32]}"'
                self._good_until = clock.monotonic() + FRESH_S
            return self._body, self._tag

    async def _ask(self, name: str) -> None:
        try:
            part = (await self._upstream.call(name, "GET", "/openapi.json")).json()
        except (DomainError, ValueError) as problem:
            _log.warning("contract.part_missing", part=name, reason=type(problem).__name__)
            return
        if "paths" in part:
            self._parts[name] = part


@router.get("/openapi.json", response_model=dict[str, Any])
async def read_contract(request: Request) -> Response:
    """Describe everything that can be called through this door (OpenAPI 3.1); needs no token."""
    contract: Contract = request.app.state.contract
    body, tag = await contract.read(request.app)
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={FRESH_S}"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
