"""Assembles results."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.results.consumers import HANDLERS, preload
from services.results.routes import ROUTERS
from services.results.settings import ResultsSettings
from services.results.storage import Archive, SignatureChecker, retention
from services.results.storage.scrubbing import Scrubber
from shared.app import ServiceParts, create_service
from shared.blobs import Keyring


def create_app(settings: ResultsSettings | None = None) -> FastAPI:
    """Return the results service."""
    found = settings or ResultsSettings.model_validate({})

    @asynccontextmanager
    async def opens(app: FastAPI) -> AsyncIterator[None]:
        checker = SignatureChecker(found.trust_folder, workers_max=found.signature_workers_max)
        app.state.archive = Archive(
            found.storage_url,
            document_bytes_max=found.document_bytes_max,
            keys=Keyring(found.storage_keys.get_secret_value()),
            checker=checker,
        )
        try:
            yield
        finally:
            await checker.close()

    async def scrub(app: FastAPI) -> None:
        if found.scrub_bytes_per_s:
            scrubber = Scrubber(app.state.database, app.state.archive, found.scrub_bytes_per_s)
            await scrubber.run(found.scrub_every_days)

    async def forget_accesses(app: FastAPI) -> None:
        await retention.run(app.state.database, found.access_retention_days)

    parts = ServiceParts(
        name="results",
        title="Một Cửa: results",
        about="The archive of results: issued, handed over, verified, used again.",
        routers=ROUTERS,
        handlers=HANDLERS,
        preload=preload,
        opens=opens,
        loops=[scrub, forget_accesses],
    )
    return create_service(found, parts)
