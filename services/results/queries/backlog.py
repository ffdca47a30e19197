"""What is read of the backlog: runs with their journal, scans, what stands in the way of a new one."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.results.errors import BacklogRunMoved, DigitisedNotFound
from services.results.models import BacklogChunk, BacklogReject, BacklogRun, DigitisedResult
from services.results.queries.newest import list_newest
from shared.caller import Caller

DIGITISED_MATCHES_MAX = 20
_REJECTS_AT_ONCE = 1000

# What holds a row back, if anything: a result of the same number, or the same bytes under another one. Results that
# came out of a dossier count, too; these tell no owner, so equal bytes are all there is to compare.
_OBSTACLES = text(
    """
    SELECT s.row_no, n.run_id AS number_run, n.row_no AS number_row, b.number AS bytes_number,
           coalesce(n.sha256, r.sha256) AS number_sha256, n.id IS NULL AND r.id IS NOT NULL AS electronic,
           (n.owner_name, n.identity_number, n.issued_on) IS NOT DISTINCT FROM
           (s.owner_name, s.identity_number, s.issued_on) AS same_facts
    FROM json_populate_recordset(CAST(NULL AS digitised_result), CAST(:rows AS json)) s
    LEFT JOIN digitised_result n
           ON (n.agency_code, n.kind_code, n.number) = (s.agency_code, s.kind_code, s.number)
    LEFT JOIN LATERAL (
        SELECT r.id, r.sha256 FROM result r
        WHERE (r.agency_code, r.kind_code, r.number) = (s.agency_code, s.kind_code, s.number) LIMIT 1
    ) r ON true
    LEFT JOIN LATERAL (
        SELECT number FROM digitised_result d WHERE d.sha256 = s.sha256
        UNION ALL SELECT coalesce(number, '') FROM result d WHERE d.sha256 = s.sha256 LIMIT 1
    ) b ON true
    """
)


_BREAKDOWN = {
    "agencies": text("SELECT agency_code, count(*) FROM digitised_result WHERE run_id = :run_id GROUP BY 1 ORDER BY 1"),
    "signatures": text("SELECT signature, count(*) FROM digitised_result WHERE run_id = :run_id GROUP BY 1 ORDER BY 1"),
    "reasons": text(
        """
        SELECT reason ->> 'code', count(*) FROM backlog_reject, jsonb_array_elements(reasons) AS reason
        WHERE run_id = :run_id GROUP BY 1 ORDER BY 1
        """
    ),
}


@dataclass(frozen=True, slots=True)
class Totals:
    """What the journal of a run adds up to."""

    rows: int
    kept: int
    duplicates: int
    rejected: int
    kept_bytes: int
    chunks: int


async def find_run(session: AsyncSession, *, index_sha256: str) -> BacklogRun | None:
    """Return the run of an index, if it ever began."""
    return await session.scalar(select(BacklogRun).where(BacklogRun.index_sha256 == index_sha256))


async def lock_run(session: AsyncSession, *, run_id: UUID, at_row: int) -> BacklogRun:
    """Return and lock a run that stands before a row. Raises BacklogRunMoved when it does not stand there."""
    run = await session.get(BacklogRun, run_id, with_for_update=True, populate_existing=True)
    if run is None or run.next_row != at_row:
        raise BacklogRunMoved(run_id=run_id, at_row=at_row)
    return run


async def get_totals(session: AsyncSession, *, run_id: UUID) -> Totals:
    """Return what the run's journal adds up to; zeros for a run without chunks."""
    chunk = BacklogChunk
    rows = func.coalesce(func.sum(chunk.last_row - chunk.first_row + 1), 0)
    sums = [func.coalesce(func.sum(one), 0) for one in (chunk.kept, chunk.duplicates, chunk.rejected, chunk.kept_bytes)]
    found = (await session.execute(select(rows, *sums, func.count()).where(chunk.run_id == run_id))).one()
    return Totals(*(int(one) for one in found))


async def get_breakdown(session: AsyncSession, *, run_id: UUID) -> dict[str, dict[str, int]]:
    """Return a run's kept rows by agency and by signature, its rejected rows by the code of each reason."""
    asked = {"run_id": run_id}
    return {name: dict((await session.execute(query, asked)).all()) for name, query in _BREAKDOWN.items()}


async def read_rejects(session: AsyncSession, *, run_id: UUID) -> AsyncIterator[BacklogReject]:
    """Yield the rows that a run rejected, in the index's order, some at a time."""
    after = 0
    while True:
        query = select(BacklogReject).where(BacklogReject.run_id == run_id, BacklogReject.row_no > after)
        some = (await session.scalars(query.order_by(BacklogReject.row_no).limit(_REJECTS_AT_ONCE))).all()
        for one in some:
            yield one
        if len(some) < _REJECTS_AT_ONCE:
            return
        after = some[-1].row_no


async def list_obstacles(session: AsyncSession, *, rows: str) -> Mapping[int, RowMapping]:
    """Return what holds back these rows (a JSON list of digitised_result rows), by row: whose number, whose bytes."""
    found = (await session.execute(_OBSTACLES, {"rows": rows})).mappings()
    return {one["row_no"]: one for one in found}


async def find_digitised(session: AsyncSession, *, result_id: UUID) -> DigitisedResult | None:
    """Return a scan by its id, whoever asks."""
    return await session.get(DigitisedResult, result_id)


async def get_digitised(session: AsyncSession, caller: Caller, *, result_id: UUID) -> DigitisedResult:
    """Return a scan that the caller may see. Raises DigitisedNotFound."""
    found = await find_digitised(session, result_id=result_id)
    if found is None or not caller.may_see(found.agency_code):
        raise DigitisedNotFound(result_id=result_id)
    return found


async def list_digitised_of(
    session: AsyncSession, *, identity_number: str, kind_code: str | None = None, on: date, limit: int = 50
) -> Sequence[DigitisedResult]:
    """Return what a person or organisation holds that is valid on a day, newest first."""
    row = DigitisedResult
    query = select(row).where(row.identity_number == identity_number, row.ended_at.is_(None))
    query = query.where(or_(row.valid_until.is_(None), row.valid_until >= on))
    if kind_code:
        query = query.where(row.kind_code == kind_code)
    return (await session.scalars(query.order_by(row.issued_on.desc(), row.id.desc()).limit(limit))).all()


async def list_digitised_named(
    session: AsyncSession, *, reference: str, agency_code: str | None = None
) -> Sequence[DigitisedResult]:
    """Return the scans that an id, a document's SHA-256 or a number stands for, newest first."""
    query = select(DigitisedResult).where(_named(reference))
    if agency_code:
        query = query.where(DigitisedResult.agency_code == agency_code)
    return (await session.scalars(query.order_by(DigitisedResult.id.desc()).limit(DIGITISED_MATCHES_MAX))).all()


async def list_digitised(
    session: AsyncSession,
    caller: Caller,
    *,
    agency_code: str | None = None,
    kind_code: str | None = None,
    before: UUID | None = None,
    limit: int,
) -> Sequence[DigitisedResult]:
    """Return scans that the caller may see, newest first, older than `before`."""
    columns = ((DigitisedResult.agency_code, agency_code), (DigitisedResult.kind_code, kind_code))
    only = [(column, value) for column, value in columns if value is not None]
    return await list_newest(session, caller, DigitisedResult, only=only, before=before, limit=limit)


def _named(reference: str) -> ColumnElement[bool]:
    row = DigitisedResult
    try:
        return row.id == UUID(reference)
    except ValueError:
        return or_(row.number == reference, row.sha256 == reference.lower())
