"""Search in a catalogue of any size: the same answers, and the index does the work."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import date
from statistics import quantiles
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from services.intake.models import Level
from services.intake.queries import ProcedureFilter, list_procedures
from services.intake.queries.procedures import statement_of
from shared import clock, migrations
from shared.db import Database
from tests.support.servers import Databases

DAY = date(2026, 4, 7)
PAGES_MAX = 3000
SYLLABLES = [
    *("dang", "ky", "cap", "lai", "giay", "phep", "khai", "tu", "sinh", "ket", "hon", "tham", "dinh", "phe", "duyet"),
    *("thay", "doi", "bo", "sung", "gia", "han", "cong", "nhan", "dat", "dai", "nha", "o", "xay", "dung", "moi"),
    *("truong", "thuy", "san", "lam", "nghiep", "giao", "thong", "van", "tai", "luat", "su", "chung", "thuc", "nuoi"),
]
FILL = """
INSERT INTO procedure (code, version, entry, digest, imported_at, revision, haystack, field_code, levels, receivers,
                       valid_from, valid_to)
SELECT format('9.%s', lpad(n::text, 6, '0')), 1, '{}', '', now(), 1,
       ' ' || format('9.%s', lpad(n::text, 6, '0')) || ' ' ||
       (SELECT string_agg(words[1 + (n * 7919 + k * 104729 + n / (k + 1)) % array_length(words, 1)], ' ')
        FROM generate_series(1, 12) AS k),
       'linh_vuc_' || n % 150, ARRAY[CASE n % 3 WHEN 0 THEN 'commune' WHEN 1 THEN 'province' ELSE 'ministry' END],
       ARRAY[]::text[], '2025-01-01', CASE WHEN n % 10 = 0 THEN date '2025-06-30' END
FROM generate_series(1, $1::int) AS n, (SELECT $2::text[] AS words) AS w
"""
ASKED = (
    ProcedureFilter(words="đăng ký khai tử"),
    ProcedureFilter(words="luật sư công chứng"),
    ProcedureFilter(words="9.004711"),
    ProcedureFilter(field="linh_vuc_42"),
    ProcedureFilter(level=Level.COMMUNE, words="thẩm định"),
    ProcedureFilter(agencies=("H32.14",), levels=(Level.COMMUNE,)),
    ProcedureFilter(words="xyz"),
    ProcedureFilter(),
)


@pytest.fixture
async def filled(databases: Databases) -> AsyncIterator[Any]:
    """Lend a function that fills a database with so many procedures."""
    opened: list[tuple[Database, str]] = []

    async def fill(count: int) -> Database:
        url = await databases.create_database()
        await asyncio.to_thread(migrations.upgrade, "services.intake", url)
        connection = await asyncpg.connect(url)
        await connection.execute("ALTER INDEX ix_procedure_haystack SET (fastupdate = on)")
        await connection.execute(FILL, count, SYLLABLES, timeout=300)
        await connection.execute("ALTER INDEX ix_procedure_haystack SET (fastupdate = off)")
        await connection.execute("VACUUM ANALYZE procedure", timeout=300)
        await connection.close()
        database = Database(url, service="intake", connections_max=1)
        opened.append((database, url))
        return database

    yield fill
    for database, url in opened:
        await database.close()
        await databases.drop_database(url.rpartition("/")[2])


async def found(database: Database, wanted: ProcedureFilter, **more: Any) -> list[str]:
    async with database.session() as session:
        rows = await list_procedures(session, wanted, day=more.pop("day", DAY), limit=more.pop("limit", 20_000), **more)
        return [code for code, _ in rows]


async def seconds(database: Database, wanted: ProcedureFilter) -> float:
    """Return how long a search takes."""
    start = clock.monotonic()
    await found(database, wanted, limit=51)
    return clock.monotonic() - start


async def explained(database: Database, wanted: ProcedureFilter, *how: str, options: str = "COSTS") -> str:
    """Return the plan of a search as JSON; `how` are settings to plan with."""
    statement = statement_of(wanted, day=DAY, after="", limit=51)
    compiled = statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    written = f"EXPLAIN ({options}, FORMAT JSON) {compiled}".replace("%%", "%").replace(":", "\\:")
    async with database.session() as session:
        for setting in how:
            await session.execute(text(f"SET LOCAL {setting}"))
        return json.dumps(await session.scalar(text(written)))


async def pages(database: Database, wanted: ProcedureFilter) -> int:
    """Return how many pages of eight kilobytes a search looks at."""
    (plan,) = json.loads(await explained(database, wanted, options="ANALYZE, BUFFERS"))
    return plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]


class TestSearch:
    async def test_answers_as_a_look_at_every_row_would(self, filled: Any) -> None:
        database = await filled(3000)
        async with database.session() as session:
            rows = (await session.execute(text("SELECT code, haystack, field_code FROM procedure"))).all()
        ended = {row.code for row in rows if int(row.code[2:]) % 10 == 0}
        for words in ("đăng ký khai tử", "TỬ su", "sinh", "o", "9.0027"):
            parts = [
                part.replace("đ", "d").replace("ă", "a").replace("ý", "y").replace("ử", "u")
                for part in words.lower().split()
            ]
            holds = {
                row.code
                for row in rows
                if all((part if len(part) > 2 else f" {part}") in row.haystack for part in parts)
            }
            assert await found(database, ProcedureFilter(words=words)) == sorted(holds - ended), words
            assert await found(database, ProcedureFilter(words=words, history=True)) == sorted(holds), words
        assert await found(database, ProcedureFilter(), day=date(2024, 12, 31)) == []

    async def test_of_a_rare_word_reads_the_index(self, filled: Any) -> None:
        database = await filled(3000)
        for wanted, index in ((ASKED[2], "ix_procedure_haystack"), (ASKED[3], "ix_procedure_field_code_code")):
            # A table as small as this one is read whole; what matters is that the index can be used.
            plan = await explained(database, wanted, "enable_indexscan = off", "enable_seqscan = off")
            assert index in plan

    @pytest.mark.large
    async def test_touches_few_pages_among_a_hundred_thousand(
        self, filled: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Pages that are read say how a search grows, on a busy machine too; times are only shown."""
        shown = {}
        for count in (2000, 20_000, 100_000):
            database = await filled(count)
            touched = [await pages(database, wanted) for wanted in ASKED]
            spent = [await seconds(database, wanted) for _ in range(25) for wanted in ASKED]
            shown[count] = (max(touched), round(quantiles(spent, n=20)[-1] * 1000, 1))
            assert max(touched) < PAGES_MAX, dict(zip(ASKED, touched, strict=True))
        with capsys.disabled():
            sys.stdout.write(f"procedures: (pages at most, p95 ms): {shown}\n")
