"""A province's rows by the hundred thousand, made by PostgreSQL itself: who, when and how as a year of a province is.

1,500 dossiers a day over 111 agencies, few of them large and many small; what is older than some weeks is done. Row k
is the k-th newest, so that a larger province is the same one with more past.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg

ARRIVING_A_DAY = 1500
AGENCIES = 111
SMALL, LARGE = 56_200, 562_000

# The agency of a row: squared chance makes the first some twenty times as busy as the last. Half are communes.
_WHO = f"""
SELECT k, agency_no,
       CASE WHEN agency_no <= 55 THEN format('H32.%s', lpad(agency_no::text, 2, '0'))
            ELSE format('H32.%s.%s', lpad((agency_no - 55)::text, 2, '0'), '001') END AS agency,
       $3::timestamptz - interval '1 day' * (k::float8 / {ARRIVING_A_DAY}) AS moment,
       k / {ARRIVING_A_DAY} AS age, abs(hashint8(k * 31 + 7)) % 1000 AS chance
FROM (
    SELECT k, 1 + floor({AGENCIES} * power((abs(hashint8(k)) % 100000) / 100000.0, 2))::int AS agency_no
    FROM generate_series($1::bigint, $2::bigint - 1) AS k
) rows
"""
_UUID = """
(lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '7' || substr(md5(k::text), 1, 3) || '8'
 || substr(md5(k::text || '{salt}'), 1, 15))::uuid
"""
_CODE = "agency || to_char(moment, '-YYMMDD-') || lpad(k::text, 7, '0')"
_PARTY = """
jsonb_build_object('kind', 'citizen', 'name', 'Nguyễn Thử ' || k, 'id_kind', 'cccd',
                   'id_number', '056090' || lpad((k % 300000)::text, 6, '0'))
"""
_NEEDED = {
    "text": "''",
    "integer": "0",
    "bigint": "0",
    "smallint": "0",
    "boolean": "false",
    "jsonb": "'{}'",
    "ARRAY": "'{}'",
    "bytea": "''",
    "uuid": "gen_random_uuid()",
    "date": "moment::date",
    "timestamp with time zone": "moment",
    "double precision": "0",
}
"""What stands in a column that the table needs and no question asks about."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table and what stands in the columns that matter, as SQL over k, agency, moment, age (days) and chance."""

    name: str
    columns: Mapping[str, str]
    times: int = 1
    """Rows for each k, told apart by `nth` from 1."""
    where: str = "true"
    """Only for such k."""


DOSSIER = Table(
    "dossier",
    {
        "code": _CODE,
        "tracking_code": "md5(k::text)",
        "status": "CASE WHEN age < 1 THEN 'submitted' WHEN chance < 20 THEN 'rejected'"
        " WHEN chance < 40 THEN 'withdrawn'"
        " WHEN age < 10 AND chance < 100 THEN 'supplement_requested' ELSE 'accepted' END",
        "procedure_code": "'1.' || lpad((chance % 400)::text, 6, '0')",
        "procedure_name": "'Cấp giấy phép xây dựng'",
        "agency_code": "agency",
        "agency_name": "'Ủy ban nhân dân'",
        "applicant": _PARTY,
        "owner": _PARTY,
        "owner_key": "md5((k % 300000)::text)",
        "summary": "'Hồ sơ số ' || k",
        "fees": "'[]'",
        "submitted_at": "moment",
        "accepted_at": "CASE WHEN age >= 1 THEN moment END",
        "due_at": "moment + interval '12 days'",
        "case_completed_at": "CASE WHEN age > 10 THEN moment + interval '9 days' END",
    },
)
SUPPLEMENT = Table(
    "supplement_request",
    {
        "id": _UUID.replace("{salt}", "supplement"),
        "dossier_code": _CODE,
        "respond_by": "moment + interval '5 days'",
        "answered_at": "CASE WHEN age >= 10 OR chance >= 100 THEN moment + interval '3 days' END",
    },
    where="chance >= 40 AND chance < 200",
)
_CASE_STATUS = """
CASE WHEN age > 14 AND chance < 985 OR age > 60 THEN 'completed' WHEN chance < 50 THEN 'awaiting_supplement'
     WHEN chance < 60 THEN 'stopped' ELSE 'running' END
"""
CASE = Table(
    "case_file",
    {
        "dossier_code": _CODE,
        "status": _CASE_STATUS,
        "agency_code": "agency",
        "competent_agency_code": "agency",
        "procedure_code": "'1.' || lpad((chance % 400)::text, 6, '0')",
        "started_at": "moment",
        "due_at": "moment + interval '12 days'",
        "paused_since": f"CASE WHEN {_CASE_STATUS} IN ('awaiting_supplement', 'stopped') THEN moment END",
        "completed_at": f"CASE WHEN {_CASE_STATUS} = 'completed' THEN moment + interval '1 day' * (9 + chance % 4) END",
    },
)
_DONE = f"({_CASE_STATUS} = 'completed' OR nth = 1)"
TASK = Table(
    "task",
    {
        "id": _UUID.replace("{salt}", "task").replace("k::text ||", "k::text || nth ||"),
        "dossier_code": _CODE,
        "position": "nth",
        "agency_code": "agency",
        "step_key": "'step-' || nth",
        "step_name": "'Thẩm định'",
        "unit": "CASE nth WHEN 1 THEN 'reception' WHEN 2 THEN 'expert' ELSE 'leader' END",
        "role": "'officer'",
        "status": f"CASE WHEN {_DONE} THEN 'done' WHEN nth = 3 THEN 'waiting' WHEN chance % 2 = 0 THEN 'open'"
        " ELSE 'claimed' END",
        "official": f"CASE WHEN {_DONE} OR chance % 2 = 1 THEN agency || '/' || chance % 10 END",
        "opened_at": f"CASE WHEN {_DONE} OR nth = 2 THEN moment END",
        "due_at": f"CASE WHEN {_DONE} OR nth = 2 THEN moment + interval '6 days' END",
        "completed_at": f"CASE WHEN {_DONE} THEN moment + interval '3 days' END",
    },
    times=3,
)
SLICE = Table(
    "case_slice",
    {
        "dossier_code": _CODE,
        "agency_code": "agency",
        "procedure_code": "'1.' || lpad((chance % 400)::text, 6, '0')",
        "owner": _PARTY,
        "state": "CASE WHEN age > 14 THEN 'completed' ELSE 'accepted' END",
    },
)
_SUFFIX = "k || '/GP-UBND'"
RESULT = Table(
    "result",
    {
        "id": _UUID.replace("{salt}", "result"),
        "dossier_code": _CODE,
        "agency_code": "agency",
        "kind_code": "'KQ.' || chance % 50",
        "kind_name": "'Giấy phép'",
        "status": "CASE WHEN age < 2 THEN 'draft' WHEN age < 5 THEN 'issued' ELSE 'returned' END",
        "sha256": "encode(sha256(('r' || k)::bytea), 'hex')",
        "size_bytes": "50000",
        "media_type": "'application/pdf'",
        "number": f"CASE WHEN age >= 2 THEN {_SUFFIX} END",
        "issued_at": "CASE WHEN age >= 2 THEN moment END",
        "returned_at": "CASE WHEN age >= 5 THEN moment END",
        "owner_name": "'Nguyễn Thử ' || k",
        "owner_id_number": "'056090' || lpad((k % 300000)::text, 6, '0')",
    },
)
SCAN = Table(
    "digitised_result",
    {
        "id": _UUID.replace("{salt}", "scan"),
        "run_id": "'00000000-0000-7000-8000-000000000000'",
        "row_no": "k::int",
        "agency_code": "agency",
        "kind_code": "'KQ.' || chance % 50",
        "kind_name": "'Giấy phép'",
        "number": "k || '/CU-UBND'",
        "owner_kind": "'citizen'",
        "owner_name": "'Nguyễn Thử ' || k",
        "identity_kind": "'cccd'",
        "identity_number": "'056090' || lpad((k % 300000)::text, 6, '0')",
        "sha256": "encode(sha256(('s' || k)::bytea), 'hex')",
        "media_type": "'application/pdf'",
        "signature": "'none'",
        "digitised_at": "moment",
    },
)
_BEFORE = {
    "digitised_result": """
        INSERT INTO backlog_run (id, index_sha256, index_name, rows_total, next_row, imported_by, started_at)
        VALUES ('00000000-0000-7000-8000-000000000000', '', '', 0, 1, '', now()) ON CONFLICT DO NOTHING
    """
}
_AFTER = {
    "digitised_result": """
        INSERT INTO digitised_day SELECT agency_code, digitised_at::date, count(*) FROM digitised_result GROUP BY 1, 2
        ON CONFLICT (agency_code, day) DO UPDATE SET results = excluded.results
    """
}


async def fill(connection: asyncpg.Connection, table: Table, *, first: int, last: int, at: datetime) -> None:
    """Add rows k = first to last-1 of a table, the oldest first; at is when the newest one came, the same for all."""
    columns = {**await _needed(connection, table), **await _known(connection, table)}
    names, values = ", ".join(columns), ", ".join(columns.values())
    statement = (
        f"INSERT INTO {table.name} ({names}) SELECT {values} FROM ({_WHO}) who,"
        f" generate_series(1, {table.times}) AS nth WHERE {table.where}"
        " ORDER BY k DESC, nth"
    )
    if before := _BEFORE.get(table.name):
        await connection.execute(before)
    await connection.execute(statement, first, last, at)
    if after := _AFTER.get(table.name):
        await connection.execute(after)


async def _known(connection: asyncpg.Connection, table: Table) -> dict[str, str]:
    """Return what stands in the columns that matter, as far as the table has them."""
    rows = await connection.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_name = $1", table.name
    )
    there = {row["column_name"] for row in rows}
    return {name: value for name, value in table.columns.items() if name in there}


async def _needed(connection: asyncpg.Connection, table: Table) -> dict[str, str]:
    """Return something for every column that the table needs."""
    rows = await connection.fetch(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $1 AND is_nullable = 'NO'"
        " AND column_default IS NULL AND is_identity = 'NO'",
        table.name,
    )
    return {row["column_name"]: _NEEDED[row["data_type"]] for row in rows}
