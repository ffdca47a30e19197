"""One import from its first byte to its report."""

import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import update

from deploy.catalogue.target import opened
from services.intake import operations
from services.intake.models import CatalogueImport
from services.intake.operations.imports import Report
from services.intake.operations.sources import (
    AGENCIES,
    AgencyReading,
    Reading,
    merged_provinces,
    read_agencies,
    read_procedures,
    read_rows,
)
from shared import clock
from shared.caller import Caller
from shared.db import Database
from shared.identifiers import dossier_day
from shared.work import Work, open_work

Entry = TypeVar("Entry", Reading, AgencyReading)
Progress = Callable[[int, int], None]
Sifted = tuple[Report, list[Entry]]
BY_COMMAND = "command:catalogue"


@dataclass(frozen=True, slots=True)
class Source:
    """The file that is brought in."""

    path: Path
    data: bytes

    @property
    def sha256(self) -> str:
        """Hash of the file as it is."""
        return hashlib.sha256(self.data).hexdigest()


async def import_procedures(source: Source, url: str | None, *, dry_run: bool, progress: Progress) -> dict[str, Any]:
    """Bring procedures in, or only compare; return the report. Raises NoTargetError, UnreadableError."""
    report, readings = operations.sift(read_procedures(read_rows(source.data)))
    day = dossier_day(clock.now())
    if dry_run and url is None:
        operations.compare_with_nothing(report, readings, day=day, progress=progress)
        return _described(source, report, compared_with="nothing", dry_run=True)
    run = partial(operations.import_procedures, report=report, readings=readings, day=day, progress=progress)
    return await _in_database(source, "procedures", url, run, report, dry_run=dry_run)


async def import_agencies(source: Source, url: str | None, *, dry_run: bool, progress: Progress) -> dict[str, Any]:
    """Bring agencies in, or only compare; return the report. Raises NoTargetError, UnreadableError."""
    readings = list(read_agencies(read_rows(source.data, AGENCIES)))
    report, kept = operations.sift_agencies(readings)
    if dry_run and url is None:
        report.added = len(kept)
        progress(len(kept), len(kept))
        return _described(source, report, compared_with="nothing", dry_run=True)
    before = merged_provinces() if _is_whole_country(kept) else ()
    run = partial(operations.import_agencies, report=report, readings=kept, before=before, progress=progress)
    return await _in_database(source, "agencies", url, run, report, dry_run=dry_run)


def _is_whole_country(readings: Sequence[AgencyReading]) -> bool:
    """Tell whether a list holds every province that took another over, so that those it took over can be added."""
    codes = {reading.code for reading in readings}
    return all(codes.issuperset(gone.successors) for gone in merged_provinces())


async def _in_database(
    source: Source,
    kind: str,
    url: str | None,
    run: Callable[..., Coroutine[Any, Any, Report]],
    report: Report,
    *,
    dry_run: bool,
) -> dict[str, Any]:
    async with opened(url) as database:
        if dry_run:
            await run(works=partial(_reading, database), write=False)
            return _described(source, report, compared_with="database", dry_run=True)
        async with open_work(database, Caller(BY_COMMAND)) as work:
            begun, done = await operations.begin_import(work, kind=kind, source=source.path.name, sha256=source.sha256)
        await run(works=_noted(database, begun, report))
        described = _described(source, report, compared_with="database", dry_run=False) | {
            "import_id": str(begun.id),
            "resumed_after": done,
        }
        await _note(database, begun, done=report.imported, finished_at=clock.now(), report=described)
        return described


def _noted(
    database: Database, begun: CatalogueImport, report: Report
) -> Callable[[], AbstractAsyncContextManager[Work]]:
    """Return what opens a batch's transaction: how far the import is commits with the batch."""

    @asynccontextmanager
    async def works() -> AsyncIterator[Work]:
        async with open_work(database, Caller(BY_COMMAND)) as work:
            yield work
            noted = update(CatalogueImport).where(CatalogueImport.id == begun.id)
            await work.session.execute(noted.values(done=report.imported))

    return works


async def _note(database: Database, begun: CatalogueImport, **values: object) -> None:
    async with database.session() as session:
        await session.execute(update(CatalogueImport).where(CatalogueImport.id == begun.id).values(**values))
        await session.commit()


@asynccontextmanager
async def _reading(database: Database) -> AsyncIterator[Work]:
    async with database.session() as session:
        yield Work(session, clock.now(), Caller(BY_COMMAND))


def _described(source: Source, report: Report, *, compared_with: str, dry_run: bool) -> dict[str, Any]:
    about = {"file": source.path.name, "sha256": source.sha256, "dry_run": dry_run, "compared_with": compared_with}
    return report.as_json() | about
