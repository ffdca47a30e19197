"""Looks after the register: tells what is about to end, and keeps small what was only needed for a while."""

import asyncio
from datetime import timedelta

from prometheus_client import Gauge
from sqlalchemy import text

from gateway import queries
from shared import clock, log
from shared.db import Database

EVERY_S = 60
SOON = timedelta(days=14)
DELETE_BATCH, BATCHES_MAX = 5_000, 20
DAYS_KEPT = timedelta(days=40)

ENDING = Gauge(
    "motcua_client_endings",
    "Secrets, keys and registrations of active clients that end within 14 days; last: nothing replaces them.",
    ["kind", "last"],
)
_KINDS = ("secret", "key", "client")
_ASSERTIONS = text(
    "DELETE FROM client_assertion WHERE (client_id, jti_sha256) IN"
    " (SELECT client_id, jti_sha256 FROM client_assertion WHERE expires_at < :before LIMIT :most)"
)
_DAYS = text(
    "DELETE FROM client_day WHERE (client_id, day) IN"
    " (SELECT client_id, day FROM client_day WHERE day < :before LIMIT :most)"
)
_log = log.get(__name__)


async def tend_clients(database: Database) -> None:
    """Measure and clean for ever."""
    while True:
        try:
            await measure_endings(database)
            await forget_old(database)
        except Exception as problem:
            _log.warning("tending.database_away", reason=type(problem).__name__)
        await asyncio.sleep(EVERY_S)


async def measure_endings(database: Database) -> None:
    """Set the metric of what ends soon."""
    now = clock.now()
    async with database.session() as session:
        found = await queries.list_endings(session, None, now=now, until=now + SOON)
    for kind in _KINDS:
        for last in (True, False):
            count = sum(ending.kind == kind and ending.last is last for ending in found)
            ENDING.labels(kind, str(last).lower()).set(count)


async def forget_old(database: Database) -> None:
    """Delete assertions that could not be used again anyway, and days long past, in bounded batches."""
    now = clock.now()
    for statement, before in ((_ASSERTIONS, now), (_DAYS, (now - DAYS_KEPT).date())):
        for _ in range(BATCHES_MAX):
            async with database.session() as session:
                done = await session.execute(statement, {"before": before, "most": DELETE_BATCH})
                await session.commit()
            if getattr(done, "rowcount", 0) < DELETE_BATCH:
                break
