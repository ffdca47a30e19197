"""Verifying a database's log by stretches, side by side on all processors: each begins at a signed record's hash."""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import asyncpg

from gateway.operations.evidence.chain import EvidenceKey
from gateway.operations.evidence.reading import read_database, read_seals
from gateway.operations.evidence.verifying import (
    FINDINGS_MAX,
    UNSIGNED_MAX,
    Anchored,
    Stretch,
    Testimony,
    Verdict,
    Verifier,
)

STRETCH = 250_000
"""Records; a shorter log is verified in one piece."""
CONNECT_TIMEOUT_S = 10

Edge = tuple[int, bytes] | None
"""Number and hash of the record a stretch begins after or ends with; None: the log's own beginning or end."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What is known of a log from outside its database; the anchors were checked."""

    keys: Sequence[EvidenceKey]
    witnessed: Sequence[Testimony] = ()
    anchored: Sequence[Anchored] = ()

    def within(self, after: Edge, until: Edge) -> "Outside":
        """Return what is about a stretch."""
        low, high = after[0] if after else -1, until[0] if until else None

        def is_within(number: int) -> bool:
            return low < number and (high is None or number <= high)

        return Outside(
            self.keys,
            [one for one in self.witnessed if is_within(one.number)],
            [one for one in self.anchored if is_within(one.number)],
        )


async def verify_database(
    url: str,
    outside: Outside,
    *,
    workers: int = 0,
    stretch: int = STRETCH,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Verdict:
    """Read the whole log of a database and return everything found; tell hears how many stretches of all are done."""
    connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S)
    try:
        ends = await _ends(connection, stretch)
    finally:
        await connection.close()
    spans, done = list(pairwise([None, *ends, None])), 0
    verdict = Verdict()
    async for one in _verdicts(url, outside, spans, workers or os.cpu_count() or 1):
        verdict.add(one)
        done += 1
        tell(done, len(spans))
    return _summed(verdict, outside)


async def _verdicts(
    url: str, outside: Outside, spans: Sequence[tuple[Edge, Edge]], workers: int
) -> AsyncIterator[Verdict]:
    """Return what came of each stretch, in order; more than one are read side by side in processes."""
    parts = [(outside.within(after, until), after, until) for after, until in spans]
    if workers == 1 or len(parts) == 1:
        for part in parts:
            yield await _verify(url, *part)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        for running in [loop.run_in_executor(pool, _work, url, *part) for part in parts]:
            yield await running


def _summed(verdict: Verdict, outside: Outside) -> Verdict:
    verifier = Verifier(outside.keys, witnessed=outside.witnessed, anchored=outside.anchored, stretch=Stretch())
    said = verifier.verdict
    verdict.testimonies, verdict.anchors = said.testimonies, said.anchors
    verdict.anchored, verdict.anchored_at = said.anchored, said.anchored_at
    verdict.findings = sorted(verdict.findings, key=lambda finding: finding.number)[:FINDINGS_MAX]
    return verdict


async def _ends(connection: asyncpg.Connection, stretch: int) -> list[tuple[int, bytes]]:
    """Return signed records about as far from each other as asked; where one is missing a stretch is longer."""
    reach = await connection.fetchrow("SELECT min(number) AS low, max(number) AS high FROM transaction_log")
    found: list[tuple[int, bytes]] = []
    if reach is None or reach["low"] is None:
        return found
    await connection.execute("SET enable_seqscan = off")
    here: int | None = reach["low"] + stretch
    while here is not None and here < reach["high"] and len(found) < _STRETCHES_MAX:
        row = await connection.fetchrow(_SIGNED, here, min(here + UNSIGNED_MAX, reach["high"] - 1))
        if row:
            found.append((row["number"], row["hash"]))
            here = row["number"] + stretch
        else:
            # A gap, which may be of any size.
            here = await connection.fetchval(
                "SELECT min(number) FROM transaction_log WHERE number > $1", here + stretch
            )
    return found


_STRETCHES_MAX = 10_000
_SIGNED = (
    "SELECT number, hash FROM transaction_log WHERE number BETWEEN $1 AND $2 AND signature IS NOT NULL"
    " ORDER BY number LIMIT 1"
)


def _work(url: str, outside: Outside, after: tuple[int, bytes] | None, until: tuple[int, bytes] | None) -> Verdict:
    return asyncio.run(_verify(url, outside, after, until))


async def _verify(url: str, outside: Outside, after: Edge, until: Edge) -> Verdict:
    connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S)
    try:
        seals = [] if after else await read_seals(connection)
        verifier = Verifier(
            outside.keys,
            witnessed=outside.witnessed,
            anchored=outside.anchored,
            seals=seals,
            stretch=Stretch(*after) if after else None,
            to_the_end=until is None,
        )
        bounds = {"after": after[0] if after else None, "until": until[0] if until else None}
        async for record in read_database(connection, **bounds):
            if not verifier.read(record):
                break
        return verifier.end()
    finally:
        await connection.close()
