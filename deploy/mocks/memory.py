"""A mock's memory: one SQLite file, one short transaction a call; a kill -9 forgets nothing that was answered."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared import clock

SHARED = """
CREATE TABLE IF NOT EXISTS fault (id INTEGER PRIMARY KEY, spec TEXT NOT NULL, fired INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS notice (
    id INTEGER PRIMARY KEY, reference TEXT NOT NULL, due_at TEXT NOT NULL, body TEXT NOT NULL, signature TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, confirmed_at TEXT);
CREATE TABLE IF NOT EXISTS reply (
    id INTEGER PRIMARY KEY, notice INTEGER NOT NULL, replied_at TEXT NOT NULL, status INTEGER, body TEXT NOT NULL);
"""


class Memory:
    """Tables in a folder, the shared ones and a mock's own."""

    def __init__(self, folder: Path, schema: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "memory.sqlite3", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = wal")
        self._db.execute("PRAGMA synchronous = normal")
        self._db.executescript(SHARED + schema)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction; commit at its end, roll back when the block raises."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def forget_everything(self) -> None:
        """Empty every table."""
        with self.transaction() as db:
            for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                db.execute(f"DELETE FROM {row['name']}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def stamp() -> str:
    """Return this moment as ISO 8601 in UTC with microseconds."""
    return clock.now().isoformat(timespec="microseconds")
