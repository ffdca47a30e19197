"""Assembles results."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.results.consumers import HANDLERS, preload
from services.results.routes import ROUTERS
from services.results.settings import ResultsSettings
from services.results.storage import Archive
from shared.app import ServiceParts, create_service


def create_app(settings: ResultsSettings | None = None) -> FastAPI:
    """Return the results service."""
    found = settings or ResultsSettings.model_validate({})

    @asynccontextmanager
    async def opens(app: FastAPI) -> AsyncIterator[None]:
        app.state.archive = Archive(found.storage_url, document_bytes_max=found.document_bytes_max)
        yield

    parts = ServiceParts(
        name="results",
        title="Một Cửa: results",
        routers=ROUTERS,
        handlers=HANDLERS,
        preload=preload,
        opens=opens,
    )
    return create_service(found, parts)
