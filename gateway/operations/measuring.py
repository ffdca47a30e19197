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

DIFFERENCES = Gauge(
    "motcua_portal_differences", "Differences between the portal and what it was told, not settled and not explained."
)
OLDEST_DIFFERENCE = Gauge("motcua_portal_oldest_difference_age_seconds", "Age of the oldest such difference.")
RECONCILED_AGO = Gauge(
    "motcua_portal_reconciled_age_seconds", "Since the last reconciliation ended; since the first look when none did."
)

_log = log.get(__name__)


async def measure_portal(database: Database) -> None:
    """Measure for ever."""
    began = clock.now()
    while True:
        try:
            async with database.session() as session:
                owed = await queries.count_owed(session)
                standing, since = await queries.count_standing(session)
                last = await queries.find_last_run(session)
            OPEN.set(owed.statuses)
            OPEN_DOSSIERS.set(owed.dossiers)
            OLDEST.set((clock.now() - owed.oldest).total_seconds() if owed.oldest else 0)
            DIFFERENCES.set(standing)
            OLDEST_DIFFERENCE.set((clock.now() - since).total_seconds() if since else 0)
            ended = last.finished_at if last else None
            RECONCILED_AGO.set((clock.now() - (ended or began)).total_seconds())
        except Exception as problem:
            _log.warning("measuring.database_away", reason=type(problem).__name__)
        await asyncio.sleep(EVERY_S)
