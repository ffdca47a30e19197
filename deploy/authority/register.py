"""The authority's memory: the last serial number and the last moment it stamped, durable before a token leaves."""

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

from shared import clock

STEP = timedelta(microseconds=1)
_SCHEMA = "CREATE TABLE IF NOT EXISTS stamp (serial INTEGER PRIMARY KEY AUTOINCREMENT, stamped_at TEXT NOT NULL)"


class Register:
    """One row a token: serial numbers grow by one and survive restarts, moments only grow."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "register.sqlite3", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = wal")
        self._db.execute("PRAGMA synchronous = full")
        self._db.execute(_SCHEMA)

    def next(self) -> tuple[int, datetime]:
        """Return the serial number and the moment of a new token; later than every moment before."""
        self._db.execute("BEGIN IMMEDIATE")
        row = self._db.execute("SELECT stamped_at FROM stamp ORDER BY serial DESC LIMIT 1").fetchone()
        moment = clock.now()
        if row:
            moment = max(moment, datetime.fromisoformat(row[0]) + STEP)
        serial = self._db.execute("INSERT INTO stamp (stamped_at) VALUES (?)", (moment.isoformat(),)).lastrowid
        self._db.execute("COMMIT")
        return serial or 0, moment

    def count(self) -> int:
        """Return how many tokens were given."""
        return self._db.execute("SELECT count(*) FROM stamp").fetchone()[0]

    def close(self) -> None:
        """Close the file."""
        self._db.close()
