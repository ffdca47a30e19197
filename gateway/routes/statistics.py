"""Figures of the door itself, as LGSPs report them: calls by service, client and day."""

from datetime import timedelta
from typing import Annotated

from fastapi import Query

from gateway import queries
from gateway.errors import WindowTooLong
from gateway.models import TransactionDay
from gateway.schemas import TransactionDayOut, TransactionFigures
from shared import clock
from shared.bodies import Day
from shared.http import SessionDep, needs
from shared.http import router as make_router

DAYS_DEFAULT, DAYS_MAX = 30, 400
DEFINITION = (
    "A transaction is one call through the gateway. It succeeded unless it was answered 5xx or not at all;"
    " a refusal (4xx) is an answer. success_rate = succeeded / calls."
)
router = make_router("statistics", prefix="/api/v1/statistics")


@router.get("/transactions", dependencies=[needs("ops:read")])
async def transactions(
    session: SessionDep,
    since: Day | None = None,
    until: Day | None = None,
    service: Annotated[str | None, Query(max_length=40)] = None,
    client_id: Annotated[str | None, Query(max_length=100)] = None,
) -> TransactionFigures:
    """Show volume and success rate by service, client and day; the last 30 days unless asked otherwise."""
    now = clock.now()
    until = until or now.astimezone(clock.VN).date()
    since = since or until - timedelta(days=DAYS_DEFAULT - 1)
    if not 0 <= (until - since).days < DAYS_MAX:
        raise WindowTooLong(f"Ask for 1 to {DAYS_MAX} days: since may not lie after until.")
    days = await queries.list_transaction_days(session, since=since, until=until, service=service, client_id=client_id)
    calls = sum(day.calls for day in days)
    succeeded = calls - sum(day.failed for day in days)
    return TransactionFigures(
        definition=DEFINITION,
        as_of=now,
        since=since,
        until=until,
        calls=calls,
        succeeded=succeeded,
        success_rate=round(succeeded / calls, 4) if calls else None,
        days=[_day(day) for day in days],
    )


def _day(day: TransactionDay) -> TransactionDayOut:
    return TransactionDayOut(
        day=day.day,
        service=day.service,
        client_id=day.client_id,
        calls=day.calls,
        refused=day.refused,
        failed=day.failed,
        request_bytes=day.request_bytes,
        response_bytes=day.response_bytes,
        duration_mean_ms=round(day.duration_us / day.calls / 1000, 3),
    )
