"""What the portal is owed, as rows: what is due, what it acknowledged, what failed and is due again when.

The queue (a row for each dossier that is owed something) names the one status of a dossier that is next, so that
nothing here looks at a backlog. Debts are always locked before the queue, by folding too.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import orjson

from shared import clock, log
from shared.db import is_conflict

REASON_MAX = 300
CONFLICTS_MAX = 5
NOTHING_S = 86_400.0

_DUE = """
    SELECT d.dossier_code, d.version, d.status, d.revision, d.drive, d.owed_since, d.dossier_message,
           d.progress_message, q.attempts, held.code IS NOT NULL AS known
    FROM (SELECT code, version, attempts FROM portal_queue
          WHERE next_attempt_at <= $1 AND code <> ALL($2::text[]) ORDER BY next_attempt_at LIMIT $3) AS q
    JOIN portal_debt AS d ON d.dossier_code = q.code AND d.version = q.version
    LEFT JOIN portal_dossier AS held ON held.code = q.code
"""
_NEXT_DUE = "SELECT min(next_attempt_at) FROM portal_queue WHERE next_attempt_at > $1"
_HELD = """
    WITH first AS (
        INSERT INTO portal_dossier (code, created_at, acknowledged_version, compare_at)
        SELECT code, $2, 0, $2 FROM unnest($1::text[]) AS t(code) ON CONFLICT DO NOTHING RETURNING 1)
    INSERT INTO portal_tally (id, dossiers, dossiers_told) SELECT 1, 0, n FROM (SELECT count(*) AS n FROM first) AS c
    WHERE n > 0
    ON CONFLICT (id) DO UPDATE SET dossiers_told = portal_tally.dossiers_told + excluded.dossiers_told
"""
_DOSSIER_ACKNOWLEDGED = """
    UPDATE portal_debt AS d SET dossier_acknowledged_at = $5::timestamptz, dossier_message = NULL,
        acknowledged_at = CASE WHEN progress_message IS NULL THEN $5::timestamptz END,
        next_attempt_at = CASE WHEN progress_message IS NOT NULL THEN next_attempt_at END,
        last_error = CASE WHEN progress_message IS NOT NULL THEN last_error END
    FROM unnest($1::text[], $2::int[], $3::int[], $4::int[]) AS t(code, version, drive, revision)
    WHERE d.dossier_code = t.code AND d.version = t.version AND d.drive = t.drive AND d.revision = t.revision
    RETURNING d.dossier_code, d.version, d.acknowledged_at
"""
_TOLD = """
    UPDATE portal_dossier AS h SET told_version = t.version, told_status = t.status, told_digest = t.digest,
        told_at = $5, compare_at = $5
    FROM unnest($1::text[], $2::int[], $3::int[], $4::bytea[]) AS t(code, version, status, digest)
    WHERE h.code = t.code
"""
_ACKNOWLEDGED = """
    UPDATE portal_debt AS d SET progress_message = NULL, last_error = NULL,
        acknowledged_at = CASE WHEN dossier_message IS NULL THEN $4::timestamptz END,
        next_attempt_at = CASE WHEN dossier_message IS NOT NULL THEN $4::timestamptz END
    FROM unnest($1::text[], $2::int[], $3::int[]) AS t(code, version, drive)
    WHERE d.dossier_code = t.code AND d.version = t.version AND d.drive = t.drive
    RETURNING d.dossier_code, d.version, d.acknowledged_at
"""
_VERSION_ACKNOWLEDGED = """
    UPDATE portal_dossier AS h SET acknowledged_version = t.version, compare_at = $3
    FROM unnest($1::text[], $2::int[]) AS t(code, version) WHERE h.code = t.code
"""
_NEXT = """
    UPDATE portal_queue AS q SET version = q.version + 1, attempts = 0, next_attempt_at = $3,
        owed_since = coalesce(t.owed_since, $3)
    FROM (SELECT paid.code, paid.version, following.owed_since
          FROM unnest($1::text[], $2::int[]) AS paid(code, version)
          LEFT JOIN portal_debt AS following
               ON following.dossier_code = paid.code AND following.version = paid.version + 1) AS t
    WHERE q.code = t.code AND q.version = t.version
"""
_OUT = "DELETE FROM portal_queue WHERE code = ANY($1::text[]) AND version > newest"
_FAILED = """
    UPDATE portal_debt AS d SET attempts = attempts + 1, next_attempt_at = t.again, last_error = t.reason
    FROM unnest($1::text[], $2::int[], $3::int[], $4::timestamptz[], $5::text[])
         AS t(code, version, drive, again, reason)
    WHERE d.dossier_code = t.code AND d.version = t.version AND d.drive = t.drive
"""
_LATER = """
    UPDATE portal_queue AS q SET attempts = attempts + 1, next_attempt_at = t.again
    FROM unnest($1::text[], $2::int[], $3::timestamptz[]) AS t(code, version, again)
    WHERE q.code = t.code AND q.version = t.version
"""


_ALL_DUE = "UPDATE portal_queue SET attempts = 0, next_attempt_at = $1 WHERE attempts > 0"
Statement = tuple[str, *tuple[object, ...]]
"""SQL and its values."""


@dataclass(frozen=True, slots=True)
class Debt:
    """The oldest open status of one dossier."""

    code: str
    version: int
    status: int
    revision: int
    """Of HoSo: grows with each correction."""
    drive: int
    """Grows each time the dossier is told anew."""
    owed_since: datetime
    dossier_message: dict[str, object] | None
    """HoSo; None once it was acknowledged."""
    progress_message: dict[str, object] | None
    """TienDo; None when the status is told already and only HoSo was corrected."""
    attempts: int
    known: bool
    """The portal has acknowledged that it holds the dossier."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A debt that was not taken, why, and when it is due again."""

    debt: Debt
    reason: str
    again: datetime


class Debts:
    """The debts of one database, over one connection that the payer's tasks share."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self._one_at_a_time = asyncio.Lock()

    async def due(self, *, without: Collection[str], most: int) -> list[Debt]:
        """Return the oldest open status of each dossier that is due, those on their way left out."""
        async with self._one_at_a_time:
            rows = await self.connection.fetch(_DUE, clock.now(), list(without), most)
        return [_debt(row) for row in rows]

    async def next_due_s(self) -> float:
        """Return in how many seconds something that failed is due again; a day when nothing is."""
        now = clock.now()
        async with self._one_at_a_time:
            again = await self.connection.fetchval(_NEXT_DUE, now)
        return (again - now).total_seconds() if again else NOTHING_S

    async def note_held(self, debts: Sequence[Debt]) -> None:
        """Remember that the portal holds these dossiers."""
        if debts:
            await self._write((_HELD, [debt.code for debt in debts], clock.now()))

    async def note_dossier_acknowledged(self, debts: Sequence[Debt], digests: Sequence[bytes]) -> None:
        """Remember that HoSo was acknowledged, and erase it (personal data), unless it was corrected meanwhile."""
        if debts:
            (codes, versions), now = _keys(debts), clock.now()
            revisions, statuses = [debt.revision for debt in debts], [debt.status for debt in debts]
            await self._write(
                (_HELD, codes, now),
                (_TOLD, codes, versions, statuses, list(digests), now),
                paid=(_DOSSIER_ACKNOWLEDGED, codes, versions, _drives(debts), revisions, now),
            )

    async def note_acknowledged(self, debts: Sequence[Debt]) -> None:
        """Remember that TienDo was acknowledged; what was corrected meanwhile stays owed."""
        if debts:
            (codes, versions), now = _keys(debts), clock.now()
            await self._write(
                (_VERSION_ACKNOWLEDGED, codes, versions, now),
                paid=(_ACKNOWLEDGED, codes, versions, _drives(debts), now),
            )

    async def note_failures(self, failures: Sequence[Failure]) -> None:
        """Remember what was not taken."""
        if failures:
            debts = [failure.debt for failure in failures]
            (codes, versions), again = _keys(debts), [failure.again for failure in failures]
            reasons = [log.masked(failure.reason)[:REASON_MAX] for failure in failures]
            await self._write(
                (_FAILED, codes, versions, _drives(debts), again, reasons), (_LATER, codes, versions, again)
            )

    async def make_all_due(self) -> None:
        """Let everything that failed be due now and start over, since it was the portal that was away."""
        await self._write((_ALL_DUE, clock.now()))

    async def _write(self, *statements: Statement, paid: Statement | None = None) -> None:
        """Run statements in one transaction; what the one of `paid` settles wholly moves on in the queue."""
        async with self._one_at_a_time:
            for last in (*(False,) * CONFLICTS_MAX, True):
                try:
                    async with self.connection.transaction():
                        await self._run(statements, paid)
                    return
                except asyncpg.PostgresError as problem:
                    # Folding may lock the same debts in another order; one of the two is turned back.
                    if last or not is_conflict(problem):
                        raise

    async def _run(self, statements: Sequence[Statement], paid: Statement | None) -> None:
        settled = [row for row in await self._fetch(*paid) if row["acknowledged_at"]] if paid else []
        for statement in statements:
            await self._fetch(*statement)
        if settled:
            codes, versions = [row["dossier_code"] for row in settled], [row["version"] for row in settled]
            await self.connection.execute(_NEXT, codes, versions, clock.now())
            await self.connection.execute(_OUT, codes)

    async def _fetch(self, statement: str, *values: object) -> list[asyncpg.Record]:
        return await self.connection.fetch(statement, *values)


def _keys(debts: Sequence[Debt]) -> tuple[list[str], list[int]]:
    return [debt.code for debt in debts], [debt.version for debt in debts]


def _drives(debts: Sequence[Debt]) -> list[int]:
    return [debt.drive for debt in debts]


def _debt(row: asyncpg.Record) -> Debt:
    dossier, progress = row["dossier_message"], row["progress_message"]
    return Debt(
        code=row["dossier_code"],
        version=row["version"],
        status=row["status"],
        revision=row["revision"],
        drive=row["drive"],
        owed_since=row["owed_since"],
        dossier_message=orjson.loads(dossier) if dossier else None,
        progress_message=orjson.loads(progress) if progress else None,
        attempts=row["attempts"],
        known=row["known"],
    )
