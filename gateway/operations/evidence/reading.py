"""Reading the log: from the database, or from an export that was made of it."""

import gzip
from collections.abc import AsyncIterator, Iterator
from dataclasses import astuple
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg
import orjson

from gateway.operations.evidence.chain import FIELDS, Call, Record
from gateway.operations.evidence.verifying import Testimony

PAGE = 5_000


async def read_database(connection: asyncpg.Connection, *, table: str = "transaction_log") -> AsyncIterator[Record]:
    """Return every record in the order it was stored, as one snapshot of the database has them."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        cursor = connection.cursor(f"SELECT * FROM {table} ORDER BY stored_at, number", prefetch=PAGE)
        async for row in cursor:
            yield Record(
                row["number"],
                row["stored_at"],
                Call(*(row[name] for name in FIELDS)),
                row["hash"],
                row["signature"],
            )


async def read_seals(connection: asyncpg.Connection) -> list[Testimony]:
    """Return the ends of the months that were dropped."""
    rows = await connection.fetch("SELECT last_number, last_hash, signature FROM transaction_seal ORDER BY last_number")
    return [Testimony(row["last_number"], row["last_hash"], row["signature"]) for row in rows]


def write_record(file: BinaryIO | gzip.GzipFile, record: Record) -> None:
    """Write a record as a line of an export (JSON)."""
    signature = record.signature.hex() if record.signature else None
    values = [record.number, record.stored_at, *astuple(record.call), record.hash.hex(), signature]
    file.write(orjson.dumps([v.hex() if isinstance(v, bytes) else v for v in values]) + b"\n")


def write_seals(file: BinaryIO | gzip.GzipFile, seals: list[Testimony]) -> None:
    """Write the first line of an export: the ends of dropped months."""
    ends = [[seal.number, seal.hash.hex(), seal.signature.hex()] for seal in seals]
    file.write(orjson.dumps({"motcua_transaction_log": 1, "seals": ends}) + b"\n")


class Export:
    """An export as it lies in a file; raises ValueError with the line that cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as file:
            first = _parsed(1, file.readline())
        if not isinstance(first, dict) or first.get("motcua_transaction_log") != 1:
            raise ValueError("Line 1: this is no export of the transaction log.")
        self.seals = [Testimony(n, bytes.fromhex(h), bytes.fromhex(s)) for n, h, s in first["seals"]]

    def _open(self) -> Any:  # noqa: ANN401 - a file, compressed or not
        return gzip.open(self._path, "rb") if self._path.suffix == ".gz" else self._path.open("rb")

    def records(self) -> Iterator[Record]:
        """Return the records in the order of the file."""
        with self._open() as file:
            for nth, line in enumerate(file, start=1):
                if nth > 1:
                    yield _record(nth, _parsed(nth, line))


def _parsed(nth: int, line: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return orjson.loads(line)
    except ValueError as problem:
        raise ValueError(f"Line {nth} is no JSON: {problem}") from None


def _record(nth: int, values: Any) -> Record:  # noqa: ANN401 - JSON
    try:
        number, stored_at, at, *rest, digest, signature = values
        # The last two values of a call are digests.
        texts, digests = rest[:-2], [bytes.fromhex(v) if v else None for v in rest[-2:]]
        call = Call(datetime.fromisoformat(at), *texts, *digests)
        return Record(
            number,
            datetime.fromisoformat(stored_at),
            call,
            bytes.fromhex(digest),
            bytes.fromhex(signature) if signature else None,
        )
    except (TypeError, ValueError) as problem:
        raise ValueError(f"Line {nth} is no record: {problem}") from None
