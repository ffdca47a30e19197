"""Opens the road to the services behind the door, and what is asked of them for the door itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from gateway.operations.succession import Succession
from gateway.routes.contract import Contract
from gateway.settings import GatewaySettings
from gateway.upstream import Upstream


@asynccontextmanager
async def opened(app: FastAPI, settings: GatewaySettings) -> AsyncIterator[None]:
    """Open connections to the services; close them at the end."""
    state = app.state
    state.upstream = Upstream(
        {
            "intake": settings.intake_url,
            "workflow": settings.workflow_url,
            "payment": settings.payment_url,
            "results": settings.results_url,
        },
        timeout_s=settings.upstream_timeout_s,
        connections_max=settings.upstream_connections_max,
    )
    state.succession = Succession(state.upstream)
    state.contract = Contract(state.upstream, url=settings.address)
    try:
        yield
    finally:
        await state.upstream.close()


LOOPS = ()
