"""The transaction log at size: bytes a row, records written and verified a second, and what nine months would be."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import asyncpg
from joserfc.jwk import OKPKey

from benchmarks.figures import Figure
from benchmarks.scratch import Scratch
from gateway.operations.evidence import Call, Evidence, EvidenceKey, Outside, Witness, keep_months, verify_database
from shared import clock, migrations
from shared.db import Database

ROWS = int(os.environ.get("MOTCUA_BENCH_ROWS", "200000"))
NINE_MONTHS = 253_527_962
"""Transactions that the LGSP of Quảng Nam reported for 257 days of 2023 (DOMAIN.md §6)."""
DAYS = 257
AT_ONCE = 20_000
CHANGES_EVERY = 10
"""Most traffic of an LGSP is machines that poll: one call of ten changes something and carries digests."""
SERVICES = ("data:DKDN", "data:CSDL_DanCu", "data:BHXH", "data:DMDC", "intake", "data:LLTP-VNeID")


async def measure(scratch: Scratch) -> list[Figure]:
    """Return the figures of a log of ROWS records, written by the gateway's own writer."""
    url = await scratch.database("bench_evidence")
    return await figures_of(url)


async def figures_of(url: str, rows: int = ROWS) -> list[Figure]:
    """Fill an empty database's log and return what that cost."""
    await asyncio.to_thread(migrations.upgrade, "gateway", url)
    key = EvidenceKey(OKPKey.generate_key("Ed25519", private=True).as_dict(private=True))
    database = Database(url, service="bench", connections_max=2)
    await keep_months(database)
    written = await _write(database, key, rows)
    size = await _size(url)
    raw = await _raw(url, rows // 10)
    await database.close()
    begun = clock.monotonic()
    found = await verify_database(url, Outside([key]))
    verified = clock.monotonic() - begun
    if not found.sound or found.records != rows:
        raise RuntimeError(f"the log does not verify: {found}")
    per_s = rows / verified
    return [
        Figure(
            "log: records written, chained, signed", rows / written, "rows/s", raw, "the same rows by COPY, no hash"
        ),
        Figure("… heap of a row", size.heap / rows, "bytes"),
        Figure("… its indexes", size.indexes / rows, "bytes"),
        Figure("… verified, all processors", per_s, "records/s"),
        Figure(f"… {NINE_MONTHS:,} rows in {DAYS} days", NINE_MONTHS * size.total / rows / 1e9, "GB"),
        Figure("… hours to verify them", NINE_MONTHS / per_s / 3600, "hours"),
        Figure("… hours to write them", NINE_MONTHS / (rows / written) / 3600, "hours"),
        Figure(
            "… writer's share of its rate that they need", NINE_MONTHS / (DAYS * 86_400) / (rows / written) * 100, "%"
        ),
    ]


def calls(count: int) -> Iterator[Call]:
    """Return calls as an LGSP has them."""
    digest = sha256(b"body").digest()
    for nth in range(count):
        changes = nth % CHANGES_EVERY == 0
        service = SERVICES[nth % len(SERVICES)]
        yield Call(
            at=clock.now(),
            client_id=f"one-stop-h32.{nth % 20:02d}",
            agency=f"H32.{nth % 20:02d}",
            service=service,
            method="POST" if changes else "GET",
            path=f"/api/v1/data-services/{service.removeprefix('data:')}/v1/records/{nth % 1_000_000:010d}",
            status=504 if nth % 500 == 0 else 200,
            duration_us=12_345 + nth % 50_000,
            request_bytes=420 if changes else 0,
            response_bytes=1_834,
            trace_id=os.urandom(16).hex(),
            request_sha256=digest if changes else None,
            response_sha256=digest if changes else None,
        )


async def _write(database: Database, key: EvidenceKey, rows: int) -> float:
    evidence = Evidence(database, key, Witness(""))
    running = asyncio.create_task(evidence.run())
    left, seconds = rows, 0.0
    while left:
        batch = list(calls(min(left, AT_ONCE)))
        begun = clock.monotonic()
        for call in batch[:-1]:
            evidence.note(call)
        await evidence.store(batch[-1])
        seconds += clock.monotonic() - begun
        left -= len(batch)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return seconds


@dataclass(frozen=True, slots=True)
class _Size:
    heap: int
    indexes: int
    total: int


async def _size(url: str) -> _Size:
    connection = await asyncpg.connect(url)
    await connection.execute("VACUUM (ANALYZE) transaction_log", timeout=600)
    row = await connection.fetchrow(
        "SELECT sum(pg_table_size(inhrelid))::bigint AS heap, sum(pg_indexes_size(inhrelid))::bigint AS indexes,"
        " sum(pg_total_relation_size(inhrelid))::bigint AS total FROM pg_inherits"
        " WHERE inhparent = 'transaction_log'::regclass"
    )
    await connection.close()
    if row is None:
        raise RuntimeError("the log has no parts")
    return _Size(*row.values())


async def _raw(url: str, rows: int) -> float:
    """Return how many of the same rows COPY takes in a second, without hash, head, counts or index."""
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE bare AS SELECT * FROM transaction_log LIMIT 0")
    sample = await connection.fetch("SELECT * FROM transaction_log ORDER BY number LIMIT $1", min(rows, 50_000))
    batches = [[tuple(row) for row in sample[start : start + 1000]] for start in range(0, len(sample), 1000)]
    begun = clock.monotonic()
    for batch in batches:
        await connection.copy_records_to_table("bare", records=batch)
    seconds = clock.monotonic() - begun
    await connection.execute("DROP TABLE bare")
    await connection.close()
    return len(sample) / seconds
