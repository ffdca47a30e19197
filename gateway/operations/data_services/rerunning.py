"""Sending failed calls again: ordered by people, sent by one leader at a bounded rate, under their original keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from gateway import queries
from gateway.errors import RerunNotPossible
from gateway.models import DataServiceCall, DataServiceRerun, DataServiceRerunCall
from shared import log
from shared.ids import new_id
from shared.work import Work

CHANNEL = "motcua_data_service_reruns"
CALLS_MAX = 10_000
ROWS_AT_ONCE = 1_000
MOVES = {
    "pause": ({"running"}, "paused"),
    "resume": ({"paused"}, "running"),
    "stop": ({"running", "paused"}, "stopped"),
}
_NOTIFY = text("SELECT pg_notify(:channel, '')")


async def select_calls(
    work: Work,
    *,
    service: str,
    fingerprint: str | None,
    ids: Sequence[UUID] | None,
    client_id: str | None,
    since: datetime | None,
    until: datetime | None,
) -> list[DataServiceCall]:
    """Return the kept calls that an order is about, in the order in which they failed.

    Raises DataServiceUnknown, RerunNotPossible (there are none, or too many).
    """
    await queries.get_data_service(work.session, work.caller, service)
    found = await queries.list_kept_calls(
        work.session,
        service,
        fingerprint=fingerprint,
        ids=ids,
        client_id=client_id,
        since=since,
        until=until,
        limit=CALLS_MAX + 1,
    )
    if not found:
        raise RerunNotPossible("No kept call fits; see /api/v1/data-services/calls.")
    if len(found) > CALLS_MAX:
        raise RerunNotPossible(f"More than {CALLS_MAX} calls fit; narrow the filter.")
    return found


async def order_rerun(
    work: Work, *, service: str, calls: Sequence[DataServiceCall], calls_per_second: float, reason: str
) -> DataServiceRerun:
    """Order calls to be sent again."""
    rerun = DataServiceRerun(
        id=new_id(),
        service=service,
        asked_by=work.caller.client_id,
        asked_at=work.now,
        reason=log.masked(reason),
        stage="running",
        calls_per_second=calls_per_second,
    )
    work.session.add(rerun)
    await work.session.flush()
    rows: list[dict[str, Any]] = [
        {"rerun_id": rerun.id, "nth": nth, "call_id": call.id} for nth, call in enumerate(calls, start=1)
    ]
    for at in range(0, len(rows), ROWS_AT_ONCE):
        await work.session.execute(insert(DataServiceRerunCall), rows[at : at + ROWS_AT_ONCE])
    await work.session.execute(_NOTIFY, {"channel": CHANNEL})
    return rerun


async def steer_rerun(work: Work, *, rerun_id: UUID, move: str) -> DataServiceRerun:
    """Pause, resume or stop a re-run; the call that is under way still ends. Raises NotFound, RerunNotPossible."""
    rerun = await queries.get_rerun(work.session, work.caller, rerun_id, lock=True)
    allowed, after = MOVES[move]
    if rerun.stage not in allowed:
        raise RerunNotPossible(f"It is {rerun.stage}.", stage=rerun.stage)
    rerun.stage = after
    if after == "stopped":
        rerun.ended_at = work.now
    await work.session.execute(_NOTIFY, {"channel": CHANNEL})
    return rerun
