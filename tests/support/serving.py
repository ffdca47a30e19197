"""Apps as real HTTP servers, on a port of their own, in the test's own loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from shared.guard.protocol import server_options
from shared.settings import Limits


@asynccontextmanager
async def serving(
    app: ASGIApp, *, lifespan: bool = False, port: int = 0, limits: Limits | None = None
) -> AsyncIterator[str]:
    """Serve an app as our processes are served; yields its address."""
    options = server_options(limits or Limits())
    config = uvicorn.Config(app, host="127.0.0.1", port=port, lifespan="on" if lifespan else "off", **options)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined,method-assign]
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(30):
        while not server.started:
            assert not task.done(), task
            await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        await task
