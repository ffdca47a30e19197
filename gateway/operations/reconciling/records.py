"""What a reconciliation reads and keeps: statements, each for a page of dossiers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.operations.reconciling.judging import Finding, Kind, Told
from gateway.states import FINAL, PortalStatus

_DUE = text(
    """
    SELECT code, compare_at FROM portal_dossier
    WHERE compare_at <= :until AND (compare_at, code) > (:after_at, :after_code)
    ORDER BY compare_at, code LIMIT :most
    """
)
_TOLD = text(
    """
    SELECT h.code, v.agency_code, h.acknowledged_version, h.told_status, h.told_digest, h.told_at, h.compare_at,
           CASE WHEN q.code IS NOT NULL THEN q.attempts END AS attempts,
           (SELECT array_agg(d.status ORDER BY d.version) FROM portal_debt AS d
            WHERE d.dossier_code = h.code AND d.version <= h.acknowledged_version) AS statuses
    FROM portal_dossier AS h
    LEFT JOIN dossier_view AS v ON v.code = h.code
    LEFT JOIN portal_queue AS q ON q.code = h.code
    WHERE h.code = ANY(CAST(:codes AS text[]))
    """
)
_KNOWN = text(
    """
    SELECT v.code, v.facts #>> '{submitted,origin_reference}' AS reference, q.code IS NOT NULL AS owed,
           h.told_status, h.told_at
    FROM dossier_view AS v
    LEFT JOIN portal_queue AS q ON q.code = v.code
    LEFT JOIN portal_dossier AS h ON h.code = v.code
    WHERE v.code = ANY(CAST(:names AS text[]))
    UNION ALL
    SELECT code, facts #>> '{submitted,origin_reference}', true, NULL, NULL FROM dossier_view
    WHERE facts #>> '{submitted,origin_reference}' = ANY(CAST(:names AS text[]))
    """
)
_SOONER = text(
    "UPDATE portal_dossier SET compare_at = :now WHERE code = ANY(CAST(:codes AS text[])) AND compare_at > :now"
)
_COMPARED = text(
    """
    UPDATE portal_dossier AS h SET compared_at = :now, compare_at = t.again
    FROM unnest(CAST(:codes AS text[]), CAST(:again AS timestamptz[])) AS t(code, again)
    WHERE h.code = t.code
    """
)
_EXPLAINED = text(
    """
    SELECT DISTINCT ON (dossier_code, kind) dossier_code, kind, ours, theirs FROM portal_difference
    WHERE dossier_code = ANY(CAST(:codes AS text[])) AND state = 'explained' ORDER BY dossier_code, kind, id DESC
    """
)
_FOUND = text(
    """
    INSERT INTO portal_difference (dossier_code, agency_code, kind, state, ours, theirs, run_id, found_at, seen_at)
    VALUES (:code, :agency, :kind, 'open', CAST(:ours AS jsonb), CAST(:theirs AS jsonb), :run, :now, :now)
    ON CONFLICT (dossier_code, kind) WHERE closed_at IS NULL DO UPDATE
    SET ours = excluded.ours, theirs = excluded.theirs, seen_at = excluded.seen_at
    RETURNING id, redrives
    """
)
_SETTLED = text(
    """
    UPDATE portal_difference AS d SET state = 'settled', closed_at = :now, closed_by = 'reconciliation'
    FROM unnest(CAST(:codes AS text[]), CAST(:kinds AS text[])) AS t(code, but)
    WHERE d.dossier_code = t.code AND d.closed_at IS NULL AND d.kind <> t.but AND d.kind <> 'missing_here'
    """
)
_NO_LONGER_UNKNOWN = text(
    """
    UPDATE portal_difference SET state = 'settled', closed_at = :now, closed_by = 'reconciliation'
    WHERE kind = 'missing_here' AND closed_at IS NULL AND seen_at < :since
    """
)
_REDRIVEN = text(
    """
    UPDATE portal_difference SET state = 'redriven', redriven_at = :now, redriven_from = :first, redriven_by = :actor,
        redrives = redrives + 1, reason = coalesce(:reason, reason)
    WHERE id = ANY(CAST(:ids AS bigint[]))
    """
)
_TOLD_ANEW = text(
    """
    SELECT DISTINCT d.dossier_code FROM portal_difference AS d
    JOIN portal_dossier AS h ON h.code = d.dossier_code
    LEFT JOIN portal_queue AS q ON q.code = d.dossier_code
    WHERE d.closed_at IS NULL AND d.state = 'redriven' AND q.code IS NULL AND h.told_at > d.seen_at LIMIT :most
    """
)
_COUNT = text(
    """
    INSERT INTO portal_run_count (run_id, day, agency_code, status, ours, theirs)
    VALUES (:run, :day, :agency, :status, :ours, :theirs)
    ON CONFLICT (run_id, day, agency_code, status) DO UPDATE
    SET ours = portal_run_count.ours + excluded.ours, theirs = portal_run_count.theirs + excluded.theirs
    """
)
_STEP = text(
    """
    UPDATE portal_run SET listed = listed + :listed, compared = compared + :compared, in_step = in_step + :in_step,
        on_their_way = on_their_way + :on_their_way, unanswered = unanswered + :unanswered,
        differences = differences + :differences, settled = settled + :settled, redriven = redriven + :redriven
    WHERE id = :run
    """
)


async def list_due(
    session: AsyncSession, until: datetime, after: tuple[datetime, str], most: int
) -> list[tuple[str, datetime]]:
    """Return dossiers that a run has to compare, with the moment each was due, behind a place in that order."""
    place = {"after_at": after[0], "after_code": after[1]}
    rows = await session.execute(_DUE, {"until": until, "most": most, **place})
    return [(row.code, row.compare_at) for row in rows]


async def load_told(session: AsyncSession, codes: Sequence[str]) -> dict[str, Told]:
    """Return what the portal acknowledged of dossiers; one it never acknowledged is left out."""
    return {row.code: _told(row) for row in await session.execute(_TOLD, {"codes": list(codes)})}


def _told(row: Any) -> Told:  # noqa: ANN401 - a result row
    statuses = tuple(row.statuses or ())
    return Told(
        code=row.code,
        agency_code=row.agency_code,
        version=row.acknowledged_version,
        statuses=statuses,
        status=row.told_status,
        digest=row.told_digest,
        told_at=row.told_at,
        final=bool(statuses) and PortalStatus(statuses[-1]) in FINAL,
        attempts=row.attempts,
        compare_at=row.compare_at,
    )


async def load_known(session: AsyncSession, names: Sequence[str]) -> dict[str, Any]:
    """Return what we know by code, and by the portal's number, of dossiers that the portal lists."""
    known: dict[str, Any] = {}
    for row in await session.execute(_KNOWN, {"names": list(names)}):
        known.setdefault(row.code, row)
        if row.reference:
            known.setdefault(row.reference, row)
    return known


async def compare_sooner(session: AsyncSession, codes: Sequence[str], now: datetime) -> None:
    """Let dossiers be compared by the run that is on."""
    await session.execute(_SOONER, {"codes": list(codes), "now": now})


async def note_compared(session: AsyncSession, again: Mapping[str, datetime], now: datetime) -> None:
    """Remember that dossiers were compared, and when they are due again."""
    await session.execute(_COMPARED, {"codes": list(again), "again": list(again.values()), "now": now})


async def list_explained(session: AsyncSession, codes: Sequence[str]) -> dict[tuple[str, str], tuple[Any, Any]]:
    """Return both sides' facts of what a person said is right as it is, by dossier and kind."""
    rows = await session.execute(_EXPLAINED, {"codes": list(codes)})
    return {(row.dossier_code, row.kind): (row.ours, row.theirs) for row in rows}


async def note_found(
    session: AsyncSession, code: str, agency: str | None, finding: Finding, *, run: int | None, now: datetime
) -> tuple[int, int]:
    """Keep a difference, the one that stands if it was found before; return its id and how often it was re-driven."""
    values = {"code": code, "agency": agency, "kind": str(finding.kind), "run": run, "now": now}
    facts = {"ours": orjson.dumps(finding.ours).decode(), "theirs": orjson.dumps(finding.theirs).decode()}
    row = (await session.execute(_FOUND, values | facts)).one()
    return row.id, row.redrives


async def settle_others(session: AsyncSession, found: Mapping[str, Kind | None], now: datetime) -> int:
    """Settle what stands of dossiers that were compared but for the kind found now; return how many."""
    values = {"codes": list(found), "kinds": [str(kind or "") for kind in found.values()], "now": now}
    return _count(await session.execute(_SETTLED, values))


async def settle_unlisted(session: AsyncSession, since: datetime, now: datetime) -> int:
    """Settle what was missing here and is known now, or no longer listed; return how many."""
    return _count(await session.execute(_NO_LONGER_UNKNOWN, {"since": since, "now": now}))


async def note_redriven(
    session: AsyncSession, ids: Sequence[int], *, first: int, actor: str, reason: str | None, now: datetime
) -> None:
    """Remember that differences are being told anew."""
    values = {"ids": list(ids), "first": first, "actor": actor, "reason": reason, "now": now}
    await session.execute(_REDRIVEN, values)


async def list_told_anew(session: AsyncSession, most: int) -> list[str]:
    """Return dossiers that were told anew to the end since their difference was seen last."""
    return list(await session.scalars(_TOLD_ANEW, {"most": most}))


async def add_counts(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add to a run's counts by day, agency and status."""
    if rows:
        await session.execute(_COUNT, list(rows))


async def add_to_run(session: AsyncSession, run: int, **counted: int) -> None:
    """Add to a run's figures."""
    await session.execute(_STEP, dict.fromkeys(_FIGURES, 0) | counted | {"run": run})


_FIGURES = ("listed", "compared", "in_step", "on_their_way", "unanswered", "differences", "settled", "redriven")


def of_page(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of a page of the portal's list: our codes, or its own numbers."""
    return [str(row.get("MaHoSo") or row.get("MaHoSoDVCQG") or "") for row in rows]


def _count(result: Any) -> int:  # noqa: ANN401 - a cursor result
    return max(0, result.rowcount)
