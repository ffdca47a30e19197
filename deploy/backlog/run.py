"""One run: opened or taken up, led to its end, told of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from deploy.backlog.pipeline import Shown, Source, keep_all
from deploy.backlog.report import write_rejects
from services.results import operations, queries
from services.results.models import BacklogRun
from shared import clock
from shared.db import Database
from shared.work import Work, open_work


class SumsDiffer(Exception):
    """The journal does not add up to the index's rows: nothing may be reported."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to, and how fast this process did its part."""

    facts: dict[str, Any]
    rows_done: int
    seconds: float


async def lead(database: Database, source: Source, rejects: Path, shown: Shown) -> Outcome:
    """Import what is still to import; write the rejects file. Raises BacklogRunMoved, StoreAway, SumsDiffer."""
    async with open_work(database, source.caller) as work:
        run = await _opened(work, source)
    begun, after = clock.monotonic(), run.next_row - 1

    def each() -> Any:  # noqa: ANN401 - a context manager
        return open_work(database, source.caller)

    await keep_all(source, each, run_id=run.id, after=after, shown=shown)
    seconds = clock.monotonic() - begun
    async with database.session() as session:
        return Outcome(await _told(session, source, run.id, rejects), source.index.rows_total - after, seconds)


async def rehearse(database: Database, source: Source, rejects: Path, shown: Shown) -> Outcome:
    """Do everything that lead() does and undo it: one transaction that never commits, no file stored."""
    async with database.session() as session:
        work = Work(session, clock.now(), source.caller)
        run = await _opened(work, source)

        @asynccontextmanager
        async def same() -> AsyncIterator[Work]:
            yield work

        begun, after = clock.monotonic(), run.next_row - 1
        await keep_all(source, same, run_id=run.id, after=after, shown=shown)
        seconds = clock.monotonic() - begun
        return Outcome(await _told(session, source, run.id, rejects), source.index.rows_total - after, seconds)


async def _opened(work: Work, source: Source) -> BacklogRun:
    index = source.index
    return await operations.open_run(
        work,
        index_sha256=index.sha256,
        index_name=index.path.name,
        rows_total=index.rows_total,
        imported_by=source.caller.client_id,
    )


async def _told(session: AsyncSession, source: Source, run_id: UUID, rejects: Path) -> dict[str, Any]:
    facts = await _facts(session, run_id, source)
    write_rejects(rejects, source.index, [one async for one in queries.read_rejects(session, run_id=run_id)])
    return facts


async def _facts(session: AsyncSession, run_id: UUID, source: Source) -> dict[str, Any]:
    totals = await queries.get_totals(session, run_id=run_id)
    breakdown = await queries.get_breakdown(session, run_id=run_id)
    run = await session.get_one(BacklogRun, run_id, populate_existing=True)
    parts = totals.kept + totals.duplicates + totals.rejected
    if not totals.rows == parts == run.rows_total or sum(breakdown["agencies"].values()) != totals.kept:
        raise SumsDiffer(f"{totals.rows} rows in the journal, {parts} outcomes, {run.rows_total} rows in the index")
    return {
        "run_id": run_id,
        "index": source.index.path.name,
        "index_sha256": source.index.sha256,
        "trial": source.store is None,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "rows": run.rows_total,
        "kept": totals.kept,
        "kept_bytes": totals.kept_bytes,
        "duplicates": totals.duplicates,
        "rejected": totals.rejected,
        "digitised_unsigned": breakdown["signatures"].get("none", 0),
        "signed": breakdown["signatures"].get("valid", 0),
        **breakdown,
    }
