"""A transaction log to do harm to, its owner, and whoever administers the database it lies in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from joserfc.jwk import OKPKey

from gateway.operations.evidence import (
    Anchored,
    Call,
    Evidence,
    EvidenceKey,
    Outside,
    Verdict,
    Witness,
    keep_months,
    read_database,
    read_testimonies,
    verify_database,
)
from gateway.operations.evidence.chain import START, Head, chained
from gateway.operations.evidence.months import months_after
from shared import clock
from shared.db import Database
from tests.gateway.hall import Hall
from tests.support.bus import running

COMMITS, SIZE = 5, 4
LAST = COMMITS * SIZE
Harm = Callable[[asyncpg.Connection], Awaitable[Any]]


def new_key() -> EvidenceKey:
    """Return a key of its own."""
    return EvidenceKey(OKPKey.generate_key("Ed25519", private=True).as_dict(private=True))


KEY = new_key()


def call(nth: int) -> Call:
    """Return a call that differs from every other."""
    return Call(
        at=clock.now(),
        client_id=f"client-{nth % 3}",
        agency="H32",
        service="intake" if nth % 2 else "payment",
        method="POST",
        path=f"/api/v1/dossiers/{nth}",
        status=201 if nth % 5 else 503,
        duration_us=nth,
        request_bytes=2,
        response_bytes=3,
        trace_id=f"{nth:032x}",
        request_sha256=bytes([nth % 256]) * 32,
    )


async def write(database: Database, numbers: Iterable[int], witness: Path | None = None) -> None:
    """Write calls in commits of four."""
    evidence = Evidence(database, KEY, Witness(str(witness) if witness else ""))
    left = list(numbers)
    async with running(evidence.run()):
        while left:
            batch, left = left[:SIZE], left[SIZE:]
            await asyncio.gather(*(evidence.store(call(nth)) for nth in batch))


@asynccontextmanager
async def logged(hall: Hall, witness: Path) -> AsyncIterator[Hall]:
    """Lend a database whose log holds five commits of four calls, and a witness who saw its end."""
    await keep_months(hall.database)
    await write(hall.database, range(1, LAST + 1), witness)
    yield hall
    await hall.clear()


@asynccontextmanager
async def administrator(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Lend a connection with every right."""
    connection = await database.connect()
    try:
        yield connection
    finally:
        await connection.close()


async def verdict(
    database: Database, witness: Path | None = None, *, anchored: Iterable[Anchored] = (), stretch: int = 0
) -> Verdict:
    """Verify the log in a database, in one piece or in stretches of so many records."""
    outside = Outside([KEY], list(read_testimonies(witness)) if witness else [], list(anchored))
    return await verify_database(database.dsn, outside, workers=1, stretch=stretch or 10_000)


async def harmed(log: Hall, harm: Harm, witness: Path | None = None) -> Verdict:
    """Do harm to the log as the database's administrator, and verify it."""
    async with administrator(log.database) as connection:
        await harm(connection)
    return await verdict(log.database, witness)


async def rehash(connection: asyncpg.Connection, since: int, key: EvidenceKey | None = None) -> None:
    """Make every hash from a record on right again, as somebody would who knows how; with the key signatures too."""
    records = [record async for record in read_database(connection)]
    head = START if since == 1 else replace(START, number=since - 1, hash=records[since - 2].hash)
    for record in records[since - 1 :]:
        ((number, digest),) = chained(head, [record.call], record.stored_at)
        signature = key.sign(number, digest) if key and record.signature else record.signature
        await connection.execute(
            "UPDATE transaction_log SET hash = $2, signature = $3 WHERE number = $1", number, digest, signature
        )
        head = Head(number, digest, record.stored_at)
    await connection.execute("UPDATE transaction_head SET number = $1, hash = $2", head.number, head.hash)


async def renumber(connection: asyncpg.Connection, which: str, number: str) -> None:
    """Give records other numbers, on a way on which none ever has that of another."""
    await connection.execute(f"UPDATE transaction_log SET number = -({number}) WHERE {which}")
    await connection.execute("UPDATE transaction_log SET number = -number WHERE number < 0")


async def age(log: Hall, months: int) -> datetime:
    """Let the records be those of a month gone by, chained and signed as they would have been; write two of today."""
    start = months_after(clock.now(), -months)
    stored = start + timedelta(days=1)
    records = [replace(call(n), at=start) for n in range(1, LAST + 1)]
    links = chained(START, records, stored)
    async with administrator(log.database) as connection:
        await connection.execute(f"SELECT transaction_log_open('{start:%Y-%m-%d}', '{start:%Y-%m-%d}', false)")
        rows = await connection.fetch("DELETE FROM transaction_log RETURNING number")
        assert len(rows) == LAST
        fields = list(Call.__slots__)
        for entry, (number, digest) in zip(records, links, strict=True):
            values = [number, stored, digest, KEY.sign(number, digest), *(getattr(entry, name) for name in fields)]
            marks = ", ".join(f"${nth + 1}" for nth in range(len(values)))
            await connection.execute(
                f"INSERT INTO transaction_log (number, stored_at, hash, signature, {', '.join(fields)})"
                f" VALUES ({marks})",
                *values,
            )
        await connection.execute("UPDATE transaction_head SET hash = $1", links[-1][1])
    await write(log.database, [51, 52])
    return start
