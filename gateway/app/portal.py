"""Opens the road to the national portal: who pays what it is owed, and who waits for what was folded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from gateway.operations.measuring import measure_portal
from gateway.operations.waking import Bell
from gateway.portal.client import PortalClient, open_http
from gateway.portal.payer import Payer, PayerPlan
from gateway.settings import GatewaySettings


@asynccontextmanager
async def opened(app: FastAPI, settings: GatewaySettings) -> AsyncIterator[None]:
    """Open connections to the portal; close them at the end."""
    state = app.state
    state.folded_something = Bell()
    async with open_http(settings.portal_timeout_s) as http:
        state.http = http
        client = PortalClient(
            http,
            url=settings.portal_url,
            username=settings.portal_username,
            password=settings.portal_password.get_secret_value(),
            unit=settings.portal_unit,
            dstcode=settings.portal_dstcode,
        )
        plan = PayerPlan(
            batch_max=settings.portal_batch_max,
            concurrency=settings.portal_concurrency,
            retry_first_s=settings.portal_retry_first_s,
            retry_last_s=settings.portal_retry_last_s,
        )
        state.payer = Payer(state.database, client, public_url=settings.address, plan=plan)
        yield


async def _ring_bell(app: FastAPI) -> None:
    await app.state.folded_something.listen(app.state.database)


async def _pay(app: FastAPI) -> None:
    if app.state.settings.portal_enabled:
        await app.state.payer.run()


async def _measure(app: FastAPI) -> None:
    await measure_portal(app.state.database)


LOOPS = (_ring_bell, _pay, _measure)
