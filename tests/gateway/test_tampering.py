"""The transaction log as evidence: whatever is done to it in the database is found offline, and the record named."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from joserfc.jwk import OKPKey

from gateway.operations.evidence import (
    Call,
    Evidence,
    EvidenceKey,
    Export,
    Verdict,
    Verifier,
    Witness,
    drop_old,
    keep_months,
    read_database,
    read_seals,
    read_testimonies,
    verify,
    write_record,
    write_seals,
)
from gateway.operations.evidence.chain import START, chained
from gateway.operations.evidence.months import months_after
from shared import clock
from shared.db import Database
from tests.gateway.hall import Hall
from tests.support.bus import running

KEY = EvidenceKey(OKPKey.generate_key("Ed25519", private=True).as_dict(private=True))
COMMITS, SIZE = 5, 4
LAST = COMMITS * SIZE
Harm = Callable[[asyncpg.Connection], Awaitable[Any]]


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


@pytest.fixture
async def log(hall: Hall, tmp_path: Path) -> AsyncIterator[Hall]:
    """Lend a database whose log holds five commits of four calls, and a witness who saw its end."""
    await keep_months(hall.database)
    evidence = Evidence(hall.database, KEY, Witness(str(tmp_path)))
    async with running(evidence.run()):
        for commit in range(COMMITS):
            await asyncio.gather(*(evidence.store(call(commit * SIZE + nth + 1)) for nth in range(SIZE)))
    yield hall
    await hall.clear()


async def verdict(database: Database, witness: Path | None = None) -> Verdict:
    """Verify the log in a database."""
    connection = await database.connect()
    try:
        verifier = Verifier(
            [KEY], seals=await read_seals(connection), witnessed=read_testimonies(witness) if witness else ()
        )
        async for record in read_database(connection):
            verifier.read(record)
        return verifier.end()
    finally:
        await connection.close()


async def harmed(log: Hall, harm: Harm, witness: Path) -> Verdict:
    """Do harm to the log as the database's administrator, and verify it."""
    connection = await log.database.connect()
    try:
        await harm(connection)
    finally:
        await connection.close()
    return await verdict(log.database, witness)


class TestSound:
    """A log nobody touched."""

    async def test_holds_to_its_last_record(self, log: Hall, tmp_path: Path) -> None:
        found = await verdict(log.database, tmp_path)
        assert found.sound
        assert (found.records, found.first, found.last) == (LAST, 1, LAST)
        assert found.signatures >= COMMITS
        assert found.testimonies >= 1

    async def test_is_one_chain_however_many_write_it(self, hall: Hall, tmp_path: Path) -> None:
        """Three replicas at once: numbers without gaps, each call once."""
        await keep_months(hall.database)
        replicas = [Evidence(hall.database, KEY, Witness(str(tmp_path), name=str(n))) for n in range(3)]
        async with running(*(replica.run() for replica in replicas)):
            await asyncio.gather(*(replicas[nth % 3].store(call(nth)) for nth in range(300)))
        found = await verdict(hall.database, tmp_path)
        assert (found.sound, found.records, found.last) == (True, 300, 300)
        (paths,) = await hall.rows("SELECT count(DISTINCT path) AS n FROM transaction_log")
        assert paths["n"] == 300
        await hall.clear()

    async def test_goes_on_where_it_ended_after_a_restart(self, log: Hall, tmp_path: Path) -> None:
        evidence = Evidence(log.database, KEY, Witness(str(tmp_path)))
        async with running(evidence.run()):
            await evidence.store(call(99))
        found = await verdict(log.database, tmp_path)
        assert (found.sound, found.last) == (True, LAST + 1)

    async def test_may_only_be_added_to(self, log: Hall) -> None:
        """The gateway's own role, which owns the table, has no right to change or delete what is written."""
        connection = await log.database.connect()
        try:
            rows = await connection.fetch(
                "SELECT DISTINCT acl.privilege_type AS may FROM pg_class,"
                " aclexplode(coalesce(relacl, acldefault('r', relowner))) AS acl"
                " WHERE relname LIKE 'transaction_log%' AND relkind IN ('r', 'p') AND acl.grantee = relowner"
            )
        finally:
            await connection.close()
        may = {row["may"] for row in rows}
        assert {"INSERT", "SELECT"} <= may
        assert may.isdisjoint({"UPDATE", "DELETE", "TRUNCATE"})

    async def test_can_be_carried_away_and_verified_there(self, log: Hall, tmp_path: Path) -> None:
        path = tmp_path / "log.jsonl.gz"
        connection = await log.database.connect()
        with gzip.open(path, "wb") as file:
            write_seals(file, await read_seals(connection))
            async for record in read_database(connection):
                write_record(file, record)
        await connection.close()
        export = Export(path)
        assert verify(export.records(), [KEY], witnessed=read_testimonies(tmp_path)).sound
        lines = gzip.decompress(path.read_bytes()).splitlines()
        edited = json.loads(lines[7])
        edited[8] += 1
        (tmp_path / "edited.jsonl").write_bytes(b"\n".join([*lines[:7], json.dumps(edited).encode(), *lines[8:]]))
        found = verify(Export(tmp_path / "edited.jsonl").records(), [KEY])
        assert (found.findings[0].number, found.findings[0].kind) == (7, "altered")


async def _rehash(connection: asyncpg.Connection, since: int) -> None:
    """Make every hash from a record on right again, as somebody would who knows how they are made."""
    records = [record async for record in read_database(connection)]
    head = START if since == 1 else replace(START, number=since - 1, hash=records[since - 2].hash)
    for record in records[since - 1 :]:
        ((number, digest),) = chained(head, [record.call], record.stored_at)
        await connection.execute("UPDATE transaction_log SET hash = $2 WHERE number = $1", number, digest)
        head = replace(head, number=number, hash=digest)


async def _renumber(connection: asyncpg.Connection, which: str, number: str) -> None:
    """Give records other numbers, on a way on which none ever has that of another."""
    await connection.execute(f"UPDATE transaction_log SET number = -({number}) WHERE {which}")
    await connection.execute("UPDATE transaction_log SET number = -number WHERE number < 0")


async def _edit(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE transaction_log SET status = 200 WHERE number = 10")


async def _edit_and_rehash(connection: asyncpg.Connection) -> None:
    await _edit(connection)
    await _rehash(connection, 10)


async def _edit_rehash_and_strip(connection: asyncpg.Connection) -> None:
    await _edit_and_rehash(connection)
    await connection.execute("UPDATE transaction_log SET signature = NULL WHERE number >= 10")


async def _delete(connection: asyncpg.Connection) -> None:
    await connection.execute("DELETE FROM transaction_log WHERE number = 10")


async def _delete_and_close_ranks(connection: asyncpg.Connection) -> None:
    await _delete(connection)
    await _renumber(connection, "number > 10", "number - 1")


async def _delete_the_beginning(connection: asyncpg.Connection) -> None:
    await connection.execute("DELETE FROM transaction_log WHERE number < 3")


async def _insert(connection: asyncpg.Connection) -> None:
    columns = (
        "at, client_id, agency, service, method, path, status, duration_us, request_bytes, response_bytes, trace_id"
    )
    await _renumber(connection, "number >= 10", "number + 1")
    await connection.execute(
        f"INSERT INTO transaction_log (number, stored_at, {columns}, hash)"
        f" SELECT 10, stored_at, {columns}, hash FROM transaction_log WHERE number = 9"
    )


async def _insert_a_second_tenth(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "INSERT INTO transaction_log SELECT number, stored_at + interval '1 s', at, 'nobody', agency, service, method,"
        " path, status, duration_us, request_bytes, response_bytes, trace_id, dossier_code, request_sha256,"
        " response_sha256, hash, signature FROM transaction_log WHERE number = 10"
    )


async def _swap(connection: asyncpg.Connection) -> None:
    await _renumber(connection, "number IN (10, 12)", "22 - number")


async def _truncate(connection: asyncpg.Connection) -> None:
    await connection.execute("DELETE FROM transaction_log WHERE number > 12")


async def _truncate_and_mend_the_head(connection: asyncpg.Connection) -> None:
    await _truncate(connection)
    await connection.execute(
        "UPDATE transaction_head SET number = 12, hash = (SELECT hash FROM transaction_log WHERE number = 12)"
    )


async def _empty(connection: asyncpg.Connection) -> None:
    await connection.execute("TRUNCATE transaction_log, transaction_head")


async def _sign_with_another_key(connection: asyncpg.Connection) -> None:
    await _edit_and_rehash(connection)
    stranger = EvidenceKey(OKPKey.generate_key("Ed25519", private=True).as_dict(private=True))
    for row in await connection.fetch("SELECT number, hash FROM transaction_log WHERE signature IS NOT NULL"):
        signature = stranger.sign(row["number"], row["hash"])
        await connection.execute(
            "UPDATE transaction_log SET signature = $2 WHERE number = $1", row["number"], signature
        )


HARM: dict[str, tuple[Harm, int, str]] = {
    "edited": (_edit, 10, "altered"),
    "edited, all later hashes made right": (_edit_and_rehash, 9, "forged"),
    "edited, hashes right, signatures taken off": (_edit_rehash_and_strip, 9, "forged"),
    "deleted": (_delete, 10, "deleted"),
    "deleted, the later ones moved up": (_delete_and_close_ranks, 10, "altered"),
    "deleted at the beginning": (_delete_the_beginning, 1, "deleted"),
    "inserted, the later ones moved down": (_insert, 10, "altered"),
    "inserted beside another": (_insert_a_second_tenth, 10, "inserted"),
    "two in each other's place": (_swap, 10, "altered"),
    "cut off at its end": (_truncate, 13, "truncated"),
    "cut off, the head set back": (_truncate_and_mend_the_head, 13, "truncated"),
    "emptied": (_empty, 1, "truncated"),
    "signed anew by a stranger": (_sign_with_another_key, 1, "forged"),
}


class TestTampering:
    """What somebody with every right in the database did to it."""

    @pytest.mark.parametrize("what", HARM)
    async def test_is_found_and_the_first_bad_record_named(self, log: Hall, tmp_path: Path, what: str) -> None:
        harm, number, kind = HARM[what]
        found = await harmed(log, harm, tmp_path)
        assert not found.sound
        assert (found.findings[0].number, found.findings[0].kind) == (number, kind)

    async def test_of_the_end_leaves_what_is_written_afterwards_countable(self, log: Hall) -> None:
        """The gateway writes on after its own last record: the gap stays visible without any witness."""
        evidence = Evidence(log.database, KEY, Witness(""))
        async with running(evidence.run()):
            await evidence.store(call(50))
            connection = await log.database.connect()
            await connection.execute("DELETE FROM transaction_log WHERE number > 15")
            await connection.close()
            await evidence.store(call(51))
        found = await verdict(log.database)
        assert (found.findings[0].number, found.findings[0].kind) == (16, "deleted")


class TestMonths:
    """The log is partitioned by month; old months go, sealed."""

    async def test_are_made_once_by_replicas_that_start_together(self, hall: Hall) -> None:
        await hall.rows(
            "DO $$ DECLARE part regclass; BEGIN FOR part IN SELECT inhrelid FROM pg_inherits"
            " WHERE inhparent = 'transaction_log'::regclass AND inhrelid::regclass::text LIKE 'transaction_log_%'"
            " LOOP EXECUTE 'DROP TABLE ' || part; END LOOP; END $$"
        )
        await asyncio.gather(*(keep_months(hall.database) for _ in range(8)))
        (found,) = await hall.rows(
            "SELECT count(*) AS n FROM pg_inherits WHERE inhparent = 'transaction_log'::regclass"
        )
        assert found["n"] == 3

    async def test_that_ended_are_dropped_and_the_chain_still_holds(self, log: Hall, tmp_path: Path) -> None:
        await _move_a_month_back(log)
        dropped = await drop_old(log.database, KEY, before=months_after(clock.now(), 0))
        assert dropped == 1
        (seal,) = await log.rows("SELECT * FROM transaction_seal")
        assert (seal["first_number"], seal["last_number"]) == (1, LAST)
        found = await verdict(log.database, tmp_path)
        assert (found.sound, found.first, found.last) == (True, LAST + 1, LAST + 2)

    async def test_that_were_tampered_with_are_kept(self, log: Hall) -> None:
        await _move_a_month_back(log)
        connection = await log.database.connect()
        await _edit(connection)
        await connection.close()
        assert await drop_old(log.database, KEY, before=months_after(clock.now(), 0)) == 0
        assert await log.count("transaction_log") == LAST + 2


async def _move_a_month_back(log: Hall) -> None:
    """Let the records be those of last month, chained and signed as they would have been; then write two of today."""
    start = months_after(clock.now(), -1)
    records = [replace(call(n), at=start) for n in range(1, LAST + 1)]
    links = chained(START, records, start + timedelta(days=1))
    connection = await log.database.connect()
    name = f"transaction_log_{start:%Y_%m}"
    await connection.execute(
        f"CREATE TABLE {name} PARTITION OF transaction_log FOR VALUES FROM ('{start.isoformat()}')"
        f" TO ('{months_after(start, 1).isoformat()}')"
    )
    rows = await connection.fetch("DELETE FROM transaction_log RETURNING number")
    assert len(rows) == LAST
    fields = list(Call.__slots__)
    for entry, (number, digest) in zip(records, links, strict=True):
        values = [number, start + timedelta(days=1), digest, KEY.sign(number, digest)]
        values += [getattr(entry, name) for name in fields]
        marks = ", ".join(f"${nth + 1}" for nth in range(len(values)))
        await connection.execute(
            f"INSERT INTO transaction_log (number, stored_at, hash, signature, {', '.join(fields)}) VALUES ({marks})",
            *values,
        )
    await connection.execute("UPDATE transaction_head SET hash = $1", links[-1][1])
    await connection.close()
    evidence = Evidence(log.database, KEY, Witness(""))
    async with running(evidence.run()):
        await evidence.store(call(51))
        await evidence.store(call(52))


class TestDays:
    """How often who called what, as an LGSP reports it: counted in the commits of the log itself."""

    async def test_say_what_the_log_says(self, log: Hall) -> None:
        days = await log.rows("SELECT * FROM transaction_day")
        counted = {(day["service"], day["client_id"]): (day["calls"], day["failed"]) for day in days}
        rows = await log.rows(
            "SELECT service, client_id, count(*) AS calls, count(*) FILTER (WHERE status >= 500) AS failed"
            " FROM transaction_log GROUP BY 1, 2"
        )
        assert counted == {(row["service"], row["client_id"]): (row["calls"], row["failed"]) for row in rows}
        assert sum(calls for calls, _ in counted.values()) == LAST
        assert sum(failed for _, failed in counted.values()) == LAST // 5
