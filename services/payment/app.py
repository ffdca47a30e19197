"""Assembles payment."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
from fastapi import FastAPI

from services.payment.consumers import HANDLERS, preload
from services.payment.platform.asking import Asker, Pace
from services.payment.platform.client import Partner, Platform
from services.payment.routes import ROUTERS
from services.payment.settings import PaymentSettings
from shared.app import ServiceParts, create_service


def create_app(settings: PaymentSettings | None = None) -> FastAPI:
    """Return the payment service."""
    parts = ServiceParts(
        name="payment",
        title="Một Cửa: payment",
        routers=ROUTERS,
        handlers=HANDLERS,
        preload=preload,
        opens=_platform,
        loops=[_ask],
    )
    return create_service(settings or PaymentSettings(), parts)


@asynccontextmanager
async def _platform(app: FastAPI) -> AsyncGenerator[None]:
    settings: PaymentSettings = app.state.settings
    calls = settings.platform_calls_max
    limits = httpx.Limits(max_connections=calls, max_keepalive_connections=calls)
    timeout_s = settings.platform_timeout_s
    async with httpx.AsyncClient(base_url=settings.platform_url, timeout=timeout_s, limits=limits) as http:
        app.state.platform = Platform(_partner(settings), http, timeout_s=timeout_s)
        app.state.asker = Asker(app.state.database, app.state.platform, _pace(settings))
        yield


def _partner(settings: PaymentSettings) -> Partner:
    return Partner(
        code=settings.platform_partner,
        secret=settings.platform_secret.get_secret_value(),
        ip=settings.platform_ip,
        account={
            "TKThuHuong": settings.platform_account,
            "MaNHThuHuong": settings.platform_account_bank,
            "TenTKThuHuong": settings.platform_account_name,
        },
    )


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
