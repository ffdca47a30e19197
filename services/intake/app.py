"""Assembles intake."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.intake import operations, queries
from services.intake.consumers import HANDLERS, preload
from services.intake.routes import ROUTERS
from services.intake.settings import IntakeSettings
from services.intake.storage import Documents
from shared import clock, log
from shared.app import ServiceParts, create_service
from shared.caller import service_caller
from shared.db import Database
from shared.work import open_work

_log = log.get(__name__)


def create_app(settings: IntakeSettings | None = None) -> FastAPI:
    """Return the intake service."""
    found = settings or IntakeSettings.model_validate({})

    @asynccontextmanager
    async def opens(app: FastAPI) -> AsyncIterator[None]:
        app.state.documents = Documents(found.storage_url)
        await _import(app.state.database, found)
        await _look_for_catalogue(app)
        await _look_for_rules(app)
        yield

    async def follow_catalogue(app: FastAPI) -> None:
        while True:
            await asyncio.sleep(found.catalogue_poll_s)
            try:
                await _look_for_catalogue(app)
                await _look_for_rules(app)
            except Exception as problem:
                _log.warning("catalogue.not_read", reason=type(problem).__name__)

    async def sweep(app: FastAPI) -> None:
        while True:
            await asyncio.sleep(found.sweep_s)
            try:
                await _delete_expired(app.state.database)
                await sweep_portal_files(app.state.database, app.state.documents)
            except Exception as problem:
                _log.warning("sweep.failed", reason=type(problem).__name__)

    parts = ServiceParts(
        name="intake",
        title="Một Cửa: intake",
        about="The catalogue of procedures, and every dossier from its submission to its acceptance.",
        routers=ROUTERS,
        handlers=HANDLERS,
        preload=preload,
        opens=opens,
        loops=[follow_catalogue, sweep],
    )
    return create_service(found, parts)


async def _import(database: Database, settings: IntakeSettings) -> None:
    catalogue = queries.read_catalogue(settings.catalogue_file)
    async with open_work(database, service_caller(database.service)) as work:
        changed = await operations.import_catalogue(work, catalogue=catalogue)
    _log.info("catalogue.imported", version=catalogue.version, changed=len(changed))


async def _look_for_catalogue(app: FastAPI) -> None:
    """Read the catalogue again if it is not the one in memory."""
    async with app.state.database.session() as session:
        known: queries.Catalogue | None = getattr(app.state, "catalogue", None)
        if known is None or known.revision != await queries.find_revision(session):
            app.state.catalogue = await queries.load_catalogue(session, known)


async def _look_for_rules(app: FastAPI) -> None:
    """Read the rules of submission again if one was set since."""
    async with app.state.database.session() as session:
        newest = await queries.find_rules_set(session)
        if newest != getattr(app.state, "rules_set", None):
            app.state.rules = await queries.load_rules(session)
            app.state.rules_set = newest


async def _delete_expired(database: Database) -> None:
    while True:
        async with database.session() as session:
            deleted = await operations.delete_expired(session, now=clock.now())
            await session.commit()
        if not deleted:
            return
        _log.info("sweep.deleted", count=deleted)


async def sweep_portal_files(database: Database, store: Documents) -> int:
    """Let go of files whose dossier never came: nobody takes them for kept, then their bytes go, then their rows.

    Whatever it is stopped between, the next sweep goes on from there. Returns how many are gone.
    """
    now = clock.now()
    async with database.session() as session:
        condemned = await operations.condemn_files(session, now=now)
    gone = [one for one, sha256, named in condemned if named or await store.discard(sha256)]
    async with database.session() as session:
        return await operations.forget_files(session, gone, now=now)
