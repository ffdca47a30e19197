"""Reading the log from the database, in the order of its numbers and with flat memory, however long it is."""

from collections.abc import AsyncIterator
from dataclasses import fields
from datetime import datetime

import asyncpg

from gateway.operations.evidence.chain import FIELDS, Call, Record
from gateway.operations.evidence.sealing import DayFigures, Seal
from gateway.operations.evidence.stamps import Anchor

WINDOW = 20_000
"""Records read at once: pages are found by their range of numbers."""
Span = tuple[datetime, datetime]
_COLUMNS = f"number, stored_at, {', '.join(FIELDS)}, hash, signature"
_TRACE = 2 + FIELDS.index("trace_id")


async def read_database(
    connection: asyncpg.Connection, *, after: int | None = None, until: int | None = None, span: Span | None = None
) -> AsyncIterator[Record]:
    """Return every record in the order of its number, as one snapshot of the database has them.

    after and until bound the numbers, span the time of storing (its end excluded).
    """
    within, times = (" AND stored_at >= $3 AND stored_at < $4", span) if span else ("", ())
    page = (
        f"SELECT {_COLUMNS} FROM transaction_log WHERE number > $1 AND number <= $2{within} ORDER BY number, stored_at"
    )
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        # Pages are found by their ranges, and what was found comes sorted.
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL jit = off")
        most = _NUMBER_MAX if until is None else until
        here = await _next(connection, None, until, times) if after is None else after + 1
        while here is not None:
            end = min(here - 1 + WINDOW, most)
            rows = await connection.fetch(page, here - 1, end, *times, timeout=_PAGE_TIMEOUT_S)
            for row in rows:
                yield _record(row)
            full = len(rows) >= WINDOW and end != most
            here = end + 1 if full else await _next(connection, end, until, times)


_NUMBER_MAX = 2**63 - 1
_PAGE_TIMEOUT_S = 600


async def _next(
    connection: asyncpg.Connection, after: int | None, until: int | None, times: "Span | tuple[()]"
) -> int | None:
    """Return the lowest number beyond another: where a window was not full there may be a gap of any size."""
    within = " AND stored_at >= $3 AND stored_at < $4" if times else ""
    return await connection.fetchval(
        "SELECT min(number) FROM transaction_log WHERE number > coalesce($1::bigint, -9223372036854775808)"
        f" AND number <= coalesce($2::bigint, 9223372036854775807){within}",
        *(after, until, *times),
        timeout=_PAGE_TIMEOUT_S,
    )


def _record(row: asyncpg.Record) -> Record:
    values = list(row.values())
    trace = values[_TRACE]
    values[_TRACE] = trace.hex if trace is not None else ""
    return Record(values[0], values[1], Call(*values[2:-2]), values[-2], values[-1])


async def read_seals(connection: asyncpg.Connection) -> list[Seal]:
    """Return the ends of the months that were dropped, with their figures."""
    days: dict[int, list[DayFigures]] = {}
    named = ", ".join(one.name for one in fields(DayFigures))
    for row in await connection.fetch(f"SELECT last_number, {named} FROM transaction_seal_day"):
        days.setdefault(row["last_number"], []).append(DayFigures(*list(row.values())[1:]))
    rows = await connection.fetch(
        "SELECT first_number, last_number, last_hash, stored_from, stored_to, calls, summary_sha256, signature"
        " FROM transaction_seal ORDER BY last_number"
    )
    return [Seal(*row.values(), days=days.get(row["last_number"], [])) for row in rows]


async def read_anchors(connection: asyncpg.Connection) -> list[Anchor]:
    """Return the time stamps that are kept in the database."""
    rows = await connection.fetch("SELECT number, hash, token FROM transaction_anchor ORDER BY number")
    return [Anchor(*row.values()) for row in rows]
