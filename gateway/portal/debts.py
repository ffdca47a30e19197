"""What the portal is owed, as rows: what is due, what it acknowledged, what failed and is due again when."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import orjson

from shared import clock, log

REASON_MAX = 300

_DUE = """
    SELECT head.*, held.code IS NOT NULL AS known
    FROM (SELECT DISTINCT ON (dossier_code) dossier_code, version, revision, owed_since, dossier_message,
                 progress_message, attempts, next_attempt_at
          FROM portal_debt WHERE acknowledged_at IS NULL ORDER BY dossier_code, version) AS head
    LEFT JOIN portal_dossier AS held ON held.code = head.dossier_code
    WHERE head.next_attempt_at <= $1 AND head.dossier_code <> ALL($2::text[])
    ORDER BY head.owed_since LIMIT $3
"""
_HELD = """
    INSERT INTO portal_dossier (code, created_at, acknowledged_version)
    SELECT code, $2, 0 FROM unnest($1::text[]) AS t(code) ON CONFLICT DO NOTHING
"""
_DOSSIER_ACKNOWLEDGED = """
    UPDATE portal_debt AS d SET dossier_acknowledged_at = $4::timestamptz, dossier_message = NULL,
        acknowledged_at = CASE WHEN progress_message IS NULL THEN $4::timestamptz END,
        next_attempt_at = CASE WHEN progress_message IS NOT NULL THEN next_attempt_at END,
        last_error = CASE WHEN progress_message IS NOT NULL THEN last_error END
    FROM unnest($1::text[], $2::int[], $3::int[]) AS t(code, version, revision)
    WHERE d.dossier_code = t.code AND d.version = t.version AND d.revision = t.revision
"""
_ACKNOWLEDGED = """
    WITH paid AS (
        UPDATE portal_debt AS d SET progress_message = NULL, last_error = NULL,
            acknowledged_at = CASE WHEN dossier_message IS NULL THEN $3::timestamptz END,
            next_attempt_at = CASE WHEN dossier_message IS NOT NULL THEN $3::timestamptz END
        FROM unnest($1::text[], $2::int[]) AS t(code, version) WHERE d.dossier_code = t.code AND d.version = t.version
        RETURNING d.dossier_code, d.version)
    UPDATE portal_dossier AS h SET acknowledged_version = paid.version FROM paid WHERE h.code = paid.dossier_code
"""
_FAILED = """
    UPDATE portal_debt AS d SET attempts = attempts + 1, next_attempt_at = t.again, last_error = t.reason
    FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[]) AS t(code, version, again, reason)
    WHERE d.dossier_code = t.code AND d.version = t.version
"""


@dataclass(frozen=True, slots=True)
class Debt:
    """The oldest open status of one dossier."""

    code: str
    version: int
    revision: int
    """Of HoSo: grows with each correction."""
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

    async def note_held(self, debts: Sequence[Debt]) -> None:
        """Remember that the portal holds these dossiers."""
        await self._write(_HELD, [debt.code for debt in debts], clock.now(), unless=not debts)

    async def note_dossier_acknowledged(self, debts: Sequence[Debt]) -> None:
        """Remember that HoSo was acknowledged, and erase it (personal data), unless it was corrected meanwhile."""
        revisions = [debt.revision for debt in debts]
        await self._write(_DOSSIER_ACKNOWLEDGED, *_keys(debts), revisions, clock.now(), unless=not debts)

    async def note_acknowledged(self, debts: Sequence[Debt]) -> None:
        """Remember that TienDo was acknowledged; what was corrected meanwhile stays owed."""
        await self._write(_ACKNOWLEDGED, *_keys(debts), clock.now(), unless=not debts)

    async def note_failures(self, failures: Sequence[Failure]) -> None:
        """Remember what was not taken."""
        await self._write(
            _FAILED,
            *_keys([failure.debt for failure in failures]),
            [failure.again for failure in failures],
            [log.masked(failure.reason)[:REASON_MAX] for failure in failures],
            unless=not failures,
        )

    async def _write(self, statement: str, *values: object, unless: bool) -> None:
        if not unless:
            async with self._one_at_a_time:
                await self.connection.execute(statement, *values)


def _keys(debts: Sequence[Debt]) -> tuple[list[str], list[int]]:
    return [debt.code for debt in debts], [debt.version for debt in debts]


def _debt(row: asyncpg.Record) -> Debt:
    dossier, progress = row["dossier_message"], row["progress_message"]
    return Debt(
        code=row["dossier_code"],
        version=row["version"],
        revision=row["revision"],
        owed_since=row["owed_since"],
        dossier_message=orjson.loads(dossier) if dossier else None,
        progress_message=orjson.loads(progress) if progress else None,
        attempts=row["attempts"],
        known=row["known"],
    )
