"""The backlog comes in: a run is opened, its rows are kept in chunks, each with its entry in the journal.

A paper result was issued outside this system, so it has no dossier, moves along no lifecycle and tells no events
(docs/decisions/0023).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import RowMapping, text

from services.results import queries
from services.results.models import BacklogChunk, BacklogRun, DigitisedAccess, DigitisedResult
from shared import clock
from shared.ids import new_id
from shared.work import Work


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row cannot be taken: which column, a code that stays, what to do in two languages."""

    field: str
    code: str
    message: str
    message_vi: str


NUMBER_TAKEN = Reason(
    "number",
    "number_taken",
    "Another document has this number of this agency and kind: compare the two papers, correct the number or leave it.",
    "Số, ký hiệu này đã có ở tài liệu khác cùng cơ quan, cùng loại: đối chiếu bản giấy, sửa số hoặc bỏ dòng này.",
)
SCAN_TAKEN = Reason(
    "file",
    "scan_taken",
    "This very file is the scan of another number: name the right file.",
    "Tệp này đã dùng cho số, ký hiệu khác: ghi đúng tên tệp.",
)
FACTS_DIFFER = Reason(
    "number",
    "facts_differ",
    "This scan was digitised before with another owner, identity number or date: check which is right.",
    "Bản quét này đã số hóa với chủ sở hữu, số giấy tờ hoặc ngày khác: kiểm tra bên nào đúng.",
)


@dataclass(frozen=True, slots=True)
class Scan:
    """A row that is right in itself, its file checked and in the store."""

    row_no: int
    cells: Sequence[str]
    """As written in the index."""
    agency_code: str
    kind_code: str
    kind_name: str
    number: str
    owner_kind: str
    owner_name: str
    identity_kind: str | None
    identity_number: str | None
    issued_on: date
    issued_by: str | None
    valid_until: date | None
    procedure_code: str | None
    dossier_code: str | None
    sha256: str
    size_bytes: int
    media_type: str
    pages: int | None
    signature: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be taken as it is."""

    row_no: int
    cells: Sequence[str]
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class ChunkOutcome:
    """What became of a chunk's rows."""

    kept: int = 0
    duplicates: int = 0
    rejected: Sequence[Rejected] = field(default_factory=tuple)


_KEEP = text(
    """
    INSERT INTO digitised_result
    SELECT s.* FROM json_populate_recordset(CAST(NULL AS digitised_result), CAST(:rows AS json)) s
    WHERE NOT EXISTS (
        SELECT 1 FROM result r WHERE (r.agency_code, r.kind_code, r.number) = (s.agency_code, s.kind_code, s.number)
    ) AND NOT EXISTS (SELECT 1 FROM result r WHERE r.sha256 = s.sha256)
    ORDER BY s.row_no
    ON CONFLICT DO NOTHING
    RETURNING row_no
    """
)
_REJECT = text(
    """
    INSERT INTO backlog_reject
    SELECT s.* FROM json_populate_recordset(CAST(NULL AS backlog_reject), CAST(:rows AS json)) s
    """
)
_COUNT = text(
    """
    INSERT INTO digitised_day AS d (agency_code, day, results)
    SELECT agency_code, :day, results
    FROM unnest(CAST(:agencies AS text[]), CAST(:results AS int[])) AS s (agency_code, results)
    ORDER BY agency_code
    ON CONFLICT (agency_code, day) DO UPDATE SET results = d.results + excluded.results
    """
)


async def open_run(work: Work, *, index_sha256: str, index_name: str, rows_total: int, imported_by: str) -> BacklogRun:
    """Begin the run of an index, or take it up where its journal ends: the same index is always the same run."""
    known = await queries.find_run(work.session, index_sha256=index_sha256)
    if known is not None:
        return known
    run = BacklogRun(
        id=new_id(),
        index_sha256=index_sha256,
        index_name=index_name,
        rows_total=rows_total,
        next_row=1,
        imported_by=imported_by,
        started_at=work.now,
        finished_at=None,
    )
    work.session.add(run)
    await work.session.flush()
    return run


async def keep_chunk(
    work: Work, *, run_id: UUID, first_row: int, last_row: int, scans: Sequence[Scan], rejected: Sequence[Rejected]
) -> ChunkOutcome:
    """Keep the scans of rows first_row to last_row, whose files are durable in the store, and write the journal.

    A scan that is there already, with the same facts, is a duplicate; one whose number or whose bytes another result
    has is rejected. All of it is one transaction: a run that is killed stands before a chunk or behind it.
    Raises BacklogRunMoved when the run does not stand before first_row.
    """
    run = await queries.lock_run(work.session, run_id=run_id, at_row=first_row)
    rows = {scan.row_no: _row(scan, run_id, work) for scan in scans}
    kept = set((await work.session.scalars(_KEEP, {"rows": _json(rows.values())})).all()) if rows else set()
    left = [row for row_no, row in rows.items() if row_no not in kept]
    obstacles = await queries.list_obstacles(work.session, rows=_json(left)) if left else {}
    held = {scan.row_no: _held(scan, obstacles[scan.row_no]) for scan in scans if scan.row_no not in kept}
    refused = (*rejected, *(one for one in held.values() if one is not None))
    await _count(work, [scan for scan in scans if scan.row_no in kept])
    if refused:
        await work.session.execute(_REJECT, {"rows": _json({"run_id": run_id, **asdict(one)} for one in refused)})
    outcome = ChunkOutcome(len(kept), len(held) - (len(refused) - len(rejected)), refused)
    work.session.add(
        BacklogChunk(
            run_id=run_id,
            first_row=first_row,
            last_row=last_row,
            kept=outcome.kept,
            duplicates=outcome.duplicates,
            rejected=len(refused),
            kept_bytes=sum(scan.size_bytes for scan in scans if scan.row_no in kept),
            at=work.now,
        )
    )
    run.next_row = last_row + 1
    if last_row == run.rows_total:
        run.finished_at = work.now
    await work.session.flush()
    return outcome


def record_digitised_reading(work: Work, *, result_id: UUID, purpose: str) -> None:
    """Keep who reads a scan and why."""
    reader = work.caller
    work.session.add(
        DigitisedAccess(
            digitised_id=result_id,
            client_id=reader.client_id,
            agency_code=reader.agency,
            purpose=purpose,
            read_at=work.now,
        )
    )


async def set_digitised_aside(work: Work, *, result_id: UUID, reason: str) -> DigitisedResult:
    """End the validity of a scan, also of one that was scanned wrongly; it stays readable. Repeating changes nothing.

    Raises DigitisedNotFound.
    """
    scan = await queries.get_digitised(work.session, work.caller, result_id=result_id)
    if scan.ended_at is None:
        scan.ended_at, scan.end_reason = work.now, reason
    return scan


def _row(scan: Scan, run_id: UUID, work: Work) -> dict[str, Any]:
    facts = {one.name: getattr(scan, one.name) for one in fields(scan) if one.name != "cells"}
    return {"id": new_id(), "run_id": run_id, **facts, "digitised_at": work.now}


def _json(rows: Iterable[object]) -> str:
    # A UUID that was read is asyncpg's own kind of UUID.
    return orjson.dumps(list(rows), default=str).decode()


async def _count(work: Work, kept: Sequence[Scan]) -> None:
    by_agency = Counter(scan.agency_code for scan in kept)
    if by_agency:
        values = {"agencies": list(by_agency), "results": list(by_agency.values())}
        await work.session.execute(_COUNT, {**values, "day": work.now.astimezone(clock.VN).date()})


def _held(scan: Scan, obstacle: RowMapping) -> Rejected | None:
    """Return why a scan was not kept; None for a duplicate."""
    if obstacle["number_sha256"] is None:
        return Rejected(scan.row_no, scan.cells, [SCAN_TAKEN])
    if obstacle["number_sha256"] != scan.sha256:
        return Rejected(scan.row_no, scan.cells, [NUMBER_TAKEN])
    same = obstacle["electronic"] or obstacle["same_facts"]
    return None if same else Rejected(scan.row_no, scan.cells, [FACTS_DIFFER])
