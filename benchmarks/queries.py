"""What a question costs when the province has ten times the past: buffers that PostgreSQL touches, and milliseconds."""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from statistics import mean, median
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks import province
from benchmarks.figures import Figure
from benchmarks.questions import Question, Service, services
from benchmarks.scratch import Scratch
from deploy.local.folder import run_folder
from shared import clock, migrations
from shared.db import Database

GROWTH_MAX = 2.0
"""A tree with ten times the leaves is one level deeper: more than twice the buffers is a scan that grows."""
FEW_BUFFERS = 500
"""A page of fifty rows out of a hundred agencies touches so many anyway: 4 MB, some milliseconds. Below, a ratio says
nothing."""
CALLS, EXPLAINED = 30, 6
LOAD_TIMEOUT_S = 900


@dataclass(frozen=True, slots=True)
class Cost:
    """What a question cost at one size."""

    buffers: float = 0
    p50_ms: float = 0
    p95_ms: float = 0
    plan: tuple[str, ...] = ()
    """What PostgreSQL did, of the dearest example."""


@dataclass(slots=True)
class Compared:
    """A question's cost in the small and in the large province."""

    service: str
    question: Question
    costs: list[Cost] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """Buffers of the large province over those of the small one, few being as good as none."""
        return max(self.costs[1].buffers, FEW_BUFFERS) / max(self.costs[0].buffers, FEW_BUFFERS)


async def measure(scratch: Scratch) -> list[Figure]:
    """Return, of each service, the question that grows most and the slowest one; every question goes into a file."""
    figures: list[Figure] = []
    told: list[str] = []
    for service in services():
        found = await compare(scratch, service)
        told.append(findings(found))
        figures += _figures(found)
    path = run_folder().path / "bench" / "queries.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(told) + "\n", encoding="utf-8")
    return figures


async def compare(scratch: Scratch, service: Service) -> list[Compared]:
    """Fill a database of the service's own to either size and ask everything."""
    url = await scratch.database(f"bench_{service.name}")
    await asyncio.to_thread(migrations.upgrade, f"services.{service.name}", url)
    compared = [Compared(service.name, question) for question in service.questions]
    database, at = Database(url, service="bench", connections_max=1), clock.now()
    try:
        for first, last in ((0, province.SMALL), (province.SMALL, province.LARGE)):
            await _fill(url, service, first, last, at)
            for one in compared:
                one.costs.append(await _cost(database, one.question))
    finally:
        await database.close()
    return compared


async def _fill(url: str, service: Service, first: int, last: int, at: datetime) -> None:
    connection = await asyncpg.connect(url, timeout=30, command_timeout=LOAD_TIMEOUT_S)
    try:
        # Nobody needs these rows after a crash.
        await connection.execute("SET synchronous_commit = off")
        for table in service.tables:
            await province.fill(connection, table, first=first, last=last, at=at)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _cost(database: Database, question: Question) -> Cost:
    chance = random.Random(question.words)
    times, explained = [], []
    async with database.session() as session:
        for number in range(CALLS):
            with _statements(database) as said:
                begun = clock.monotonic()
                await question.ask(session, chance)
                times.append((clock.monotonic() - begun) * 1000)
            session.expunge_all()
            if number < EXPLAINED:
                explained.append([await _explain(session, *one) for one in said])
    times.sort()
    sums = [sum(buffers for buffers, _ in statements) for statements in explained]
    dearest = explained[sums.index(max(sums))]
    plan = tuple(line for _, lines in dearest for line in lines)
    return Cost(mean(sums), median(times), times[int(len(times) * 0.95)], plan)


@contextmanager
def _statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that reach the database meanwhile, with their parameters."""
    said: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:  # noqa: ANN401
        said.append((statement, parameters))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def _explain(session: AsyncSession, statement: str, parameters: Any) -> tuple[int, list[str]]:  # noqa: ANN401
    """Return the buffers that a statement touches, in memory or not, and what it does."""
    connection = await session.connection()
    said = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
    found = (await connection.exec_driver_sql(said, parameters)).scalar_one()
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], list(_lines(plan))


def _lines(node: dict[str, Any], depth: int = 0) -> Iterator[str]:
    where = " ".join(str(node[name]) for name in ("Relation Name", "Index Name") if name in node)
    conditions = "; ".join(f"{name}: {node[name]}" for name in ("Index Cond", "Filter") if name in node)
    removed = f" removed {node['Rows Removed by Filter']}" if node.get("Rows Removed by Filter") else ""
    touched = node["Shared Hit Blocks"] + node["Shared Read Blocks"]
    found = f"rows {node['Actual Rows']}{removed} buffers {touched}"
    yield f"{'  ' * depth}{node['Node Type']} {where} {found} {conditions}"
    for child in node.get("Plans", ()):
        yield from _lines(child, depth + 1)


def _figures(found: Sequence[Compared]) -> list[Figure]:
    most = max(found, key=lambda one: one.growth)
    slowest = max(found, key=lambda one: one.costs[1].p95_ms)
    return [
        Figure(
            f"{most.service}: most grown of {len(found)} questions ({most.question.words})",
            max(most.costs[1].buffers, FEW_BUFFERS),
            "buffers",
            max(most.costs[0].buffers, FEW_BUFFERS),
            f"{province.SMALL:,} rows instead of {province.LARGE:,}",
            GROWTH_MAX,
            smaller_is_better=True,
        ),
        Figure(f"… slowest, p95 ({slowest.question.words})", slowest.costs[1].p95_ms, "ms"),
    ]


def findings(compared: Sequence[Compared]) -> str:
    """Return every question with its costs, and the plans of those that grow."""
    lines = []
    for one in sorted(compared, key=lambda one: -one.growth):
        small, large = one.costs
        mark = "GROWS" if one.growth > GROWTH_MAX else "ok"
        lines.append(
            f"{mark:5} ×{one.growth:5.1f}  {small.buffers:8.0f} → {large.buffers:8.0f} buffers  "
            f"p50 {small.p50_ms:6.1f} → {large.p50_ms:6.1f}  p95 {small.p95_ms:6.1f} → {large.p95_ms:6.1f} ms  "
            f"{one.service}: {one.question.words}"
        )
        if one.growth > GROWTH_MAX:
            lines += [f"        {line}" for line in large.plan]
    return "\n".join(lines)
