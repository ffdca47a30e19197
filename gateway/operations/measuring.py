"""How far the portal is behind, as metrics that keep telling while nothing gets through."""

import asyncio

from prometheus_client import Gauge

from gateway import queries
from shared import clock, log
from shared.db import Database

EVERY_S = 15

OPEN = Gauge("motcua_portal_open_statuses", "Statuses reached that the portal has not acknowledged.")
OPEN_DOSSIERS = Gauge("motcua_portal_open_dossiers", "Dossiers with such a status.")
OLDEST = Gauge("motcua_portal_oldest_age_seconds", "Age of the oldest such status.")

_log = log.get(__name__)


async def measure_portal(database: Database) -> None:
    """Measure for ever."""
    while True:
        try:
            async with database.session() as session:
                owed = await queries.count_owed(session)
            OPEN.set(owed.statuses)
            OPEN_DOSSIERS.set(owed.dossiers)
            OLDEST.set((clock.now() - owed.oldest).total_seconds() if owed.oldest else 0)
        except Exception as problem:
            _log.warning("measuring.database_away", reason=type(problem).__name__)
        await asyncio.sleep(EVERY_S)
