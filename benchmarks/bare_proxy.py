"""The ceiling of a proxied call: aiohttp's client behind one plain ASGI route, nothing else done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import environ

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as session:
        app.state.session = session
        yield


async def _pass_on(request: Request) -> Response:
    url = environ["UPSTREAM"] + request.url.path
    async with request.app.state.session.request(request.method, url, data=await request.body()) as answer:
        return Response(await answer.read(), answer.status, media_type=answer.content_type)


app = Starlette(routes=[Route("/{path:path}", _pass_on, methods=["GET", "POST"])], lifespan=_lifespan)
