"""The services and the gateway as the documents see them."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from fastapi import FastAPI

from deploy.packages import PACKAGES
from shared.inbox import Handlers
from shared.settings import ServiceSettings
from shared.states import Lifecycle


@dataclass(frozen=True, slots=True)
class Part:
    """One process that owns a database."""

    name: str
    package: str

    def room(self, name: str) -> ModuleType:
        """Return one of its rooms."""
        return importlib.import_module(f"{self.package}.{name}")

    @property
    def settings(self) -> type[ServiceSettings]:
        """Its settings."""
        own = self.room("settings")
        return next(
            found
            for found in vars(own).values()
            if isinstance(found, type) and issubclass(found, ServiceSettings) and found is not ServiceSettings
        )

    @property
    def handlers(self) -> Handlers:
        """What it listens to."""
        return self.room("consumers").HANDLERS

    @property
    def lifecycles(self) -> list[Lifecycle[Any]]:
        """The lives of what it owns."""
        return [found for found in vars(self.room("states")).values() if isinstance(found, Lifecycle)]

    def app(self) -> FastAPI:
        """Return its app, with settings that lead nowhere: it is only described, never started."""
        needed: dict[str, Any] = {name: "" for name, one in self.settings.model_fields.items() if one.is_required()}
        return self.room("app").create_app(self.settings.model_construct(**needed))


PARTS = tuple(Part(name, package) for name, package in PACKAGES.items())


def import_everything() -> None:
    """Import every module of shared, the services and the gateway, except migrations (they run when imported)."""
    for name in ("shared", "services", "gateway"):
        for _ in _modules(importlib.import_module(name)):
            pass


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if found.name.endswith((".migrations", ".__main__")):
            continue
        module = importlib.import_module(found.name)
        yield module
        if found.ispkg:
            yield from _modules(module)
