"""The workflow service."""

from fastapi import FastAPI

from services.workflow.consumers import HANDLERS, preload
from services.workflow.routes import ROUTERS
from services.workflow.settings import WorkflowSettings
from shared.app import ServiceParts, create_service


def create_app(settings: WorkflowSettings | None = None) -> FastAPI:
    """Return the app; settings come from the environment unless given."""
    parts = ServiceParts(
        name="workflow",
        title="Một Cửa: workflow",
        routers=ROUTERS,
        handlers=HANDLERS,
        preload=preload,
    )
    return create_service(settings or WorkflowSettings(), parts)
