"""Assembles the gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI
from starlette.datastructures import State

from gateway.consumers import HANDLERS, preload
from gateway.models import Client
from gateway.operations.book import Book
from gateway.operations.client_files import register_clients
from gateway.operations.deciding import AutomaticPuller
from gateway.operations.evidence import Evidence, EvidenceKey, Witness, keep_months, turn_months
from gateway.operations.intake_catalogue import IntakeCatalogue
from gateway.operations.issuing import Authority, Issuer
from gateway.operations.measuring import measure_portal
from gateway.operations.metering import Meter
from gateway.operations.pulling import Puller, PullPlan
from gateway.operations.succession import Succession
from gateway.operations.tending import tend_clients
from gateway.operations.waking import Bell
from gateway.portal.client import open_http
from gateway.portal.files import PortalFiles
from gateway.portal.legacy import LegacyPortal
from gateway.portal.numbers import Numbers
from gateway.portal.own_codes import InPortalCodes
from gateway.portal.payer import Payer, PayerPlan
from gateway.portal.port import Portal
from gateway.portal.rest import RestPortal
from gateway.routes import catalogue, checking, clients, console, contract, ops, portal, statistics, sync, tokens
from gateway.routes.limits import Buckets, LoginGuard
from gateway.routes.logged import Logged
from gateway.routes.peers import Peers
from gateway.routes.proxy import Proxy
from gateway.routes.rights import Guarded
from gateway.settings import GatewaySettings, listed
from gateway.upstream import Upstream
from shared.app import ServiceParts, create_service
from shared.db import Database


def create_app(settings: GatewaySettings | None = None) -> FastAPI:
    """Return the gateway's app."""
    settings = settings or GatewaySettings()  # pyrefly: ignore[missing-argument] - read from the environment

    @asynccontextmanager
    async def opens(app: FastAPI) -> AsyncIterator[None]:
        async with _opened(app, settings):
            yield

    async def write_evidence(app: FastAPI) -> None:
        await app.state.evidence.run()

    async def ring_bell(app: FastAPI) -> None:
        await app.state.folded_something.listen(app.state.database)

    async def pay_portal(app: FastAPI) -> None:
        if settings.portal_enabled:
            await app.state.payer.run()

    async def keep_log(app: FastAPI) -> None:
        await turn_months(app.state.database, app.state.evidence.key, months=settings.transaction_log_months)

    async def pull_catalogue(app: FastAPI) -> None:
        if settings.portal_enabled:
            await app.state.puller.run()

    async def measure(app: FastAPI) -> None:
        await measure_portal(app.state.database)

    app = create_service(
        settings,
        ServiceParts(
            name="gateway",
            title="Một Cửa: gateway",
            about="The door: tokens, rights, the pull of changes, the portal's own words, figures and operations.",
            below="",
            routers=[
                tokens.router,
                clients.router,
                sync.router,
                portal.router,
                catalogue.router,
                catalogue.deciding,
                statistics.router,
                contract.router,
                ops.router,
                ops.forwarded,
                console.router,
                checking.router,
            ],
            handlers=HANDLERS,
            preload=preload,
            opens=opens,
            loops=[write_evidence, keep_log, ring_bell, pay_portal, pull_catalogue, measure, *REGISTER_LOOPS],
            ops_prefix="/api/v1/ops/gateway",
            middleware=[Logged, Guarded, Proxy],
        ),
    )
    app.mount(console.FILES_PATH, console.ConsoleFiles())
    app.mount(checking.FILES_PATH, checking.files())
    return app


@asynccontextmanager
async def _opened(app: FastAPI, settings: GatewaySettings) -> AsyncIterator[None]:
    state = app.state
    await _open_register(app, settings)
    state.evidence = Evidence(
        state.database, EvidenceKey.read(settings.evidence_key_file), Witness(settings.evidence_folder)
    )
    await keep_months(state.database)
    state.folded_something = Bell()
    state.buckets = Buckets(settings.public_calls_per_minute)
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
    state.contract = contract.Contract(state.upstream, url=settings.address)
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
        try:
            yield
        finally:
            await state.upstream.close()


async def _keep_book(app: FastAPI) -> None:
    await app.state.book.keep()


async def _watch_keys(app: FastAPI) -> None:
    if not app.state.authority.external:
        await app.state.issuer.watch(app.state.tokens.use_keys)


async def _add_up_calls(app: FastAPI) -> None:
    await app.state.meter.run()


async def _tend_clients(app: FastAPI) -> None:
    await tend_clients(app.state.database)


REGISTER_LOOPS = (_keep_book, _watch_keys, _add_up_calls, _tend_clients)


async def _open_register(app: FastAPI, settings: GatewaySettings) -> None:
    """Open what tells who calls: the clients, their tokens' keys, their quotas."""
    state = app.state
    state.authority = Authority(
        issuer=settings.issuer,
        jwks_url=settings.jwks_url,
        address=settings.address,
        external=settings.issuer_is_external,
    )
    if not state.authority.external:
        state.issuer = Issuer(
            issuer=settings.issuer,
            key_file=settings.signing_key_file,
            lifetime_s=settings.token_lifetime_s,
            audience=settings.audience,
        )
        state.tokens.use_keys(state.issuer.keys)
    state.peers = Peers(
        proxies=listed(settings.trusted_proxies),
        header=settings.address_header,
        certificate_proxies=listed(settings.certificate_proxies),
    )
    state.login_guard = LoginGuard(settings.failed_logins_per_minute)
    state.meter = Meter(state.database, settings.replicas)
    state.book = Book(state.database)
    if settings.clients_file:
        await register_clients(state.database, settings.clients_file)
    await state.book.refresh()


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
