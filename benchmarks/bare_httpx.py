"""What a Python team would write first: FastAPI and httpx, nothing else done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import environ

import httpx
from fastapi import FastAPI, Request, Response


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(base_url=environ["UPSTREAM"], limits=httpx.Limits(max_connections=200)) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=_lifespan)


@app.api_route("/{path:path}", methods=["GET", "POST"])
async def pass_on(request: Request, path: str) -> Response:
    """Pass a call on."""
    answer = await request.app.state.client.request(request.method, f"/{path}", content=await request.body())
    return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))
