"""Data services over HTTP: the data plane, and what the registry answers itself."""

from gateway.routes.data_services import discovery, failures, registry
from gateway.routes.data_services.plane import DataPlane

ROUTERS = (discovery.router, failures.router, registry.router)
"""In this order: the words that are no codes come first."""

__all__ = ["ROUTERS", "DataPlane"]
