"""Assembles the gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from gateway.consumers import HANDLERS, preload
from gateway.operations.clients import Issuer, register_clients
from gateway.operations.evidence import Evidence, EvidenceKey, Witness, keep_months, turn_months
from gateway.operations.measuring import measure_portal
from gateway.operations.succession import Succession
from gateway.operations.waking import Bell
from gateway.portal.client import PortalClient, open_http
from gateway.portal.payer import Payer, PayerPlan
from gateway.routes import checking, console, contract, joining, ops, portal, statistics, sync, tokens
from gateway.routes.limits import Buckets
from gateway.routes.logged import Logged
from gateway.routes.proxy import Proxy
from gateway.settings import GatewaySettings
from gateway.upstream import Upstream
from shared.app import ServiceParts, create_service


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

    async def measure(app: FastAPI) -> None:
        await measure_portal(app.state.database)

    app = create_service(
        settings,
        ServiceParts(
            name="gateway",
            title="Một Cửa: gateway",
            routers=[
                tokens.router,
                sync.router,
                portal.router,
                statistics.router,
                contract.router,
                joining.router,
                ops.router,
                ops.forwarded,
                console.router,
                checking.router,
            ],
            handlers=HANDLERS,
            preload=preload,
            opens=opens,
            loops=[write_evidence, keep_log, ring_bell, pay_portal, measure],
            ops_prefix="/api/v1/ops/gateway",
            middleware=[Logged, Proxy],
        ),
    )
    app.mount(console.FILES_PATH, console.ConsoleFiles())
    app.mount(checking.FILES_PATH, checking.files())
    return app


@asynccontextmanager
async def _opened(app: FastAPI, settings: GatewaySettings) -> AsyncIterator[None]:
    state = app.state
    state.issuer = Issuer(
        issuer=settings.issuer, key_file=settings.signing_key_file, lifetime_s=settings.token_lifetime_s
    )
    state.tokens.use_keys(state.issuer.keys)
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
    state.contract = contract.Contract(state.upstream, url=settings.issuer)
    if settings.clients_file:
        async with state.database.session() as session:
            await register_clients(session, settings.clients_file)
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
        state.payer = Payer(state.database, client, public_url=settings.issuer, plan=plan)
        try:
            yield
        finally:
            await state.upstream.close()
