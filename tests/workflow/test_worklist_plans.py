"""A page of a worklist costs the same whether a province has thirty thousand cases or half a million.

What is measured are the pages of tables and indexes that PostgreSQL touched: the same every time, on any machine.
"""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Select, text
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.workflow.operations.escalations import _pick_cases, _pick_tasks
from services.workflow.queries import CaseFilter, Page, TaskFilter
from services.workflow.queries.worklists import cases_query, tasks_query
from services.workflow.states import CaseStatus, TaskStatus
from shared import clock
from tests.workflow.office import Office

CASES, CASES_LARGE = 30_000, 500_000
BUFFERS_MAX = 3_000
"""Of 8 KiB each, for a page of fifty; half a million cases with their tasks have 80,000. Most lists touch 60 to 300;
the dearest is all that one official ever did, when none of it lies in the agency asked for."""
NOW = clock.now()
PAGE = Page(limit=50)
PROVINCE, DEPARTMENT, WARD, BRANCH = "H32", "H32.3", "H32.90", "H32.3.02"

# A third of all work is done in ten departments (H32.1 to H32.10) with branches, the rest in 140 wards; a tenth of the
# cases is under way; unit names are the same everywhere, as processes have them.
_FILL = """
INSERT INTO case_file (dossier_code, status, agency_code, competent_agency_code, procedure_code, process_code,
    process_version, started_at, late_entry, due_at, calendar_version, fee_outstanding_vnd, clock_at, clock_entries,
    completed_at, paused_since, expects_result, result_issued_at)
SELECT agency || '-260101-' || lpad(n::text, 7, '0'), status, CASE WHEN n % 20 = 0 THEN 'H32.150' ELSE agency END,
    agency, '1.' || lpad((n % 1900)::text, 6, '0'), 'p', 1, due - interval '10 days', false, due, '1', 0, due, 1,
    CASE WHEN status = 'completed' THEN due + CASE WHEN n % 50 = 7 THEN interval '1 day' ELSE -interval '1 day' END END,
    CASE WHEN status = 'stopped' THEN due - interval '2 days' END, true,
    CASE WHEN status = 'completed' THEN due END
FROM (
    SELECT n, CASE WHEN n % 10 > 0 THEN 'completed' WHEN n % 100 = 0 THEN 'stopped' ELSE 'running' END AS status,
        CASE WHEN n % 3 = 0
             THEN 'H32.' || (n / 3 % 10 + 1) || CASE WHEN n % 2 = 0 THEN '.0' || (n / 7 % 9 + 1) ELSE '' END
             ELSE 'H32.' || (n % 139 + 11) END AS agency,
        CAST(:now AS timestamptz) - (n % 700 - CASE WHEN n % 10 > 0 THEN 0 ELSE 560 END) * interval '1 day'
            - n % 1439 * interval '1 minute' AS due
    FROM generate_series(1, :cases) AS n) AS given;
INSERT INTO task (id, dossier_code, position, agency_code, step_key, step_name, unit, role, minutes, after,
    awaits_payment, status, official, opened_at, due_at, completed_at, minutes_late)
SELECT gen_random_uuid(), dossier_code, step, competent_agency_code, 's' || step, 'Bước ' || step,
    CASE step WHEN 0 THEN 'Bộ phận một cửa' WHEN 1 THEN 'Phòng chuyên môn' ELSE 'Văn phòng' END,
    CASE WHEN step = 2 THEN 'leader' ELSE 'specialist' END, 480, ARRAY[]::text[], false, status,
    CASE WHEN status IN ('claimed', 'done') THEN 'official-' || hashtext(competent_agency_code || step) % 400 END,
    due_at - interval '2 days', CASE WHEN status <> 'waiting' THEN due_at - (2 - step) * interval '1 day' END,
    CASE WHEN status = 'done' THEN due_at END, CASE WHEN status = 'done' THEN 0 END
FROM (
    SELECT c.dossier_code, c.competent_agency_code, c.due_at, step,
        CASE WHEN c.status = 'completed' OR step < hashtext(c.dossier_code) & 1 THEN 'done'
             WHEN step > hashtext(c.dossier_code) & 1 THEN 'waiting'
             WHEN hashtext(c.dossier_code) % 100 = 7 THEN 'returned'
             WHEN hashtext(c.dossier_code) % 2 = 0 THEN 'open' ELSE 'claimed' END AS status
    FROM case_file AS c CROSS JOIN generate_series(0, 2) AS step) AS given
"""

TASKS: dict[str, TaskFilter] = {
    "default": TaskFilter(),
    "unit": TaskFilter(unit="Phòng chuyên môn"),
    "role": TaskFilter(role="leader"),
    "official": TaskFilter(officials=["official-7"]),
    "officials": TaskFilter(officials=["official-7", "official-8"]),
    "open": TaskFilter(status=TaskStatus.OPEN),
    "returned": TaskFilter(status=TaskStatus.RETURNED),
    "done-unit": TaskFilter(status=TaskStatus.DONE, unit="Văn phòng"),
    "done-official": TaskFilter(status=TaskStatus.DONE, officials=["official-7"]),
    "due": TaskFilter(due_before=NOW, unit="Bộ phận một cửa"),
    "overdue": TaskFilter(overdue_at=NOW),
    "nearing": TaskFilter(due_from=NOW, due_before=NOW + timedelta(days=1), running_only=True),
}
CASE_LISTS: dict[str, CaseFilter] = {
    "default": CaseFilter(),
    "overdue": CaseFilter(overdue_at=NOW),
    "overdue-completed": CaseFilter(status=CaseStatus.COMPLETED, overdue_at=NOW),
    "completed": CaseFilter(status=CaseStatus.COMPLETED),
    "stopped": CaseFilter(status=CaseStatus.STOPPED),
    "nearing": CaseFilter(due_from=NOW, due_before=NOW + timedelta(days=2), running_only=True),
}
WATCHED: dict[str, Select] = {
    **{
        f"tasks-{name}-{top}": tasks_query([top], wanted, PAGE)
        for name, wanted in TASKS.items()
        for top in (PROVINCE, DEPARTMENT, WARD, BRANCH)
    },
    **{
        f"cases-{name}-{top}": cases_query([top], wanted, PAGE)
        for name, wanted in CASE_LISTS.items()
        for top in (PROVINCE, DEPARTMENT, WARD, BRANCH)
    },
    "tasks-two-agencies": tasks_query([DEPARTMENT, WARD], TaskFilter(), PAGE),
    "cases-two-agencies": cases_query([DEPARTMENT, WARD], CaseFilter(), PAGE),
    "round-tasks": _pick_tasks(3, NOW - timedelta(days=10_000)),
    "round-cases": _pick_cases(2, NOW - timedelta(days=10_000)),
}


async def touched(session: AsyncSession, query: Select) -> int:
    """Return how many buffers a query touched."""
    compiled = query.compile(dialect=asyncpg.dialect(), compile_kwargs={"literal_binds": True})
    found = await session.execute(text("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + str(compiled).replace(":", "\\:")))
    explained = found.scalar_one()
    plan: Any = (json.loads(explained) if isinstance(explained, str) else explained)[0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


async def fill(office: Office, cases: int) -> None:
    connection = await office.database.connect()
    filling = _FILL.replace(":now", f"'{NOW.isoformat()}'").replace(":cases", str(cases))
    for statement in (*filling.split(";"), "VACUUM ANALYZE case_file", "VACUUM ANALYZE task"):
        await connection.execute(statement, timeout=600)
    await connection.close()


async def assert_flat(office: Office) -> None:
    dear = {}
    async with office.database.session() as session:
        for name, query in WATCHED.items():
            buffers = await touched(session, query)
            if buffers > BUFFERS_MAX:
                dear[name] = buffers
    assert dear == {}


@pytest.fixture
async def province(office: Office) -> AsyncIterator[Office]:
    yield office
    connection = await office.database.connect()
    await connection.execute("TRUNCATE task, case_file CASCADE", timeout=60)
    await connection.close()


async def test_every_list_stops_early(province: Office) -> None:
    await fill(province, CASES)
    await assert_flat(province)


@pytest.mark.large
@pytest.mark.timeout(900)
async def test_every_list_stops_early_among_half_a_million(province: Office) -> None:
    await fill(province, CASES_LARGE)
    await assert_flat(province)
