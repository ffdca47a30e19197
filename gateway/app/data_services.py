"""Opens the data services: their registry in memory, the road to them, what failed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from gateway.app.exchange import edocs_service
from gateway.data_services.cache import Cache
from gateway.data_services.calling import Caller
from gateway.data_services.hosts import AllowedHosts
from gateway.data_services.lines import Lines
from gateway.data_services.snapshot import Registry, Service
from gateway.operations.data_services.failing import Failures
from gateway.operations.data_services.refreshing import Refresher
from gateway.operations.data_services.sending import Sender
from gateway.routes.data_services.parts import Parts
from gateway.settings import GatewaySettings

BUILT_IN: list[Service] = [edocs_service()]
"""Data services that our own routes answer: listed by discovery, called by right, logged as data services."""


@asynccontextmanager
async def opened(app: FastAPI, settings: GatewaySettings) -> AsyncIterator[None]:
    """Put the parts into the app's state; close their connections at the end."""
    state = app.state
    sealer = state.sealer
    hosts = state.data_service_hosts = AllowedHosts(settings.data_service_hosts.split(","))
    registry, cache = Registry(), Cache(settings.data_service_cache_bytes_max)
    failures = Failures(
        state.database, sealer, calls_max=settings.data_service_kept_calls_max, days=settings.data_service_kept_days
    )
    road = Caller(connections_max=settings.data_service_connections_max)
    state.data_services = Parts(registry, Lines(), road, cache, failures)
    state.data_service_refresher = Refresher(
        state.database, registry, cache, sealer=sealer, hosts=hosts, built_in=BUILT_IN
    )
    state.data_service_sender = Sender(
        state.database, registry, road, state.data_services.lines, sealer, state.evidence
    )
    try:
        yield
    finally:
        await road.close()


async def _refresh(app: FastAPI) -> None:
    await app.state.data_service_refresher.run()


async def _keep_failures(app: FastAPI) -> None:
    await app.state.data_services.failures.run()


async def _rerun(app: FastAPI) -> None:
    await app.state.data_service_sender.run()


LOOPS = (_refresh, _keep_failures, _rerun)
