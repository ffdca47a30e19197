"""Reads every file of the archive, slowly and for ever, and keeps what is missing or damaged."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import Gauge

from services.results import operations, queries
from services.results.models import ScrubRound
from services.results.storage.archive import Archive
from shared import clock, log
from shared.blobs import BlobDamaged, BlobMissing, StoreAway
from shared.caller import service_caller
from shared.db import Database
from shared.work import open_work

FILES_AT_ONCE = 20
REST_S = 600
_CALLER = service_caller("results")
_log = log.get(__name__)

FINDINGS = Gauge(
    "motcua_archive_findings", "Files of the archive that are missing or damaged.", ["problem"], multiprocess_mode="max"
)
READ = Gauge("motcua_archive_scrubbed_bytes", "Bytes that the present reading of all files has read.")


@dataclass(slots=True)
class Scrubber:
    """Reads the archive at a bounded rate; a round goes on where it stood, in whichever process."""

    database: Database
    archive: Archive
    bytes_per_s: int
    """0: as fast as it can."""

    async def run_once(self, not_before: datetime | None = None) -> ScrubRound | None:
        """Read all files once, or the rest of a broken round; None when there are none, or it is too soon."""
        async with open_work(self.database, _CALLER) as work:
            # A round over nothing would put off the first real one.
            if not await queries.list_files(work.session, after="", limit=1):
                return None
            found = await operations.begin_round(work, not_before=not_before)
        if found is None:
            return None
        position = found.position
        while True:
            following = await self._read_some(found.started_at, position)
            if following is None:
                break
            position = following
        async with open_work(self.database, _CALLER) as work:
            await operations.end_round(work, started_at=found.started_at)
        async with self.database.session() as session:
            return await queries.find_last_round(session)

    async def _read_some(self, started_at: datetime, position: str) -> str | None:
        """Read a few files; return the last one's hash, None when there are no more or another process goes on."""
        async with self.database.session() as session:
            files = await queries.list_files(session, after=position, limit=FILES_AT_ONCE)
        if not files:
            return None
        began = clock.monotonic()
        whole, bad = {}, {}
        for sha256, size in files:
            problem = await self._problem(sha256)
            if problem:
                bad[sha256] = problem
            else:
                whole[sha256] = size
        async with open_work(self.database, _CALLER) as work:
            kept = await operations.keep_progress(
                work, started_at=started_at, position=position, following=files[-1][0], whole=whole, bad=bad
            )
        await self.measure()
        if not kept:
            return None
        if self.bytes_per_s:
            await asyncio.sleep(max(0.0, sum(whole.values()) / self.bytes_per_s - (clock.monotonic() - began)))
        return files[-1][0]

    async def _problem(self, sha256: str) -> str | None:
        try:
            if not await self.archive.blobs.renew(sha256):
                async for _ in await self.archive.read(sha256):
                    pass
        except BlobMissing:
            _log.error("archive.file_missing", sha256=sha256)
            return "missing"
        except BlobDamaged:
            return "damaged"
        return None

    async def measure(self) -> None:
        """Publish how many files are missing or damaged."""
        async with self.database.session() as session:
            counted = await queries.count_findings(session)
            last = await queries.find_last_round(session)
        for problem, count in counted.items():
            FINDINGS.labels(problem).set(count)
        READ.set(last.bytes_read if last else 0)

    async def run(self, every_days: int) -> None:
        """Read for ever, a round every so many days."""
        while True:
            try:
                await self.measure()
                await self.run_once(clock.now() - timedelta(days=every_days))
            except StoreAway as problem:
                _log.warning("scrub.broken_off", reason=str(problem))
            except Exception as problem:
                _log.warning("scrub.broken_off", reason=type(problem).__name__)
            await asyncio.sleep(REST_S)
