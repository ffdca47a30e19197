"""Opens what tells who calls: the clients, the keys of their tokens, their quotas."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from gateway.operations.book import Book
from gateway.operations.client_files import register_clients
from gateway.operations.issuing import Authority, Issuer
from gateway.operations.metering import Meter
from gateway.operations.tending import tend_clients
from gateway.routes.limits import Buckets, LoginGuard
from gateway.routes.peers import Peers
from gateway.settings import GatewaySettings, listed


@asynccontextmanager
async def opened(app: FastAPI, settings: GatewaySettings) -> AsyncIterator[None]:
    """Read the clients and keys as they are now; the loops keep them so."""
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
    state.buckets = Buckets(settings.public_calls_per_minute)
    state.login_guard = LoginGuard(settings.failed_logins_per_minute)
    state.meter = Meter(state.database, settings.replicas)
    state.book = Book(state.database)
    if settings.clients_file:
        await register_clients(state.database, settings.clients_file)
    await state.book.refresh()
    yield


async def _keep_book(app: FastAPI) -> None:
    await app.state.book.keep()


async def _watch_keys(app: FastAPI) -> None:
    if not app.state.authority.external:
        await app.state.issuer.watch(app.state.tokens.use_keys)


async def _add_up_calls(app: FastAPI) -> None:
    await app.state.meter.run()


async def _tend_clients(app: FastAPI) -> None:
    await tend_clients(app.state.database)


LOOPS = (_keep_book, _watch_keys, _add_up_calls, _tend_clients)
