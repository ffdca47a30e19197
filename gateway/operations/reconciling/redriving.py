"""Telling the portal a dossier anew: its statuses from one on, in order, or its HoSo alone, made from the facts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.errors import NothingTold, StillOwed
from gateway.models import DossierView, PortalDebt, PortalDossier, TimelineEntry
from gateway.operations.facts import known_at
from gateway.operations.folding import CHANNEL
from gateway.operations.reconciling.judging import HOSO_ALONE
from gateway.portal.messages import dossier_message, progress_message
from gateway.states import PortalStatus

_DEBTS = cast("Table", PortalDebt.__table__)
_OPEN = {
    "dossier_acknowledged_at": None,
    "acknowledged_at": None,
    "attempts": 0,
    "last_error": None,
    "revision": _DEBTS.c.revision + 1,
    "drive": _DEBTS.c.drive + 1,
}
_OF_ONE = (_DEBTS.c.dossier_code == bindparam("code"), _DEBTS.c.version == bindparam("at_version"))
_ANEW = (
    update(_DEBTS)
    .where(*_OF_ONE)
    .values(
        **_OPEN,
        dossier_message=bindparam("message"),
        progress_message=bindparam("progress", type_=JSONB(none_as_null=True)),
        owed_since=bindparam("now"),
        next_attempt_at=bindparam("now"),
    )
)
_QUEUE = text(
    """
    INSERT INTO portal_queue (code, version, newest, owed_since, next_attempt_at)
    VALUES (:code, :first, :newest, :now, :now)
    ON CONFLICT (code) DO UPDATE SET version = excluded.version, attempts = 0,
        owed_since = excluded.owed_since, next_attempt_at = excluded.next_attempt_at
    """
)
_TAKEN_BACK = text(
    """
    UPDATE portal_debt SET acknowledged_at = :now, dossier_message = NULL, progress_message = NULL, drive = drive + 1,
        next_attempt_at = NULL
    WHERE dossier_code = :code AND version < :first AND acknowledged_at IS NULL AND drive > 0
    """
)
"""Told before, opened anew, and not wanted again: a telling that began too early would stand still for ever."""
_OLDEST = text("SELECT min(version) FROM portal_debt WHERE dossier_code = :code AND acknowledged_at IS NULL")
_OWED = text("SELECT attempts FROM portal_queue WHERE code = :code FOR UPDATE")


async def redrive(session: AsyncSession, code: str, first: int, now: datetime, *, lost: bool = False) -> int:
    """Owe the portal a dossier anew and return how many messages that are.

    first: the first status to tell, in order to the last; HOSO_ALONE tells no status. lost: it may be that the portal
    does not hold the dossier: it is created again, and updated if the portal says that it is there. Twice is once:
    what is open already is only made anew, and what was opened anew before `first` is taken back.
    Raises NothingTold, StillOwed when the portal has something of it coming that has not failed.
    """
    view = await session.scalar(select(DossierView).where(DossierView.code == code).with_for_update())
    if view is None or not view.version:
        raise NothingTold(f"Nothing was ever told of {code}.")
    await session.execute(
        select(PortalDebt.version).where(PortalDebt.dossier_code == code).order_by(PortalDebt.version).with_for_update()
    )
    if lost:
        await session.execute(delete(PortalDossier).where(PortalDossier.code == code))
        await session.execute(text("UPDATE portal_tally SET dossiers_told = dossiers_told - 1"))
    attempts = await session.scalar(_OWED, {"code": code})
    if attempts == 0:
        raise StillOwed(f"What is owed of {code} is on its way; wait until the portal has answered.")
    rows = await _messages(session, view, first)
    await session.execute(_ANEW, [row | {"code": code, "now": now} for row in rows])
    if first != HOSO_ALONE:
        await session.execute(_TAKEN_BACK, {"code": code, "first": first, "now": now})
    start = await session.scalar(_OLDEST, {"code": code})
    await session.execute(_QUEUE, {"code": code, "first": start, "newest": view.version, "now": now})
    await session.execute(select(func.pg_notify(CHANNEL, "")))
    return len(rows)


async def _messages(session: AsyncSession, view: DossierView, first: int) -> Sequence[dict[str, Any]]:
    """Return HoSo and TienDo of each status to tell, made from the timeline and what was known by then."""
    entries = list(
        await session.scalars(
            select(TimelineEntry)
            .where(TimelineEntry.dossier_code == view.code, TimelineEntry.portal_status.is_not(None))
            .order_by(TimelineEntry.nth)
        )
    )
    if first == HOSO_ALONE:
        message = dossier_message(view.code, view.facts, PortalStatus(view.portal_status))
        last = PortalDebt.dossier_code == view.code, PortalDebt.version == view.version
        progress = await session.scalar(select(PortalDebt.progress_message).where(*last))
        return [{"at_version": view.version, "message": message, "progress": progress}]
    rows: list[dict[str, Any]] = []
    by_then = entries[0].happened_at
    for version, entry in enumerate(entries, start=1):
        # Entered late, a fact may lie before one that was told earlier: what was known once stays known.
        by_then = max(by_then, entry.happened_at)
        facts = view.facts if version == view.version else known_at(view.facts, by_then)
        status = PortalStatus(entry.portal_status or 0)
        if version >= first:
            rows.append(
                {
                    "at_version": version,
                    "message": dossier_message(view.code, facts, status),
                    "progress": progress_message(view.code, facts, status, entry.happened_at, entry.detail),
                }
            )
    return rows
