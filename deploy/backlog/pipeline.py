"""From index and folder into store and database: rows in chunks, files by several threads, one transaction a chunk.

While one chunk commits, the next one's files are read, checked and stored. Files are durable before the transaction
that names them begins; a kill at any moment leaves whole chunks, and files that the next run finds in their place.
"""

import asyncio
import hashlib
import os
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from deploy.backlog.columns import Unfit, read_cells, unfit
from deploy.backlog.index import Index, Row
from deploy.backlog.scans import examine, read_file
from services.results import operations
from services.results.operations import Reason, Rejected, Scan
from shared.blobs import BlobStore
from shared.caller import Caller
from shared.work import Work

AHEAD_MAX = 2
"""Chunks that are prepared while another commits."""


AGENCY_NOT_YOURS = Reason(
    "agency_code",
    "agency_not_yours",
    "This run takes results of its own agency and those below it only.",
    "Lần nhập này chỉ nhận kết quả của cơ quan mình và đơn vị trực thuộc.",
)


class Shown(Protocol):
    """Where progress is shown."""

    def step(self, done: int, total: int) -> None:
        """Show that so many rows are done."""
        ...


class SignatureRules(Protocol):
    """Judges the signatures of a document that has some."""

    async def refuse(self, document: bytes) -> Reason | None:
        """Return why the signatures are not accepted; None when they are."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """What is imported, and under which limits."""

    index: Index
    folder: Path
    caller: Caller
    today: date
    chunk_rows: int
    threads: int
    document_bytes_max: int
    signatures: SignatureRules
    store: BlobStore | None
    """None stores nothing: a trial."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that are ready for the database."""

    first_row: int
    last_row: int
    scans: Sequence[Scan]
    rejected: Sequence[Rejected]


class Preparation:
    """Reads, checks and stores what rows name, in worker threads."""

    def __init__(self, source: Source, pool: ThreadPoolExecutor) -> None:
        self._source = source
        self._pool = pool
        self._folder = os.path.realpath(source.folder)
        self._loop = asyncio.get_running_loop()

    async def chunk(self, rows: Sequence[Row]) -> Chunk:
        """Return rows ready for the database, their files durable. Raises StoreAway."""
        share = -(-len(rows) // self._source.threads)
        shares = [rows[start : start + share] for start in range(0, len(rows), share)]
        jobs = [self._loop.run_in_executor(self._pool, self._rows, some) for some in shares]
        found = [one for some in await asyncio.gather(*jobs) for one in some]
        if self._source.store:
            await self._source.store.settle()
        scans = [one for one in found if isinstance(one, Scan)]
        rejected = [one for one in found if isinstance(one, Rejected)]
        return Chunk(rows[0].row_no, rows[-1].row_no, scans, rejected)

    def _rows(self, rows: Sequence[Row]) -> list[Scan | Rejected]:
        return [self._row(row) for row in rows]

    def _row(self, row: Row) -> Scan | Rejected:
        source = self._source
        facts, reasons = read_cells(source.index.named(row), today=source.today)
        announced, name = facts.pop("sha256"), facts.pop("file")
        if facts["agency_code"] and source.caller.agency and not source.caller.may_see(facts["agency_code"]):
            reasons.append(AGENCY_NOT_YOURS)
        scanned: dict[str, Any] = {}
        if name:
            try:
                scanned = self._file(name, announced, keep=not reasons)
            except Unfit as problem:
                reasons.append(problem.reason)
        if reasons:
            return Rejected(row.row_no, row.cells, reasons)
        return Scan(row_no=row.row_no, cells=row.cells, **facts, **scanned)

    def _file(self, name: str, announced: str | None, *, keep: bool) -> dict[str, Any]:
        """Return what is known of a file that is in order, and store it if it shall be kept. Raises Unfit."""
        source = self._source
        document = read_file(self._folder, name, size_max=source.document_bytes_max)
        if announced and announced != hashlib.sha256(document).hexdigest():
            unfit("sha256", "hash_differs", "The file is not the one announced.", "Tệp khác với mã băm đã khai.")
        found = examine(document)
        if found.signed:
            judged = asyncio.run_coroutine_threadsafe(source.signatures.refuse(document), self._loop).result()
            if judged:
                raise Unfit(judged)
        blob = source.store.shelve(document) if keep and source.store else None
        return {
            "sha256": blob.sha256 if blob else hashlib.sha256(document).hexdigest(),
            "size_bytes": len(document),
            "media_type": found.media_type,
            "pages": found.pages,
            "signature": "valid" if found.signed else "none",
        }


async def prepared(source: Source, *, after: int) -> AsyncGenerator[Chunk]:
    """Yield the chunks behind a row, in order, while the following ones are prepared. Raises StoreAway."""
    pool = ThreadPoolExecutor(source.threads, thread_name_prefix="scan")
    preparation = Preparation(source, pool)
    waiting: deque[asyncio.Task[Chunk]] = deque()
    try:
        for rows in _chunks(source.index.rows(after=after), source.chunk_rows):
            waiting.append(asyncio.create_task(preparation.chunk(rows)))
            if len(waiting) > AHEAD_MAX:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        pool.shutdown(wait=False, cancel_futures=True)


async def keep_all(
    source: Source, work: Callable[[], AbstractAsyncContextManager[Work]], *, run_id: UUID, after: int, shown: Shown
) -> None:
    """Bring every row behind one into the database, a chunk a transaction. Raises BacklogRunMoved, StoreAway."""
    async with aclosing(prepared(source, after=after)) as chunks:
        async for chunk in chunks:
            async with work() as one:
                await operations.keep_chunk(
                    one,
                    run_id=run_id,
                    first_row=chunk.first_row,
                    last_row=chunk.last_row,
                    scans=chunk.scans,
                    rejected=chunk.rejected,
                )
            shown.step(chunk.last_row, source.index.rows_total)


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while some := list(islice(rows, size)):
        yield some
