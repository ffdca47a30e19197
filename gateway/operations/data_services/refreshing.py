"""Keeping the registry in memory: read at start, when it was changed, and now and then; an outage changes nothing."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import TypeAdapter

from gateway import queries
from gateway.data_services.cache import Cache
from gateway.data_services.contract import Contract
from gateway.data_services.hosts import AllowedHosts
from gateway.data_services.policy import Credentials, Policy
from gateway.data_services.snapshot import Registry, Service, Version, Window
from gateway.models import DataService, DataServiceVersion, DataServiceWindow
from shared import log
from shared.blobs.sealer import Sealer
from shared.db import Database
from shared.leading import for_ever
from shared.listening import at_every_ring

CHANNEL = "motcua_data_services"
READ_EVERY_S = 30
AGAIN_S = 1

_log = log.get(__name__)
CREDENTIALS: TypeAdapter[Any] = TypeAdapter(Credentials)


def purpose_of(service: str, version: str) -> str:
    """Return what a version's credentials are sealed for: only that version."""
    return f"data-service credentials {service}/{version}"


class Refresher:
    """Reads the registry into memory."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        cache: Cache,
        *,
        sealer: Sealer,
        hosts: AllowedHosts,
        built_in: Sequence[Service] = (),
    ) -> None:
        self.database, self.registry, self.cache = database, registry, cache
        self.sealer, self.hosts, self.built_in = sealer, hosts, built_in
        self._known: dict[tuple[str, str], Version] = {}
        self._reading = asyncio.Lock()
        registry.replace(built_in)

    async def run(self) -> None:
        """Read for ever."""
        await for_ever("registry", self._follow, pause_s=AGAIN_S)

    async def _follow(self) -> None:
        await at_every_ring(self.database, CHANNEL, self.read, every_s=READ_EVERY_S)

    async def read(self) -> None:
        """Read the whole registry once; of two readings at a time, the later one counts."""
        async with self._reading:
            await self._read()

    async def _read(self) -> None:
        async with self.database.session() as session:
            services, revisions, windows = await queries.list_all_data_services(session)
            known = {key: one for key, one in self._known.items() if revisions.get(key) == one.revision}
            changed = [key for key in revisions if key not in known]
            rows = await queries.list_versions_by_name(session, changed)
        for row in rows:
            version = self._version(row)
            if version is not None:
                known[row.service, row.version] = version
        for key, before in self._known.items():
            if key not in known or known[key].revision != before.revision:
                self.cache.clear(before.full_name)
        self._known = known
        self.registry.replace([*(_service(one, known, windows) for one in services), *self.built_in])
        self.registry.loaded = True

    def _version(self, row: DataServiceVersion) -> Version | None:
        """Return a version as calls need it; None for one that cannot be called rightly, which is logged."""
        try:
            return Version(
                service=row.service,
                name=row.version,
                active=row.stage == "active",
                retired=row.stage == "retired",
                base_url=self.hosts.check(row.base_url),
                contract=Contract(row.contract),
                policy=Policy.model_validate(row.policy),
                credentials=self._credentials(row),
                revision=row.revision,
            )
        except Exception as problem:
            _log.error("registry.version_unusable", entry=f"{row.service}/{row.version}", reason=type(problem).__name__)
            return None

    def _credentials(self, row: DataServiceVersion) -> Any:  # noqa: ANN401 - the union's members
        if row.credentials is None:
            return None
        opened = self.sealer.open(row.credentials, purpose_of(row.service, row.version))
        return CREDENTIALS.validate_python(orjson.loads(opened))


def _service(
    row: DataService, versions: dict[tuple[str, str], Version], windows: Sequence[DataServiceWindow]
) -> Service:
    return Service(
        code=row.code,
        agency=row.agency,
        name_vi=row.name_vi,
        name_en=row.name_en,
        versions={name: one for (service, name), one in versions.items() if service == row.code},
        windows=tuple(
            Window(one.starts_at, one.ends_at, one.reason_vi, one.reason_en, one.version)
            for one in windows
            if one.service == row.code
        ),
    )
