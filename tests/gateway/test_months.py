"""The log's parts: made ahead, in the end verified, sealed with their figures, and dropped."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from gateway.operations.evidence import EvidenceKey, Seal, drop_old, keep_months, read_database, read_seals
from gateway.operations.evidence.months import AHEAD_DAYS, months_after
from shared import clock
from tests.gateway.hall import Hall
from tests.gateway.ledger import KEY, LAST, administrator, age, logged, new_key, verdict

PARTS = (
    "SELECT c.relname AS name FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
    " WHERE inhparent = 'transaction_log'::regclass ORDER BY 1"
)


@pytest.fixture
async def log(hall: Hall, tmp_path: Path) -> AsyncIterator[Hall]:
    """Lend a log of three months ago, of which the database keeps one whole month."""
    async with logged(hall, tmp_path):
        await hall.rows("INSERT INTO transaction_retention VALUES (1)")
        await age(hall, 3)
        yield hall
        await _clear_parts(hall)


@pytest.fixture
async def bare(hall: Hall) -> AsyncIterator[Hall]:
    """Lend a log without any part."""
    await _clear_parts(hall)
    yield hall
    await _clear_parts(hall)


async def _clear_parts(hall: Hall) -> None:
    for part in await hall.rows(PARTS):
        await hall.rows(f"DROP TABLE {part['name']}")


async def drop(log: Hall, key: EvidenceKey = KEY) -> int:
    return await drop_old(log.database, key, before=months_after(clock.now(), -1))


async def seals(log: Hall) -> list[Seal]:
    async with administrator(log.database) as connection:
        return await read_seals(connection)


class TestMaking:
    async def test_is_done_once_by_replicas_that_start_together(self, bare: Hall) -> None:
        made = await asyncio.gather(*(keep_months(bare.database) for _ in range(8)))
        assert sum(made) == 3
        names = [part["name"] for part in await bare.rows(PARTS)]
        assert names == [f"transaction_log_{months_after(clock.now(), nth):%Y_%m}" for nth in range(3)]

    async def test_goes_by_day_where_that_is_set(self, bare: Hall) -> None:
        assert await keep_months(bare.database, by_day=True) == AHEAD_DAYS + 1
        today = clock.now().astimezone(clock.VN)
        assert (await bare.rows(PARTS))[0]["name"] == f"transaction_log_{today:%Y_%m_%d}"

    async def test_changes_from_days_to_months_and_back_without_a_gap(self, bare: Hall) -> None:
        """A month that has begun by days goes on by days; a day whose month is there needs nothing."""
        await keep_months(bare.database, by_day=True)
        await keep_months(bare.database)
        await keep_months(bare.database, by_day=True)
        (found,) = await bare.rows(
            "WITH bound AS"
            " (SELECT regexp_matches(pg_get_expr(c.relpartbound, c.oid), '''([^'']+)''.*''([^'']+)''') AS of"
            " FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'transaction_log'::regclass)"
            " SELECT range_agg(tstzrange(of[1]::timestamptz, of[2]::timestamptz)) AS all FROM bound"
        )
        (covered,) = found["all"]
        assert covered.upper == months_after(clock.now(), 3)


class TestDropping:
    async def test_leaves_a_seal_and_a_chain_that_still_holds(self, log: Hall, tmp_path: Path) -> None:
        assert await drop(log) == 1
        (kept,) = await seals(log)
        assert (kept.first_number, kept.last_number, kept.calls) == (1, LAST, LAST)
        found = await verdict(log.database, tmp_path / "none")
        assert (found.sound, found.first, found.last) == (True, LAST + 1, LAST + 2), found.findings

    async def test_keeps_the_figures_under_the_seal(self, log: Hall) -> None:
        """They are made from the records themselves, and any change of them is found."""
        async with administrator(log.database) as connection:
            calls = [record.call async for record in read_database(connection)][:LAST]
        await drop(log)
        (kept,) = await seals(log)
        assert sum(day.calls for day in kept.days) == LAST
        assert sum(day.failed for day in kept.days) == sum(call.status >= 500 for call in calls)
        assert sum(day.request_bytes for day in kept.days) == sum(call.request_bytes for call in calls)
        await log.rows("UPDATE transaction_seal_day SET failed = failed - 1 WHERE failed > 0")
        found = await verdict(log.database)
        assert [(one.number, one.kind) for one in found.findings] == [(1, "unsealed")]

    async def test_seals_with_the_evidence_key_alone(self, log: Hall) -> None:
        await drop(log)
        await log.rows("UPDATE transaction_seal SET stored_to = stored_to + interval '1 day'")
        kinds = [(one.number, one.kind) for one in (await verdict(log.database)).findings]
        assert kinds[0] == (1, "unsealed")
        assert (LAST, "deleted") not in kinds

    async def test_of_a_month_without_a_seal_is_found(self, log: Hall) -> None:
        await drop(log)
        await log.rows("DELETE FROM transaction_seal_day")
        await log.rows("DELETE FROM transaction_seal")
        found = await verdict(log.database)
        assert (found.findings[0].number, found.findings[0].kind) == (1, "deleted")

    async def test_does_not_happen_to_a_month_that_was_tampered_with(self, log: Hall) -> None:
        await log.rows("UPDATE transaction_log SET status = 200 WHERE number = 10")
        assert await drop(log) == 0
        assert await log.count("transaction_log") == LAST + 2

    async def test_does_not_happen_with_a_strange_key(self, log: Hall) -> None:
        assert await drop(log, new_key()) == 0
        assert await log.count("transaction_log") == LAST + 2


class TestRefusal:
    """The database's own word: it drops nothing young, and nothing that is not sealed as it is."""

    async def test_of_a_month_that_is_not_old_enough(self, log: Hall) -> None:
        await log.rows("UPDATE transaction_retention SET months = 3")
        assert await drop(log) == 0
        assert await seals(log) == []

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (None, "not sealed"),
            ("calls = calls - 1", "not sealed"),
            ("last_hash = sha256(last_hash)", "not sealed"),
            ("first_number = 2", "not sealed"),
            ("summary_sha256 = NULL", "not sealed"),
        ],
    )
    async def test_of_a_month_without_its_seal(self, log: Hall, change: str | None, reason: str) -> None:
        name = f"transaction_log_{months_after(clock.now(), -3):%Y_%m}"
        rows = await log.rows("SELECT * FROM transaction_log WHERE number IN (1, :last) ORDER BY number", last=LAST)
        first, last = rows
        if change:
            await log.rows(
                "INSERT INTO transaction_seal VALUES (:last, :hash, 1, :start, :end, now(), :hash, :calls, :hash)",
                last=LAST,
                hash=last["hash"],
                start=first["stored_at"],
                end=last["stored_at"],
                calls=LAST,
            )
            await log.rows(f"UPDATE transaction_seal SET {change}")
        async with administrator(log.database) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=reason):
                await connection.execute("SELECT transaction_log_drop($1)", name)

    @pytest.mark.parametrize(
        "name", ["transaction_head", "transaction_log", "client", "no_such", 'x"; DROP TABLE client']
    )
    async def test_of_what_is_no_part_of_the_log(self, log: Hall, name: str) -> None:
        async with administrator(log.database) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="no part"):
                await connection.execute("SELECT transaction_log_drop($1)", name)


class TestOldSeal:
    async def test_from_before_there_were_figures_still_holds(self, log: Hall) -> None:
        await drop(log)
        await log.rows("DELETE FROM transaction_seal_day")
        (kept,) = await seals(log)
        signature = KEY.sign(kept.last_number, kept.last_hash)
        await log.rows("UPDATE transaction_seal SET calls = NULL, summary_sha256 = NULL, signature = :s", s=signature)
        (old,) = await seals(log)
        assert old.signed_by(KEY)
        assert not replace(old, last_number=LAST - 1).signed_by(KEY)
        assert (await verdict(log.database)).sound
