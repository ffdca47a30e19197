"""What stands in the way of a kept call, were it sent again now."""

from datetime import datetime
from enum import StrEnum

from gateway.data_services.snapshot import Registry, Version
from gateway.models import DataServiceCall


class Obstacle(StrEnum):
    """Why a kept call cannot be sent at the moment."""

    SERVICE_GONE = "service_gone"
    """The service, or this version of it, is not registered any more."""
    VERSION_NOT_ACTIVE = "version_not_active"
    IN_MAINTENANCE = "in_maintenance"
    NOT_IN_CONTRACT = "not_in_contract"
    NOT_REPEATABLE = "not_repeatable"
    """The contract no longer says that it is safe to repeat."""


def version_or_obstacle(registry: Registry, service: str, version: str, now: datetime) -> Version | Obstacle:
    """Return the version that a kept call goes to, or why it cannot be called now."""
    found = registry.find(service)
    wanted = found.versions.get(version) if found else None
    if found is None or wanted is None:
        return Obstacle.SERVICE_GONE
    if not wanted.active:
        return Obstacle.VERSION_NOT_ACTIVE
    return Obstacle.IN_MAINTENANCE if found.window_at(now, version) else wanted


def obstacle_to(registry: Registry, call: DataServiceCall, now: datetime) -> Obstacle | None:
    """Return what stands in the way of a kept call now; it is judged again when its turn comes."""
    version = version_or_obstacle(registry, call.service, call.version, now)
    if isinstance(version, Obstacle):
        return version
    operation = next((one for one in version.contract.operations if one.name == call.operation), None)
    if operation is None:
        return Obstacle.NOT_IN_CONTRACT
    return None if operation.safe_to_repeat else Obstacle.NOT_REPEATABLE
