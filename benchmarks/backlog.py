"""Scans into the archive, checked, kept and journalled, beside plainly copying and hashing the same files."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure
from benchmarks.scratch import Scratch
from deploy.backlog import run
from deploy.backlog.index import open_index
from deploy.backlog.pipeline import Source
from deploy.backlog.sample import write_sample
from deploy.backlog.signatures import Rules
from services.results.settings import ResultsSettings
from shared import clock, migrations
from shared.blobs import BlobStore
from shared.caller import Caller
from shared.db import Database

ROUNDS, SCANS, SCAN_BYTES = 3, 4000, 50_000
AT_LEAST = 0.4


class _Nowhere:
    def step(self, done: int, total: int) -> None:
        """Show nothing."""


async def measure(scratch: Scratch) -> list[Figure]:
    """Return the rate of an import, and of plainly copying and hashing its files; medians of alternating rounds."""
    with TemporaryDirectory(dir=os.environ.get("MOTCUA_BENCH_DIR")) as place:
        folder = Path(place)
        await asyncio.to_thread(write_sample, folder / "scans", rows=SCANS, document_bytes=SCAN_BYTES)
        ours, plain = [], []
        for number in range(ROUNDS):
            url = await scratch.database("bench_backlog")
            await asyncio.to_thread(migrations.upgrade, "services.results", url)
            plain.append(SCANS / await asyncio.to_thread(_timed, lambda: _copy(folder / "scans", folder / "plain")))
            ours.append(SCANS / await _import(folder, url, number))
            for used in ("plain", "store"):
                await asyncio.to_thread(rmtree, folder / used)
    return [
        Figure(
            f"backlog import, scans of {SCAN_BYTES // 1000} kB",
            median(ours),
            "scans/s",
            median(plain),
            "plain copy + SHA-256",
            AT_LEAST,
        ),
        Figure("… 100,000 scans of this size", 100_000 / median(ours) / 60, "minutes"),
    ]


async def _import(folder: Path, url: str, number: int) -> float:
    """Return the seconds of an import, up to its last commit."""
    store = (folder / "store").as_uri()
    settings = ResultsSettings.model_validate({"database_url": url, "amqp_url": "amqp://", "storage_url": store})
    rules = Rules(settings)
    source = Source(
        index=open_index(folder / "scans" / "index.csv"),
        folder=folder / "scans",
        caller=Caller("backlog-import"),
        today=clock.now().date(),
        chunk_rows=1000,
        threads=2 * (os.cpu_count() or 1),
        document_bytes_max=settings.document_bytes_max,
        signatures=rules,
        store=BlobStore(store),
    )
    database = Database(url, service="bench", connections_max=2)
    try:
        outcome = await run.lead(database, source, folder / f"rejects-{number}.csv", _Nowhere())
    finally:
        await rules.close()
        await database.close()
    if outcome.facts["kept"] != SCANS:
        raise RuntimeError(f"only {outcome.facts['kept']} of {SCANS} scans were kept")
    return outcome.seconds


def _copy(scans: Path, target: Path) -> None:
    """Copy every scan under its SHA-256, one after the other, and force all to the disk: the least there is to do."""
    for path in sorted(scans.rglob("*.pdf")):
        document = path.read_bytes()
        name = hashlib.sha256(document).hexdigest()
        shard = target / name[:2]
        shard.mkdir(parents=True, exist_ok=True)
        (shard / name).write_bytes(document)
    os.sync()


def _timed(act: Callable[[], None]) -> float:
    begun = clock.monotonic()
    act()
    return clock.monotonic() - begun
