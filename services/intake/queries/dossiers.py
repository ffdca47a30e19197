"""Reading and locking dossiers; what the caller may not see is not there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.intake.errors import ChangedMeanwhile, DossierNotFound
from services.intake.models import Dossier, SupplementRequest
from services.intake.queries.newest import list_newest, within
from services.intake.states import DossierStatus
from shared.caller import Caller

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """A part of a list, and where the next part begins: the sort key of the last row, None at the end."""

    items: Sequence[Row]
    next_after: tuple[datetime, str] | None


@dataclass(frozen=True, slots=True)
class DossierFilter:
    """Which dossiers to list; None lets all pass."""

    agency: str | None = None
    """What this agency, or one below it, received or decides on."""
    predecessors: Collection[str] = ()
    """Closed agencies whose dossiers are its own now."""
    status: DossierStatus | None = None
    procedure: str | None = None
    supplement_overdue: bool | None = None
    """Whether something was asked for before `now` that has not come."""
    now: datetime | None = None


async def get_dossier(session: AsyncSession, code: str, *, caller: Caller) -> Dossier:
    """Return a dossier; raises DossierNotFound when there is none or the caller may not see it."""
    return _visible(await session.get(Dossier, code), caller)


async def get_tracked(session: AsyncSession, tracking_code: str) -> Dossier:
    """Return the dossier of a tracking code, whoever asks; raises DossierNotFound."""
    found = await session.scalar(select(Dossier).where(Dossier.tracking_code == tracking_code))
    if found is None:
        raise DossierNotFound
    return found


async def list_received(
    session: AsyncSession, *, agency: str, caller: Caller, start: datetime, end: datetime, limit: int
) -> Sequence[Dossier]:
    """Return what one agency, not those below it, received from `start` to before `end`, in order of receipt."""
    wanted = select(Dossier).where(
        Dossier.agency_code == agency, Dossier.submitted_at >= start, Dossier.submitted_at < end
    )
    if not caller.may_see(agency):
        return []
    return (await session.scalars(wanted.order_by(Dossier.submitted_at, Dossier.code).limit(limit))).all()


async def lock_dossier(
    session: AsyncSession, code: str, *, caller: Caller, revisions: Collection[int] | None = None
) -> Dossier:
    """Return a dossier, locked until the transaction ends.

    Raises DossierNotFound as get_dossier does, ChangedMeanwhile when its revision is none of those given.
    """
    dossier = _visible(await session.get(Dossier, code, with_for_update=True), caller)
    if revisions is not None and dossier.revision not in revisions:
        raise ChangedMeanwhile("Read it again and decide anew.", revision=dossier.revision)
    return dossier


def _visible(dossier: Dossier | None, caller: Caller) -> Dossier:
    if dossier is None or not caller.may_see(dossier.agency_code, dossier.competent_agency_code):
        raise DossierNotFound
    return dossier


async def lock_dossiers(session: AsyncSession, codes: Collection[str]) -> Sequence[Dossier]:
    """Return the dossiers there are among these codes, locked in order of code."""
    wanted = select(Dossier).where(Dossier.code.in_(codes)).order_by(Dossier.code).with_for_update()
    return (await session.scalars(wanted)).all()


async def find_dossier_of_origin(
    session: AsyncSession, *, origin: str, reference: str, caller: Caller
) -> Dossier | None:
    """Return the dossier that another system handed in under its reference.

    Of several that ask for the same reference at once, each waits for the one before to commit.
    Raises DossierNotFound when there is one that the caller may not see.
    """
    key = f"{origin}\n{reference}"
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 11))"), {"key": key})
    wanted = select(Dossier).where(Dossier.origin == origin, Dossier.origin_reference == reference)
    found = await session.scalar(wanted)
    return None if found is None else _visible(found, caller)


async def list_open_of_owner(
    session: AsyncSession, *, procedure: str, owner_key: str, limit: int
) -> Sequence[tuple[str, str]]:
    """Return code and agency of an owner's dossiers for a procedure that are not done yet, latest first."""
    running = and_(Dossier.status == DossierStatus.ACCEPTED, Dossier.case_completed_at.is_(None))
    waiting = Dossier.status.in_([DossierStatus.SUBMITTED, DossierStatus.SUPPLEMENT_REQUESTED])
    wanted = select(Dossier.code, Dossier.agency_code).where(
        Dossier.procedure_code == procedure, Dossier.owner_key == owner_key, or_(waiting, running)
    )
    rows = await session.execute(wanted.order_by(Dossier.submitted_at.desc(), Dossier.code).limit(limit))
    return [(row.code, row.agency_code) for row in rows]


async def list_dossiers(
    session: AsyncSession,
    wanted: DossierFilter,
    *,
    caller: Caller,
    limit: int,
    after: tuple[datetime, str] | None = None,
) -> Page[Dossier]:
    """Return the caller's dossiers, latest submitted first, `limit` at most."""
    conditions: list[ColumnElement[bool]] = []
    tops = caller.agencies
    if wanted.agency:
        tops = (wanted.agency, *wanted.predecessors)
        conditions.append(within(caller.agencies))
    if wanted.status:
        conditions.append(Dossier.status == wanted.status)
    if wanted.procedure:
        conditions.append(Dossier.procedure_code == wanted.procedure)
    if wanted.supplement_overdue is not None:
        overdue = Dossier.code.in_(_unanswered_before(wanted.now))
        conditions.append(overdue if wanted.supplement_overdue else ~overdue)
    narrowed = wanted.status is not None or wanted.procedure is not None
    found = await list_newest(
        session,
        tops=tops,
        conditions=conditions,
        narrowed=narrowed,
        few=bool(wanted.supplement_overdue),
        after=after,
        limit=limit + 1,
    )
    last = found[limit - 1] if len(found) > limit else None
    return Page(found[:limit], (last.submitted_at, last.code) if last else None)


def _unanswered_before(now: datetime | None) -> Select[str]:
    """Return the codes of dossiers with a request that nobody answered in time and that still waits for it."""
    late = select(SupplementRequest.dossier_code).join(Dossier, Dossier.code == SupplementRequest.dossier_code)
    return late.where(
        SupplementRequest.answered_at.is_(None),
        SupplementRequest.respond_by < now,
        Dossier.status.in_([DossierStatus.SUPPLEMENT_REQUESTED, DossierStatus.ACCEPTED]),
        Dossier.case_completed_at.is_(None),
    )


async def list_supplements(session: AsyncSession, code: str) -> Sequence[SupplementRequest]:
    """Return all that was asked about a dossier, in order of asking."""
    wanted = select(SupplementRequest).where(SupplementRequest.dossier_code == code)
    return (await session.scalars(wanted.order_by(SupplementRequest.requested_at, SupplementRequest.id))).all()


async def list_open_supplements(session: AsyncSession, codes: Collection[str]) -> Sequence[SupplementRequest]:
    """Return what is asked and not answered about these dossiers, in order of asking."""
    wanted = select(SupplementRequest).where(
        SupplementRequest.dossier_code.in_(codes), SupplementRequest.answered_at.is_(None)
    )
    return (await session.scalars(wanted.order_by(SupplementRequest.requested_at, SupplementRequest.id))).all()


async def find_open_supplement(session: AsyncSession, code: str) -> SupplementRequest | None:
    """Return the request about a dossier that waits longest for its answer."""
    found = await list_open_supplements(session, [code])
    return found[0] if found else None
