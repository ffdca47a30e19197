"""Figures of the door itself, as LGSPs report them: calls by service, client and day, month or year."""

import csv
import io
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Query, Request, Response

from gateway import queries
from gateway.errors import WindowTooLong
from gateway.schemas import CauseOut, TransactionDayOut, TransactionFigures, TurnedAwayOut
from shared import clock
from shared.bodies import Day
from shared.http import SessionDep, needs
from shared.http import router as make_router

DAYS_DEFAULT, DAYS_MAX = 30, 400
ROWS_DAYS_MAX = 3_700
"""Summed by month or year, ten years may be asked for."""
DEFINITION = (
    "A transaction is one call through the gateway. It succeeded unless it was answered 5xx or not at all;"
    " a refusal (4xx) is an answer. success_rate = succeeded / calls. What the door refused before anybody could be"
    " asked who calls is no transaction and counted apart, for the whole door (turned_away)."
)
CLIENT_ERROR = 4
CSV = "text/csv"
router = make_router("statistics", prefix="/api/v1/statistics")


@router.get(
    "/transactions",
    dependencies=[needs("ops:read")],
    response_model=TransactionFigures,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
)
async def transactions(
    request: Request,
    session: SessionDep,
    since: Day | None = None,
    until: Day | None = None,
    service: Annotated[str | None, Query(max_length=40)] = None,
    client_id: Annotated[str | None, Query(max_length=100)] = None,
    by: Literal["day", "month", "year"] = "day",
) -> TransactionFigures | Response:
    """Show volume and success rate by service, client and day, and why calls failed; the last 30 days unless asked.

    `by` sums by month or year. With `Accept: text/csv` the rows come as a table for spreadsheets.
    """
    now = clock.now()
    until = until or now.astimezone(clock.VN).date()
    since = since or until - timedelta(days=DAYS_DEFAULT - 1)
    most = DAYS_MAX if by == "day" else ROWS_DAYS_MAX
    if not 0 <= (until - since).days < most:
        raise WindowTooLong(f"Ask for 1 to {most} days: since may not lie after until.")
    wanted = queries.Wanted(since, until, service, client_id, by)
    sums = await queries.sum_transactions(session, wanted)
    if CSV in request.headers.get("accept", ""):
        return _table(sums)
    calls = sum(one.calls for one in sums)
    succeeded = calls - sum(one.failed for one in sums)
    return TransactionFigures(
        definition=DEFINITION,
        as_of=now,
        since=since,
        until=until,
        calls=calls,
        succeeded=succeeded,
        success_rate=round(succeeded / calls, 4) if calls else None,
        by=by,
        days=[_day(one) for one in sums],
        causes=[_cause(one) for one in await queries.sum_causes(session, wanted)],
        turned_away=[
            TurnedAwayOut(day=day, reason=reason, requests=requests)
            for day, reason, requests in await queries.sum_turned_away(session, wanted)
        ],
    )


def _day(one: queries.CallSum) -> TransactionDayOut:
    return TransactionDayOut(
        day=one.period,
        service=one.service,
        client_id=one.client_id,
        calls=one.calls,
        refused=one.refused,
        failed=one.failed,
        request_bytes=one.request_bytes,
        response_bytes=one.response_bytes,
        duration_mean_ms=round(one.duration_us / one.calls / 1000, 3),
    )


def _cause(one: queries.CauseSum) -> CauseOut:
    kind = "refused" if one.status // 100 == CLIENT_ERROR else "failed"
    return CauseOut(
        day=one.period,
        service=one.service,
        client_id=one.client_id,
        status=one.status,
        kind=kind,
        calls=one.calls,
    )


def _table(sums: list[queries.CallSum]) -> Response:
    text = io.StringIO()
    table = csv.writer(text)
    columns = (*TransactionDayOut.model_fields, "success_rate")
    table.writerow(columns)
    for one in sums:
        row = _day(one).model_dump()
        table.writerow([_cell(value) for value in (*row.values(), round(1 - one.failed / one.calls, 4))])
    # Spreadsheets take the mark at the beginning as the sign for UTF-8.
    return Response("\ufeff" + text.getvalue(), media_type=CSV)


def _cell(value: object) -> object:
    """Return a value that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
