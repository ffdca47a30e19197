"""The registry as the data plane sees it: everything in memory, replaced as a whole when something changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.data_services.contract import Contract
from gateway.data_services.policy import Credentials, Policy


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which a service, or one version of it, is not called."""

    starts_at: datetime
    ends_at: datetime
    reason_vi: str
    reason_en: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a service, as calls need it."""

    service: str
    name: str
    active: bool
    retired: bool
    base_url: str
    contract: Contract
    policy: Policy
    credentials: Credentials | None
    revision: int

    @property
    def full_name(self) -> str:
        """Return `CODE/v1`."""
        return f"{self.service}/{self.name}"


@dataclass(frozen=True, slots=True)
class Service:
    """A service with its versions."""

    code: str
    agency: str
    name_vi: str
    name_en: str
    versions: Mapping[str, Version]
    windows: tuple[Window, ...] = ()
    built_in: bool = False
    """Answered by our own routes."""

    @property
    def default(self) -> Version | None:
        """Return the newest active version."""
        active = [one for one in self.versions.values() if one.active]
        return max(active, key=lambda one: int(one.name[1:]), default=None)

    def window_at(self, now: datetime, version: str) -> Window | None:
        """Return the maintenance window that is open now, the one that ends last."""
        opened = [one for one in self.windows if one.starts_at <= now < one.ends_at and one.version in {None, version}]
        return max(opened, key=lambda one: one.ends_at, default=None)


@dataclass(slots=True)
class Registry:
    """All services that may be called, by code, replaced in one step."""

    services: Mapping[str, Service] = field(default_factory=dict)
    loaded: bool = False
    """Whether it was read from the database at all."""

    def find(self, code: str) -> Service | None:
        """Return a service."""
        return self.services.get(code)

    def replace(self, services: Iterable[Service]) -> None:
        """Take what there is now."""
        self.services = {one.code: one for one in services}


def built_in(code: str, *, agency: str, name_vi: str, name_en: str, contract: Mapping[str, Any]) -> Service:
    """Return a service that our own routes answer; its contract's paths are those below its code.

    It is listed by discovery, called by right and logged as a data service, and has one version.
    """
    version = Version(code, "v1", True, False, "", Contract(contract), Policy(), None, 1)
    return Service(code, agency, name_vi, name_en, {"v1": version}, built_in=True)
