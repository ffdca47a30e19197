"""The log's months: made ahead of time, and in the end verified, sealed and dropped."""

import asyncio
from datetime import datetime

import asyncpg

from gateway.operations.evidence.chain import EvidenceKey
from gateway.operations.evidence.reading import read_database, read_seals
from gateway.operations.evidence.verifying import Verifier
from shared import clock, log
from shared.db import Database, is_outage

AHEAD = 2
"""Months that have their partition before they begin."""
TURN_S = 3600
_LOCK_KEY = 0x6D6F6E74  # "mont": the lock of whoever makes months

_log = log.get(__name__)


def months_after(moment: datetime, count: int) -> datetime:
    """Return the beginning of the month (of the province's time) that many months after a moment's; before, if < 0."""
    local = moment.astimezone(clock.VN)
    year, month = divmod(local.year * 12 + local.month - 1 + count, 12)
    return datetime(year, month + 1, 1, tzinfo=clock.VN)


async def keep_months(database: Database) -> None:
    """Make the partitions of this month and the next ones where they are missing."""
    connection = await database.connect()
    try:
        # Replicas start together, and IF NOT EXISTS does not hold against another that is just making the same table.
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY)
        for nth in range(AHEAD + 1):
            start = months_after(clock.now(), nth)
            name = f"transaction_log_{start:%Y_%m}"
            if await connection.fetchval("SELECT to_regclass($1)", name):
                continue
            async with connection.transaction():
                await connection.execute(
                    f"CREATE TABLE {name} PARTITION OF transaction_log"
                    f" FOR VALUES FROM ('{start.isoformat()}') TO ('{months_after(start, 1).isoformat()}')"
                )
                await connection.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {name} FROM CURRENT_USER")
    finally:
        await connection.close(timeout=2)


async def turn_months(database: Database, key: EvidenceKey, *, months: int) -> None:
    """Keep months for ever: make the next, seal and drop those that are older than so many whole months."""
    while True:
        await asyncio.sleep(TURN_S)
        try:
            await keep_months(database)
            await drop_old(database, key, before=months_after(clock.now(), -months))
        except Exception as problem:
            if not is_outage(problem):
                raise
            _log.warning("evidence.months_waiting", reason=type(problem).__name__)


async def drop_old(database: Database, key: EvidenceKey, *, before: datetime) -> int:
    """Seal and drop the months that ended by a moment; return how many. One that does not verify is left as it is."""
    connection = await database.connect()
    try:
        dropped = 0
        for name in await _months_until(connection, before):
            if not await _seal(connection, key, name):
                break
            dropped += 1
        return dropped
    finally:
        await connection.close(timeout=2)


async def _months_until(connection: asyncpg.Connection, before: datetime) -> list[str]:
    rows = await connection.fetch(
        "SELECT c.relname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid"
        " WHERE i.inhparent = 'transaction_log'::regclass AND c.relkind = 'r' AND c.relname < $1 ORDER BY c.relname",
        f"transaction_log_{before.astimezone(clock.VN):%Y_%m}",
    )
    return [row["relname"] for row in rows]


async def _seal(connection: asyncpg.Connection, key: EvidenceKey, name: str) -> bool:
    verifier = Verifier([key], seals=await read_seals(connection))
    first = last = None
    async for record in read_database(connection, table=name):
        verifier.read(record)
        first, last = first or record, record
    # A commit's records share their time: the month's last record is signed.
    verdict = verifier.end()
    if not verdict.sound:
        _log.error("evidence.month_unsound", month=name, record=verdict.findings[0].number)
        return False
    async with connection.transaction():
        if first and last:
            await connection.execute(
                "INSERT INTO transaction_seal (last_number, last_hash, first_number, stored_from, stored_to, sealed_at,"
                " signature) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                *(last.number, last.hash, first.number, first.stored_at, last.stored_at, clock.now()),
                key.sign(last.number, last.hash),
            )
        await connection.execute(f"DROP TABLE {name}")
    _log.info("evidence.month_dropped", month=name)
    return True
