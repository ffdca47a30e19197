"""The log's parts (months, or days): made ahead of time, and in the end verified, sealed and dropped."""

import asyncio
from datetime import datetime, timedelta

import asyncpg

from gateway.operations.evidence.chain import EvidenceKey
from gateway.operations.evidence.reading import read_database, read_seals
from gateway.operations.evidence.sealing import Seal, Tally, seal
from gateway.operations.evidence.verifying import Verifier
from shared import clock, log
from shared.db import Database, is_outage

AHEAD = 2
"""Months that have their partition before they begin."""
AHEAD_DAYS = 14
"""Days that do, where each has one of its own."""
TURN_S = 3600
COUNT_TIMEOUT_S = 3600
"""How long the database may count a month before it is dropped."""

_log = log.get(__name__)


def months_after(moment: datetime, count: int) -> datetime:
    """Return the beginning of the month (of the province's time) that many months after a moment's; before, if < 0."""
    local = moment.astimezone(clock.VN)
    year, month = divmod(local.year * 12 + local.month - 1 + count, 12)
    return datetime(year, month + 1, 1, tzinfo=clock.VN)


async def keep_months(database: Database, *, by_day: bool = False) -> int:
    """Make the partitions of this month and the next ones (or days) where they are missing; return how many."""
    now = clock.now()
    end = now + timedelta(days=AHEAD_DAYS) if by_day else months_after(now, AHEAD + 1) - timedelta(days=1)
    connection = await database.connect()
    try:
        days = [moment.astimezone(clock.VN).date() for moment in (now, end)]
        made: int | None = await connection.fetchval("SELECT transaction_log_open($1, $2, $3)", *days, by_day)
        return made or 0
    finally:
        await connection.close(timeout=2)


async def turn_months(database: Database, key: EvidenceKey, *, months: int, by_day: bool = False) -> None:
    """Keep months for ever: make the next, seal and drop those that are older than so many whole months."""
    while True:
        await asyncio.sleep(TURN_S)
        try:
            await keep_months(database, by_day=by_day)
            await drop_old(database, key, before=months_after(clock.now(), -months))
        except Exception as problem:
            if not is_outage(problem):
                raise
            _log.warning("evidence.months_waiting", reason=type(problem).__name__)


async def drop_old(database: Database, key: EvidenceKey, *, before: datetime) -> int:
    """Seal and drop the parts that ended by a moment; return how many. One that does not verify is left as it is.

    The database has its own say: a part that is younger than it is told to keep, or was changed since it was sealed,
    stays.
    """
    connection = await database.connect()
    try:
        dropped = 0
        for name in await _parts_until(connection, before):
            if not await _seal(connection, key, name):
                break
            dropped += 1
        return dropped
    finally:
        await connection.close(timeout=2)


async def _parts_until(connection: asyncpg.Connection, before: datetime) -> list[str]:
    rows = await connection.fetch(
        "SELECT c.relname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid"
        " WHERE i.inhparent = 'transaction_log'::regclass AND c.relkind = 'r' AND c.relname < $1 ORDER BY c.relname",
        f"transaction_log_{before.astimezone(clock.VN):%Y_%m}",
    )
    return [row["relname"] for row in rows]


def _span(name: str) -> tuple[datetime, datetime]:
    """Return beginning and end of a part from its name: `transaction_log_2026_11`, or with a day."""
    year, month, *day = map(int, name.removeprefix("transaction_log_").split("_"))
    start = datetime(year, month, *(day or [1]), tzinfo=clock.VN)
    return start, start + timedelta(days=1) if day else months_after(start, 1)


async def _seal(connection: asyncpg.Connection, key: EvidenceKey, name: str) -> bool:
    verifier, tally = Verifier([key], seals=await read_seals(connection)), Tally()
    first = last = None
    async for record in read_database(connection, span=_span(name)):
        verifier.read(record)
        tally.add(record)
        first, last = first or record, record
    # A commit's records share their time: the part's last record is signed.
    verdict = verifier.end()
    if not verdict.sound:
        _log.error("evidence.month_unsound", month=name, record=verdict.findings[0].number)
        return False
    try:
        async with connection.transaction():
            if first and last:
                await _keep(connection, seal(first, last, tally, key))
            await connection.execute("SELECT transaction_log_drop($1)", name, timeout=COUNT_TIMEOUT_S)
    except asyncpg.InsufficientPrivilegeError as refusal:
        _log.warning("evidence.month_kept", month=name, reason=str(refusal))
        return False
    _log.info("evidence.month_dropped", month=name)
    return True


async def _keep(connection: asyncpg.Connection, made: Seal) -> None:
    await connection.execute(
        "INSERT INTO transaction_seal (last_number, last_hash, first_number, stored_from, stored_to, calls,"
        " summary_sha256, sealed_at, signature) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        *(made.last_number, made.last_hash, made.first_number, made.stored_from, made.stored_to, made.calls),
        *(made.summary_sha256, clock.now(), made.signature),
    )
    await connection.executemany(
        "INSERT INTO transaction_seal_day (last_number, day, service, client_id, calls, refused, failed,"
        " request_bytes, response_bytes, duration_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        [
            (
                *(made.last_number, day.day, day.service, day.client_id, day.calls, day.refused, day.failed),
                *(day.request_bytes, day.response_bytes, day.duration_us),
            )
            for day in made.days
        ],
    )
