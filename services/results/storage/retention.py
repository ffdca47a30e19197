"""Forgets who read what after the time that is set, in bounded batches."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import text

from shared import clock, log
from shared.db import Database

EVERY_S = 3600
BATCH = 5_000
_OLD = {
    "document_access": "DELETE FROM document_access WHERE id IN "
    "(SELECT id FROM document_access WHERE read_at < :before ORDER BY read_at LIMIT :most)",
    "digitised_access": "DELETE FROM digitised_access WHERE id IN "
    "(SELECT id FROM digitised_access WHERE read_at < :before ORDER BY id LIMIT :most)",
}
_log = log.get(__name__)


async def forget(database: Database, before: datetime) -> int:
    """Delete the readings from before a moment; return how many there were."""
    total = 0
    for statement in _OLD.values():
        deleted = BATCH
        while deleted >= BATCH:
            async with database.session() as session:
                result = await session.execute(text(statement), {"before": before, "most": BATCH})
                await session.commit()
            deleted = getattr(result, "rowcount", 0)
            total += deleted
    return total


async def run(database: Database, days: int) -> None:
    """Forget for ever what is older than so many days."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await forget(database, clock.now() - timedelta(days=days))
        except Exception as problem:
            _log.warning("accesses.not_forgotten", reason=type(problem).__name__)
