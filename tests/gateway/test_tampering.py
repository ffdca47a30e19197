"""The transaction log as evidence: whatever is done to it in the database is found offline, and the record named."""

import asyncio
import gzip
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from gateway.operations.evidence import (
    Evidence,
    EvidenceKey,
    Export,
    Outside,
    Verdict,
    Witness,
    keep_months,
    read_anchors,
    read_database,
    read_seals,
    read_testimonies,
    verify,
    verify_database,
    write_beginning,
    write_record,
)
from tests.gateway.hall import Hall
from tests.gateway.ledger import (
    COMMITS,
    KEY,
    LAST,
    SIZE,
    Harm,
    administrator,
    call,
    harmed,
    logged,
    new_key,
    rehash,
    renumber,
    verdict,
    write,
)
from tests.support.bus import running


@pytest.fixture
async def log(hall: Hall, tmp_path: Path) -> AsyncIterator[Hall]:
    async with logged(hall, tmp_path):
        yield hall


class TestSound:
    """A log nobody touched."""

    @pytest.mark.parametrize("stretch", [0, 3, 8], ids=["in one piece", "by commits", "by eights"])
    async def test_holds_to_its_last_record(self, log: Hall, tmp_path: Path, stretch: int) -> None:
        found = await verdict(log.database, tmp_path, stretch=stretch)
        assert found.sound, found.findings
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

    async def test_goes_on_where_it_ended_after_a_restart(self, log: Hall, tmp_path: Path) -> None:
        await write(log.database, [99], tmp_path)
        found = await verdict(log.database, tmp_path)
        assert (found.sound, found.last) == (True, LAST + 1)

    async def test_is_verified_by_processes_side_by_side(self, log: Hall, tmp_path: Path) -> None:
        outside = Outside([KEY], list(read_testimonies(tmp_path)))
        found = await verify_database(log.database.dsn, outside, workers=2, stretch=8)
        assert (found.sound, found.records, found.last) == (True, LAST, LAST)

    async def test_is_read_in_pieces_as_in_one(self, log: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gateway.operations.evidence.reading.WINDOW", 3)
        async with administrator(log.database) as connection:
            numbers = [record.number async for record in read_database(connection)]
            part = [record.number async for record in read_database(connection, after=4, until=11)]
        assert (numbers, part) == (list(range(1, LAST + 1)), list(range(5, 12)))

    async def test_can_be_carried_away_and_verified_there(self, log: Hall, tmp_path: Path) -> None:
        path = tmp_path / "log.jsonl.gz"
        async with administrator(log.database) as connection:
            with gzip.open(path, "wb") as file:
                write_beginning(file, await read_seals(connection), await read_anchors(connection))
                async for record in read_database(connection):
                    write_record(file, record)
        export = Export(path)
        assert verify(export.records(), [KEY], witnessed=read_testimonies(tmp_path)).sound
        lines = gzip.decompress(path.read_bytes()).splitlines()
        edited = json.loads(lines[7])
        edited[8] += 1
        (tmp_path / "edited.jsonl").write_bytes(b"\n".join([*lines[:7], json.dumps(edited).encode(), *lines[8:]]))
        found = verify(Export(tmp_path / "edited.jsonl").records(), [KEY])
        assert (found.findings[0].number, found.findings[0].kind) == (7, "altered")


def edited(at: int) -> Harm:
    async def harm(connection: asyncpg.Connection) -> None:
        await connection.execute("UPDATE transaction_log SET status = 200 + status WHERE number = $1", at)

    return harm


def edited_and_rehashed(at: int, *, strip: bool = False, key: EvidenceKey | None = None) -> Harm:
    async def harm(connection: asyncpg.Connection) -> None:
        await edited(at)(connection)
        await rehash(connection, at, key)
        if strip:
            await connection.execute("UPDATE transaction_log SET signature = NULL WHERE number >= $1", at)

    return harm


def deleted(at: int, *, close: bool = False) -> Harm:
    async def harm(connection: asyncpg.Connection) -> None:
        await connection.execute("DELETE FROM transaction_log WHERE number = $1", at)
        if close:
            await renumber(connection, f"number > {at}", "number - 1")

    return harm


def inserted(at: int) -> Harm:
    """Put a copy of the record before into a place, the later ones moved down."""

    async def harm(connection: asyncpg.Connection) -> None:
        columns = "at, client_id, agency, service, method, path, status, duration_us, request_bytes, response_bytes"
        await renumber(connection, f"number >= {at}", "number + 1")
        await connection.execute(
            f"INSERT INTO transaction_log (number, stored_at, {columns}, trace_id, hash)"
            f" SELECT $1, stored_at, {columns}, trace_id, hash FROM transaction_log WHERE number = $2",
            at,
            at - 1,
        )

    return harm


def doubled(at: int) -> Harm:
    async def harm(connection: asyncpg.Connection) -> None:
        columns = "at, agency, service, method, path, status, duration_us, request_bytes, response_bytes, trace_id"
        await connection.execute(
            f"INSERT INTO transaction_log (number, stored_at, client_id, {columns}, hash, signature)"
            f" SELECT number, stored_at + interval '1 s', 'nobody', {columns}, hash, signature"
            " FROM transaction_log WHERE number = $1",
            at,
        )

    return harm


def swapped(at: int, other: int) -> Harm:
    async def harm(connection: asyncpg.Connection) -> None:
        await renumber(connection, f"number IN ({at}, {other})", f"{at + other} - number")

    return harm


def truncated(after: int, *, mend: bool = False) -> Harm:
    async def harm(connection: asyncpg.Connection) -> None:
        await connection.execute("DELETE FROM transaction_log WHERE number > $1", after)
        if mend:
            await connection.execute(
                "UPDATE transaction_head SET number = $1,"
                " hash = coalesce((SELECT hash FROM transaction_log WHERE number = $1), hash)",
                after,
            )

    return harm


def signed_by_a_stranger(at: int) -> Harm:
    return edited_and_rehashed(at, key=new_key())


async def _delete_the_beginning(connection: asyncpg.Connection) -> None:
    await connection.execute("DELETE FROM transaction_log WHERE number < 3")


async def _empty(connection: asyncpg.Connection) -> None:
    await connection.execute("TRUNCATE transaction_log, transaction_head")


async def _put_beyond(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE transaction_log SET number = 9223372036854775807 WHERE number = 20")


HARM: dict[str, tuple[Harm, int, str]] = {
    "edited": (edited(10), 10, "altered"),
    "edited, all later hashes made right": (edited_and_rehashed(10), 9, "forged"),
    "edited, hashes right, signatures taken off": (edited_and_rehashed(10, strip=True), 9, "forged"),
    "deleted": (deleted(10), 10, "deleted"),
    "deleted, the later ones moved up": (deleted(10, close=True), 10, "altered"),
    "deleted at the beginning": (_delete_the_beginning, 1, "deleted"),
    "inserted, the later ones moved down": (inserted(10), 10, "altered"),
    "inserted beside another": (doubled(10), 10, "inserted"),
    "two in each other's place": (swapped(10, 12), 10, "altered"),
    "cut off at its end": (truncated(12), 13, "truncated"),
    "cut off, the head set back": (truncated(12, mend=True), 13, "truncated"),
    "emptied": (_empty, 1, "truncated"),
    "put beyond every number": (_put_beyond, 20, "deleted"),
    "signed anew by a stranger": (signed_by_a_stranger(10), 9, "forged"),
}


class TestTampering:
    """What somebody with every right in the database did to it."""

    @pytest.mark.parametrize("what", HARM)
    async def test_is_found_and_the_first_bad_record_named(self, log: Hall, tmp_path: Path, what: str) -> None:
        harm, number, kind = HARM[what]
        found = await harmed(log, harm, tmp_path)
        assert not found.sound
        assert (found.findings[0].number, found.findings[0].kind) == (number, kind)
        again = await verdict(log.database, tmp_path, stretch=4)
        assert (again.findings[0].number, again.findings[0].kind) == (number, kind)

    @pytest.mark.parametrize("seed", range(6))
    async def test_of_every_kind_at_any_place_is_found(self, log: Hall, tmp_path: Path, seed: int) -> None:
        """The six ways in a random order at random places, each on a log that was made whole again."""
        chance = random.Random(seed)
        async with administrator(log.database) as connection:
            await connection.execute("CREATE TABLE copy AS SELECT * FROM transaction_log")
            await connection.execute("CREATE TABLE head AS SELECT * FROM transaction_head")
        try:
            for harm, number in chance.sample(_ways(chance), 6):
                found = await harmed(log, harm, tmp_path)
                assert found.findings, number
                assert found.findings[0].number == number
                await _mend(log)
                assert (await verdict(log.database, tmp_path)).sound
        finally:
            await log.rows("DROP TABLE copy")
            await log.rows("DROP TABLE head")

    async def test_of_the_end_leaves_what_is_written_afterwards_countable(self, log: Hall) -> None:
        """The gateway writes on after its own last record: the gap stays visible without any witness."""
        evidence = Evidence(log.database, KEY, Witness(""))
        async with running(evidence.run()):
            await evidence.store(call(50))
            await log.rows("DELETE FROM transaction_log WHERE number > 15")
            await evidence.store(call(51))
        found: Verdict = await verdict(log.database)
        assert (found.findings[0].number, found.findings[0].kind) == (16, "deleted")


def _ways(chance: random.Random) -> list[tuple[Harm, int]]:
    """Return each way of tampering at a place of chance, with the record that must be named first."""
    places = {name: chance.randint(2, LAST - 1) for name in ("edit", "delete", "insert", "swap", "cut", "rewrite")}
    other = chance.choice([n for n in range(1, LAST + 1) if n != places["swap"]])
    signed = (places["rewrite"] - 1) // SIZE * SIZE
    return [
        (edited(places["edit"]), places["edit"]),
        (deleted(places["delete"], close=chance.random() < 0.5), places["delete"]),
        (inserted(places["insert"]), places["insert"]),
        (swapped(places["swap"], other), min(places["swap"], other)),
        (truncated(places["cut"], mend=chance.random() < 0.5), _cut(places["cut"])),
        (edited_and_rehashed(places["rewrite"]), signed + 1),
    ]


def _cut(after: int) -> int:
    """Return what is named first of a log that was cut: what no signature covers any more, else what is missing."""
    return after + 1 if after % SIZE == 0 else after // SIZE * SIZE + 1


async def _mend(log: Hall) -> None:
    await log.rows("TRUNCATE transaction_log")
    await log.rows("INSERT INTO transaction_log SELECT * FROM copy ORDER BY number")
    await log.rows("DELETE FROM transaction_head")
    await log.rows("INSERT INTO transaction_head SELECT * FROM head")


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

    async def test_tell_the_causes_of_failures(self, log: Hall) -> None:
        causes = await log.rows("SELECT status, sum(calls) AS calls FROM transaction_cause GROUP BY status")
        assert [(cause["status"], cause["calls"]) for cause in causes] == [(503, LAST // 5)]
