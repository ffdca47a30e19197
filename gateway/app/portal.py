"""Opens the road to the national portal: who pays what it is owed, compares, and pulls its files and catalogue."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI
from starlette.datastructures import State

from gateway.models import Client
from gateway.operations.deciding import AutomaticPuller
from gateway.operations.intake_catalogue import IntakeCatalogue
from gateway.operations.measuring import measure_portal
from gateway.operations.pulling import Puller, PullPlan
from gateway.operations.reconciling import Reconciler, RunPlan
from gateway.operations.waking import Bell
from gateway.portal.client import open_http
from gateway.portal.files import PortalFiles
from gateway.portal.legacy import LegacyPortal
from gateway.portal.numbers import Numbers
from gateway.portal.own_codes import InPortalCodes
from gateway.portal.payer import Payer, PayerPlan
from gateway.portal.port import Portal
from gateway.portal.rest import RestPortal
from gateway.settings import GatewaySettings
from shared.db import Database


@asynccontextmanager
async def opened(app: FastAPI, settings: GatewaySettings) -> AsyncIterator[None]:
    """Open connections to the portal; close them at the end."""
    state = app.state
    state.folded_something = Bell()
    async with open_http(settings.portal_timeout_s) as http:
        state.http = http
        if settings.portal_dialect != "rest":
            await Numbers(state.database).doubt()
        origins = settings.portal_file_origins or settings.portal_url
        state.portal_files = PortalFiles(http, origins.split(","), timeout_s=settings.portal_file_timeout_s)
        state.portal = InPortalCodes(_portal(settings, http, state.database), state.database)
        state.puller = _puller(settings, state)
        plan = PayerPlan(
            batch_max=settings.portal_batch_max,
            concurrency=settings.portal_concurrency,
            retry_first_s=settings.portal_retry_first_s,
            retry_last_s=settings.portal_retry_last_s,
        )
        state.payer = Payer(state.database, state.portal, public_url=settings.address, plan=plan)
        state.reconciler = Reconciler(
            state.database,
            state.portal,
            public_url=settings.address,
            hour=settings.portal_reconcile_hour,
            plan=RunPlan(per_second=settings.portal_reconcile_per_s),
        )
        yield


def _portal(settings: GatewaySettings, http: aiohttp.ClientSession, database: Database) -> Portal:
    """Return the adapter of the dialect that the portal is spoken to in."""
    password = settings.portal_password.get_secret_value()
    if settings.portal_dialect == "rest":
        return RestPortal(
            http,
            Numbers(database),
            url=settings.portal_url,
            client_id=settings.portal_username,
            client_secret=password,
            concurrency=settings.portal_rest_concurrency,
        )
    return LegacyPortal(
        http,
        url=settings.portal_url,
        username=settings.portal_username,
        password=password,
        unit=settings.portal_unit,
        dstcode=settings.portal_dstcode,
    )


def _puller(settings: GatewaySettings, state: State) -> Puller:
    """Return who pulls the portal's catalogue; at intake it has the right to the catalogue alone."""
    itself = Client(client_id="gateway", agency=None)

    def bearer() -> str:
        if state.authority.external:
            raise RuntimeError("an external issuer gives the gateway no token of its own for intake's catalogue")
        return f"Bearer {state.issuer.token(itself, ['catalogue:write'])}"

    intake = IntakeCatalogue(state.upstream, bearer)
    plan = PullPlan(
        every_s=settings.portal_catalogue_every_s or None,
        shrink_max=settings.portal_catalogue_shrink_max,
        lists=[name.strip() for name in settings.portal_catalogue_lists.split(",") if name.strip()],
    )
    kind = AutomaticPuller if settings.portal_catalogue_apply == "automatic" else Puller
    return kind(state.database, state.portal, intake, plan)


async def _ring_bell(app: FastAPI) -> None:
    await app.state.folded_something.listen(app.state.database)


async def _pay(app: FastAPI) -> None:
    if app.state.settings.portal_enabled:
        await app.state.payer.run()


async def _pull_catalogue(app: FastAPI) -> None:
    if app.state.settings.portal_enabled:
        await app.state.puller.run()


async def _reconcile(app: FastAPI) -> None:
    if app.state.settings.portal_enabled:
        await app.state.reconciler.run()


async def _measure(app: FastAPI) -> None:
    await measure_portal(app.state.database)


LOOPS = (_ring_bell, _pay, _reconcile, _pull_catalogue, _measure)
