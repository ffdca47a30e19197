"""What a partner takes away to connect: the description of the events, and a script that checks the connection."""

import hashlib
from functools import cache
from importlib import resources
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from shared import asyncapi
from shared.events.registry import EVENTS

FRESH_S = 3600
router = APIRouter(prefix="/api/v1", tags=["contract"])


@cache
def _bus() -> bytes:
    folder = resources.files("shared.events").joinpath("examples")
    examples = {kind: orjson.loads(folder.joinpath(f"{kind}.json").read_bytes()) for kind in EVENTS}
    return orjson.dumps(asyncapi.document(examples, {}))


@cache
def _script() -> bytes:
    return resources.files("gateway.routes.joining").joinpath("motcua_conformance.py").read_bytes()


@router.get("/asyncapi.json", summary="Describe every event", response_model=dict[str, Any])
async def read_events(request: Request) -> Response:
    """Describe every event, as it is on the bus and, by the same names, in the feed and in webhooks (AsyncAPI 3.0)."""
    return _kept(request, _bus(), "application/json")


@router.get(
    "/conformance.py",
    summary="The script that checks a connection",
    response_class=Response,
    responses={200: {"content": {"text/x-python": {"schema": {"type": "string"}}}}},
)
async def read_script(request: Request) -> Response:
    """Give the script by which a partner checks the connection: one file of Python, nothing to install."""
    return _kept(request, _script(), "text/x-python; charset=utf-8")


def _kept(request: Request, body: bytes, media_type: str) -> Response:
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={FRESH_S}"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
