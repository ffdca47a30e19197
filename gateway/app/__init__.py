"""Assembles the gateway: its routes, and its parts in the order in which they are opened."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from gateway.app import data_services, exchange, log, portal, register, services
from gateway.consumers import HANDLERS, preload
from gateway.routes import ROUTERS, checking, console
from gateway.routes.data_services import DataPlane
from gateway.routes.logged import Logged
from gateway.routes.proxy import Proxy
from gateway.routes.rights import Guarded
from gateway.routes.rooms import FILES, PATIENT, data_plane, part_of
from gateway.settings import GatewaySettings
from shared.app import ServiceParts, create_service
from shared.blobs.sealer import Sealer
from shared.guard import room_for_files

PARTS = (register, log, services, data_services, exchange, portal)
"""Each opens what it brings, as an app's state, and names its endless loops."""


def create_app(settings: GatewaySettings | None = None) -> FastAPI:
    """Return the gateway's app."""
    settings = settings or GatewaySettings()  # pyrefly: ignore[missing-argument] - read from the environment

    @asynccontextmanager
    async def opens(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.sealer = Sealer(settings.sealing_keys.get_secret_value())
            for part in PARTS:
                await stack.enter_async_context(part.opened(app, settings))
            yield

    app = create_service(
        settings,
        ServiceParts(
            name="gateway",
            title="Một Cửa: gateway",
            about="The door: tokens, rights, the pull of changes, the portal's own words, figures and operations.",
            below="",
            routers=ROUTERS,
            handlers=HANDLERS,
            preload=preload,
            opens=opens,
            loops=[loop for part in PARTS for loop in part.LOOPS],
            ops_prefix="/api/v1/ops/gateway",
            middleware=[Logged, Guarded, DataPlane, Proxy],
            rooms=[*room_for_files(*FILES), data_plane()],
            patient=PATIENT,
            group_of=part_of,
        ),
    )
    app.mount(console.FILES_PATH, console.ConsoleFiles())
    app.mount(checking.FILES_PATH, checking.files())
    return app
