"""What people do about the reconciliation: ask for a run, tell a dossier anew, explain a difference."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import queries
from gateway.errors import DifferenceClosed, DifferenceNeedsPerson, DifferenceUnknown, NothingTold
from gateway.models import PortalDifference, PortalRun
from gateway.operations.reconciling import records
from gateway.operations.reconciling.judging import HOSO_ALONE, Kind, remedy_of
from gateway.operations.reconciling.redriving import redrive
from shared import log
from shared.caller import Caller
from shared.work import Work

CHANNEL = "motcua_reconcile"


class Anew(StrEnum):
    """How much of a dossier is told anew."""

    STATUSES = "statuses"
    DOSSIER = "dossier"


async def request_run(session: AsyncSession, *, asked_by: str, now: datetime) -> PortalRun:
    """Ask for a run; while one is waiting or on, that one is the answer. A gateway carries it out."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('portal_run'))"))
    unfinished = select(PortalRun).where(PortalRun.finished_at.is_(None)).order_by(PortalRun.id).limit(1)
    run = await session.scalar(unfinished)
    if run is None:
        run = PortalRun(asked_by=asked_by, day=None, asked_at=now, started_at=None, finished_at=None, two_way=None)
        session.add(run)
        await session.flush()
        await session.refresh(run)
    await session.execute(select(func.pg_notify(CHANNEL, "")))
    return run


async def redrive_dossier(work: Work, *, code: str, what: Anew, reason: str, first: int = 1) -> int:
    """Tell a dossier anew, its statuses from one on in order or its HoSo alone; return how many messages that are.

    Raises DossierUnknown, NothingTold, StillOwed.
    """
    view = await queries.get_view(work.session, work.caller, code)
    if first > view.version:
        raise NothingTold(f"{code} has reached {view.version} statuses; begin with one of them.")
    first = first if what is Anew.STATUSES else HOSO_ALONE
    messages = await redrive(work.session, code, first, work.now, lost=first == 1)
    standing = await queries.list_differences(work.session, work.caller, code=code, standing=True)
    ids = [one.id for one in standing if one.kind != Kind.MISSING_HERE]
    await records.note_redriven(
        work.session, ids, first=first, actor=work.caller.client_id, reason=log.masked(reason), now=work.now
    )
    return messages


async def redrive_difference(work: Work, *, difference_id: int, reason: str) -> PortalDifference:
    """Tell anew what settles a difference.

    Raises DifferenceUnknown, DifferenceClosed, DifferenceNeedsPerson, NothingTold, StillOwed.
    """
    difference = await _lock_standing(work.session, work.caller, difference_id)
    first = remedy_of(difference.kind, difference.ours, difference.theirs)
    if first is None:
        raise DifferenceNeedsPerson("Find out at the portal why it differs, correct it there, and explain it here.")
    lost = difference.kind == Kind.MISSING_THERE
    await redrive(work.session, difference.dossier_code, first, work.now, lost=lost)
    await records.note_redriven(
        work.session, [difference.id], first=first, actor=work.caller.client_id, reason=log.masked(reason), now=work.now
    )
    await work.session.refresh(difference)
    return difference


async def explain(work: Work, *, difference_id: int, reason: str) -> PortalDifference:
    """Close a difference that is right as it is, with the reason. Raises DifferenceUnknown, DifferenceClosed."""
    difference = await _lock_standing(work.session, work.caller, difference_id)
    difference.state, difference.reason = "explained", log.masked(reason)
    difference.closed_at, difference.closed_by = work.now, work.caller.client_id
    return difference


async def _lock_standing(session: AsyncSession, caller: Caller, difference_id: int) -> PortalDifference:
    query = select(PortalDifference).where(PortalDifference.id == difference_id).with_for_update()
    difference = await session.scalar(query)
    if difference is None or not caller.may_see(difference.agency_code or ""):
        raise DifferenceUnknown(f"No difference {difference_id}.")
    if difference.closed_at is not None:
        raise DifferenceClosed(f"It is {difference.state} since {difference.closed_at.isoformat()}.")
    return difference
