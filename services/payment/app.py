"""Assembles payment."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import httpx
from fastapi import FastAPI

from services.payment.consumers import HANDLERS, preload
from services.payment.operations.routing import Routing
from services.payment.platform.asking import Asker, Gateways, Pace
from services.payment.platform.auditing import Auditor
from services.payment.platform.bank import Bank
from services.payment.platform.cleaning import keep_small
from services.payment.platform.keys import Keys
from services.payment.platform.national import Partner, Platform
from services.payment.platform.port import Gateway
from services.payment.platform.vnpay import Merchant, Vnpay
from services.payment.routes import ROUTERS
from services.payment.settings import PaymentSettings
from services.payment.slips.sealing import Seals
from services.payment.states import Provider
from shared.app import ServiceParts, create_service


def create_app(settings: PaymentSettings | None = None) -> FastAPI:
    """Return the payment service."""
    parts = ServiceParts(
        name="payment",
        title="Một Cửa: payment",
        about="Fees, payments by several providers, receipts, refunds, and their reconciliation.",
        routers=ROUTERS,
        handlers=HANDLERS,
        preload=preload,
        opens=_providers,
        loops=[_ask, _audit, _clean],
    )
    return create_service(settings or PaymentSettings(), parts)


@asynccontextmanager
async def _providers(app: FastAPI) -> AsyncGenerator[None]:
    settings: PaymentSettings = app.state.settings
    routing = routing_of(settings)
    async with AsyncExitStack() as clients:
        gateways: dict[Provider, Gateway] = {}
        for provider, url in _addresses(settings).items():
            http = await clients.enter_async_context(_client(url, settings))
            gateways[provider] = _gateway(provider, settings, routing, http)
        app.state.seals = Seals(settings.seals_folder, settings.seals_password.get_secret_value())
        app.state.gateways = Gateways(gateways, routing)
        app.state.auditor = Auditor(app.state.database, app.state.gateways, attempt_life=_life(settings))
        app.state.asker = Asker(app.state.database, app.state.gateways, _pace(settings))
        yield


def routing_of(settings: PaymentSettings) -> Routing:
    """Return which ways of paying are set up, and who offers which."""
    return Routing(frozenset({*_addresses(settings), Provider.CASH}), settings.provider_routes)


def _addresses(settings: PaymentSettings) -> dict[Provider, str]:
    named = {
        Provider.NATIONAL_PLATFORM: settings.platform_url,
        Provider.VNPAY: settings.vnpay_url,
        Provider.VIETQR: settings.bank_url,
    }
    return {provider: url for provider, url in named.items() if url}


def _client(url: str, settings: PaymentSettings) -> httpx.AsyncClient:
    calls = settings.platform_calls_max
    limits = httpx.Limits(max_connections=calls, max_keepalive_connections=calls)
    return httpx.AsyncClient(base_url=url, timeout=settings.platform_timeout_s, limits=limits)


def _gateway(provider: Provider, settings: PaymentSettings, routing: Routing, http: httpx.AsyncClient) -> Gateway:
    timeout_s = settings.platform_timeout_s
    if provider == Provider.VNPAY:
        return Vnpay(_merchant(settings), http, timeout_s=timeout_s)
    if provider == Provider.VIETQR:
        keys = Keys(settings.bank_secret.get_secret_value(), settings.bank_secret_previous.get_secret_value())
        return Bank(settings.bank_client, keys, routing, http, timeout_s=timeout_s)
    return Platform(_partner(settings), http, timeout_s=timeout_s)


def _partner(settings: PaymentSettings) -> Partner:
    return Partner(
        code=settings.platform_partner,
        keys=Keys(settings.platform_secret.get_secret_value(), settings.platform_secret_previous.get_secret_value()),
        ip=settings.platform_ip,
        account={
            "TKThuHuong": settings.platform_account,
            "MaNHThuHuong": settings.platform_account_bank,
            "TenTKThuHuong": settings.platform_account_name,
        },
    )


def _merchant(settings: PaymentSettings) -> Merchant:
    return Merchant(
        code=settings.vnpay_tmn_code,
        keys=Keys(settings.vnpay_secret.get_secret_value(), settings.vnpay_secret_previous.get_secret_value()),
        ip=settings.platform_ip,
        host=(settings.vnpay_pay_url or settings.vnpay_url).rstrip("/"),
        return_url=settings.vnpay_return_url,
    )


def _life(settings: PaymentSettings) -> timedelta:
    return timedelta(seconds=settings.attempt_life_s)


def _pace(settings: PaymentSettings) -> Pace:
    return Pace(
        calls_max=settings.platform_calls_max,
        poll=timedelta(seconds=settings.platform_poll_s),
        # A question is at most a QUERY and an INIT; what is left is for recording the answer.
        lease=timedelta(seconds=3 * settings.platform_timeout_s),
        ask_after=timedelta(seconds=settings.platform_ask_after_s),
    )


async def _ask(app: FastAPI) -> None:
    await app.state.asker.run()


async def _audit(app: FastAPI) -> None:
    await app.state.auditor.run()


async def _clean(app: FastAPI) -> None:
    await keep_small(app.state.database, app.state.settings.callback_log_days)
