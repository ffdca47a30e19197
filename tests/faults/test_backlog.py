"""An import that is killed three times loses nothing and keeps nothing twice."""

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.backlog.sample import write_sample
from deploy.local.folder import ROOT
from shared import migrations
from tests.support.assertions import eventually
from tests.support.servers import Databases

HALT = """
CREATE TABLE halt (first_row integer);
CREATE FUNCTION halt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM halt WHERE first_row = NEW.first_row) THEN PERFORM pg_advisory_xact_lock(42); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER halt AFTER INSERT ON backlog_chunk FOR EACH ROW EXECUTE FUNCTION halt();
"""
WAITS = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Import:
    """The command that people use, in a process of its own, on a database that halts it before a commit."""

    def __init__(self, folder: Path, url: str, connection: asyncpg.Connection) -> None:
        self.folder, self.url, self.connection = folder, url, connection
        self.store = folder / "store"
        self.chunk_rows = 10

    async def start(self) -> asyncio.subprocess.Process:
        """Start it."""
        command = ["-m", "deploy.cli", "backlog", "import", str(self.folder / "scans"), "--chunk-rows"]
        command += [str(self.chunk_rows), "--rejects", str(self.folder / "rejects.csv")]
        command += ["--report", str(self.folder / "report.json")]
        settings = {"MOTCUA_DATABASE_URL": self.url, "MOTCUA_STORAGE_URL": self.store.as_uri()}
        return await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=ROOT, env={**os.environ, **settings}, stdout=asyncio.subprocess.PIPE
        )

    async def killed_before(self, first_row: int) -> None:
        """Lead it to the commit of a chunk, and kill it there."""
        await self.connection.execute("INSERT INTO halt VALUES ($1)", first_row)
        await self.connection.execute("SELECT pg_advisory_lock(42)")
        process = await self.start()
        backend = await eventually(lambda: self.connection.fetchval(WAITS), within_s=150)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        await self.connection.execute("SELECT pg_terminate_backend($1)", backend)
        await self.connection.execute("SELECT pg_advisory_unlock(42)")
        await self.connection.execute("DELETE FROM halt")

    async def finished(self) -> dict[str, Any]:
        """Let it come to its end; return its report."""
        process = await self.start()
        said, _ = await process.communicate()
        assert process.returncode == 0, said
        return json.loads((self.folder / "report.json").read_text("utf-8"))


@pytest.fixture
async def importing(databases: Databases, tmp_path: Path) -> AsyncIterator[Import]:
    url = await databases.create_database()
    await asyncio.to_thread(migrations.upgrade, "services.results", url)
    connection = await asyncpg.connect(url)
    await connection.execute(HALT)
    yield Import(tmp_path, url, connection)
    await connection.close()
    await databases.drop_database(url.rpartition("/")[2])


def spoil(index: Path, *, doubled: int) -> int:
    """Add rows that are there already, and as many with an identity number too long for its kind; return the others."""
    heading, *rows = index.read_text("utf-8-sig").splitlines()
    wrong = [row.replace("CCCD", "CMND") for row in rows[:doubled]]
    index.write_text("\n".join([heading, *wrong, *rows, *rows[:doubled]]) + "\n", "utf-8-sig")
    return len(rows)


async def proven(importing: Import, rows: int, doubled: int) -> None:
    """Kill it three times, let it finish, then look for every row and every file."""
    total, size = rows + 2 * doubled, importing.chunk_rows
    for first_row in (1, total // 3 // size * size + 1, total * 2 // 3 // size * size + 1):
        await importing.killed_before(first_row)
        journal = await importing.connection.fetchval("SELECT coalesce(max(last_row), 0) FROM backlog_chunk")
        assert journal == first_row - 1
    report = await importing.finished()
    found = [report[name] for name in ("rows", "kept", "duplicates", "rejected")]
    assert found == [total, rows, doubled, doubled]
    assert report["rows_this_time"] == total - (total * 2 // 3 // size * size)
    kept = await importing.connection.fetch("SELECT row_no, number, sha256 FROM digitised_result ORDER BY row_no")
    assert [row["row_no"] for row in kept] == list(range(doubled + 1, doubled + rows + 1))
    assert len({row["number"].partition("/")[0] for row in kept}) == rows
    assert await importing.connection.fetchval("SELECT sum(results) FROM digitised_day") == rows
    assert len((importing.folder / "rejects.csv").read_text("utf-8").splitlines()) == doubled + 1
    await asyncio.to_thread(every_file_is_right, importing, [row["sha256"] for row in kept])


def every_file_is_right(importing: Import, names: list[str]) -> None:
    """Compare what is stored with the scans, file by file."""
    scans = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (importing.folder / "scans").rglob("*.pdf")}
    assert set(names) == scans
    for name in names:
        stored = importing.store / name[:2] / name[2:4] / name
        assert hashlib.sha256(stored.read_bytes()).hexdigest() == name


async def test_three_kills_lose_nothing_and_double_nothing(importing: Import) -> None:
    index = write_sample(importing.folder / "scans", rows=150, document_bytes=900)
    await proven(importing, spoil(index, doubled=20), 20)


@pytest.mark.large
@pytest.mark.timeout(1800)
async def test_a_hundred_thousand_scans_with_three_kills(importing: Import) -> None:
    importing.chunk_rows = 1000
    index = write_sample(importing.folder / "scans", rows=100_000, document_bytes=4000)
    await proven(importing, spoil(index, doubled=1000), 1000)
