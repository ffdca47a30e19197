"""The portal's memory: SQLite in its folder, one connection on one thread, one transaction a call."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from shared import clock

FILE = "portal.sqlite3"
SCHEMA = Path(__file__).with_name("schema.sql")
TABLES = (
    "received",
    "dossier",
    "early_words",
    "status",
    "tien_do",
    "session",
    "fault",
    "submission",
    "file",
    "payment",
    "payment_transaction",
    "callback",
    "callback_reply",
)
T = TypeVar("T")


class Ledger:
    """Runs work on the database, one piece after the other; a piece that raises leaves nothing behind.

    Questions have a connection and a thread of their own, so that a long one does not hold up the province.
    """

    def __init__(self, writing: "_Desk", reading: "_Desk") -> None:
        self._writing = writing
        self._reading = reading

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """Open the memory in a folder, and make it when it is not there."""
        return cls(await _Desk.open(folder), await _Desk.open(folder))

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run work in a transaction of its own and commit it."""
        return await self._writing.do(lambda db: _transaction(db, "begin immediate", work))

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Answer a question from one state of the memory, the latest that was committed."""
        return await self._reading.do(lambda db: _transaction(db, "begin", question))

    async def close(self) -> None:
        """Finish what waits and close the file."""
        await self._reading.close()
        await self._writing.close()


class _Desk:
    """A connection and the one thread that uses it."""

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread

    @classmethod
    async def open(cls, folder: Path) -> Self:
        thread = ThreadPoolExecutor(1, "ledger")
        return cls(await asyncio.get_running_loop().run_in_executor(thread, _connect, folder), thread)

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._connection)

    async def close(self) -> None:
        await self.do(sqlite3.Connection.close)
        self._thread.shutdown()


def _transaction(db: sqlite3.Connection, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
    db.execute(begin)
    try:
        done = work(db)
    except BaseException:
        db.execute("rollback")
        raise
    db.execute("commit")
    return done


def _connect(folder: Path) -> sqlite3.Connection:
    folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / FILE, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("pragma journal_mode = wal")
    # A killed process loses nothing this way; only a power cut could cost the last moments.
    connection.execute("pragma synchronous = normal")
    connection.executescript(SCHEMA.read_text())
    return connection


def forget_everything(db: sqlite3.Connection) -> None:
    """Empty every table."""
    for table in TABLES:
        db.execute(f"delete from {table}")


def next_seq(db: sqlite3.Connection) -> int:
    """Return the number of the next row of `received`."""
    return db.execute("select coalesce(max(seq), 0) + 1 from received").fetchone()[0]


def stamp() -> str:
    """Return this moment as ISO 8601 in UTC with microseconds."""
    return clock.now().isoformat(timespec="microseconds")


def dict_of(row: sqlite3.Row) -> dict[str, object]:
    """Return a row by column names."""
    return {name: row[name] for name in row.keys()}  # noqa: SIM118 - a Row iterates over its values
