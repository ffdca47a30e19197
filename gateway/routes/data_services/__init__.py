"""Data services over HTTP: the data plane, and what the registry answers itself."""

from gateway.routes.data_services import discovery, registry
from gateway.routes.data_services.opening import keep_failures, opened, refresh
from gateway.routes.data_services.plane import DataPlane

ROUTERS = (discovery.router, registry.router)
"""In this order: the words that are no codes come first."""
LOOPS = (refresh, keep_failures)

__all__ = ["LOOPS", "ROUTERS", "DataPlane", "opened"]
