"""Assembles the portal's process."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI, Request, Response

from deploy.portal import asked, control, rest, wire
from deploy.portal.catalogue import Catalogue
from deploy.portal.exchange import CodeWriter, json_response
from deploy.portal.faults import Menu
from deploy.portal.ledger import Ledger
from deploy.portal.outbound import Province
from deploy.portal.pages import render
from deploy.portal.parts import Portal, portal_of
from deploy.portal.payment import routes as payment
from deploy.portal.payment.callbacks import Postman
from deploy.portal.settings import PortalSettings
from deploy.portal.statuses import NAMES
from shared import clock

SHOWN_ROWS = 30
_routes = APIRouter(tags=["portal"])


def create_app(settings: PortalSettings | None = None) -> FastAPI:
    """Return the portal; nothing is opened before its lifespan begins."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _opened(settings or PortalSettings()) as portal:  # type: ignore[call-arg]
            app.state.portal = portal
            yield

    app = FastAPI(title="Cổng Dịch vụ công quốc gia (mô phỏng)", version="1.4", lifespan=lifespan)
    for router in (_routes, wire.router, rest.router, payment.router, control.router, control.files):
        app.include_router(router)
    return app


@asynccontextmanager
async def _opened(settings: PortalSettings) -> AsyncIterator[Portal]:
    ledger = await Ledger.open(settings.portal_folder)
    async with httpx.AsyncClient(base_url=settings.gateway_url, timeout=settings.portal_gateway_timeout_s) as client:
        province = Province(settings, client)
        postman = Postman(ledger, province, settings)
        await postman.resume()
        try:
            yield Portal(
                settings=settings,
                ledger=ledger,
                menu=await Menu.load(ledger),
                codes=CodeWriter(settings.portal_success_codes),
                catalogue=Catalogue.read(settings.catalogue_file),
                province=province,
                postman=postman,
            )
        finally:
            await postman.stop()
            await ledger.close()


@_routes.get("/health/live")
async def live() -> Response:
    """Tell that the process answers."""
    return json_response({"status": "live"})


@_routes.get("/health/ready")
async def ready(request: Request) -> Response:
    """Tell whether the memory can be used."""
    try:
        await portal_of(request).ledger.ask(lambda db: db.execute("select 1").fetchone())
    except sqlite3.Error as error:
        return json_response({"status": "not ready", "reason": str(error)}, 503)
    return json_response({"status": "ready"})


@_routes.get("/")
async def home(request: Request) -> Response:
    """Show a person what the portal holds."""
    portal = portal_of(request)

    def read(db: sqlite3.Connection) -> dict[str, Any]:
        return {"summary": asked.summary(db), "rows": asked.latest(db, SHOWN_ROWS)}

    facts = await portal.ledger.ask(read)
    return render("home.html", **facts, faults=portal.menu.standing(), names=NAMES, local=_local, now=clock.now())


def _local(moment: str | datetime) -> str:
    """Return a time as a person in Vietnam reads it."""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{at.astimezone(clock.VN):%H:%M:%S %d/%m/%Y}"
