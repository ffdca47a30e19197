"""Reads: who is on the roster, who may do what on a day, who stands in for whom."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import false, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.workflow.errors import DelegationNotFound, OfficialNotFound
from services.workflow.models import Account, Assignment, Case, Delegation, StaffedAgency, Task
from services.workflow.queries.pages import within
from shared import clock
from shared.caller import Caller

ENFORCED_KNOWN_S = 5.0
"""How long a process trusts what it read about which agencies are enforced."""

_enforced_known: WeakKeyDictionary[Any, tuple[float, frozenset[str]]] = WeakKeyDictionary()

# A right in a unit holds in every unit below it, so we walk from the task's unit upwards.
_ENTITLED = text(
    """
    WITH RECURSIVE above AS (
        SELECT CAST(:unit AS text) AS code
        UNION
        SELECT u.parent_code FROM unit AS u JOIN above ON u.code = above.code
        WHERE u.agency_code = :agency AND u.parent_code IS NOT NULL
          AND u.valid_from <= :day AND (u.valid_to IS NULL OR u.valid_to >= :day)
    )
    SELECT DISTINCT a.username
    FROM assignment AS a
    JOIN above ON a.unit_code = above.code
    JOIN account AS o ON o.username = a.username AND o.active
    JOIN unit AS u ON u.agency_code = a.agency_code AND u.code = a.unit_code
    WHERE a.agency_code = :agency AND a.role = :role AND a.username = ANY(CAST(:usernames AS text[]))
      AND a.valid_from <= :day AND (a.valid_to IS NULL OR a.valid_to >= :day)
      AND u.valid_from <= :day AND (u.valid_to IS NULL OR u.valid_to >= :day)
    """
)


async def enforced_agencies(session: AsyncSession) -> frozenset[str]:
    """Return the agencies on whose tasks only officials of the roster may work; read every few seconds."""
    bind, now = session.get_bind(), clock.monotonic()
    read_at, known = _enforced_known.get(bind, (float("-inf"), frozenset[str]()))
    if now - read_at > ENFORCED_KNOWN_S:
        query = select(StaffedAgency.agency_code).where(StaffedAgency.enforced)
        known = frozenset((await session.scalars(query)).all())
        _enforced_known[bind] = (now, known)
    return known


def forget_enforced() -> None:
    """Read which agencies are enforced anew the next time."""
    _enforced_known.clear()


async def list_entitled(session: AsyncSession, task: Task, *, day: date, usernames: Collection[str]) -> set[str]:
    """Return which of some officials hold the task's role in its unit, or in one above it, on a day."""
    found = await session.scalars(
        _ENTITLED,
        {"agency": task.agency_code, "unit": task.unit, "role": task.role, "day": day, "usernames": list(usernames)},
    )
    return set(found.all())


async def list_delegators(
    session: AsyncSession, case: Case, task: Task, *, official: str, at: datetime, day: date
) -> Sequence[str]:
    """Return the officials in whose place an official may do a task at a moment."""
    of_unit = (
        select(Assignment.username)
        .where(
            Assignment.username == official,
            Assignment.agency_code == Delegation.agency_code,
            Assignment.unit_code == Delegation.delegate_unit,
            Assignment.valid_from <= day,
            or_(Assignment.valid_to.is_(None), Assignment.valid_to >= day),
        )
        .exists()
    )
    query = select(Delegation.delegator).where(
        Delegation.starts_at <= at,
        Delegation.ends_at > at,
        or_(Delegation.delegate == official, of_unit),
        or_(
            Delegation.agency_code == task.agency_code,
            func.starts_with(task.agency_code, Delegation.agency_code + "."),
        ),
        or_(Delegation.units.is_(None), Delegation.units.contains([task.unit])),
        or_(Delegation.procedures.is_(None), Delegation.procedures.contains([case.procedure_code])),
    )
    return (await session.scalars(query.distinct())).all()


async def list_delegators_of(session: AsyncSession, *, official: str, at: datetime) -> Sequence[str]:
    """Return everybody for whom an official stands in at a moment, whatever the scope."""
    query = select(Delegation.delegator).where(
        Delegation.starts_at <= at, Delegation.ends_at > at, Delegation.delegate == official
    )
    return (await session.scalars(query.distinct())).all()


async def lock_delegation(session: AsyncSession, delegation_id: object, *, caller: Caller) -> Delegation:
    """Return a delegation, locked; raises DelegationNotFound, also for another agency's."""
    found = await session.get(Delegation, delegation_id, with_for_update=True)
    if found is None or not caller.may_see(found.agency_code):
        raise DelegationNotFound(f"No delegation {delegation_id}.")
    return found


async def list_delegations(
    session: AsyncSession, *, caller: Caller, official: str | None, at: datetime | None, limit: int
) -> Sequence[Delegation]:
    """Return delegations from or to an official, the newest first; of a moment, if one is given."""
    query = select(Delegation).where(or_(false(), *(within(Delegation.agency_code, top) for top in caller.agencies)))
    if official is not None:
        query = query.where(or_(Delegation.delegator == official, Delegation.delegate == official))
    if at is not None:
        query = query.where(Delegation.starts_at <= at, Delegation.ends_at > at)
    return (await session.scalars(query.order_by(Delegation.id.desc()).limit(limit))).all()


@dataclass(frozen=True, slots=True)
class OfficialFound:
    """An official with all that they hold or held."""

    account: Account
    assignments: Sequence[Assignment]


async def get_official(session: AsyncSession, username: str, *, caller: Caller) -> OfficialFound:
    """Return an official; raises OfficialNotFound, also for another agency's."""
    account = await session.get(Account, username)
    if account is None or not caller.may_see(account.agency_code):
        raise OfficialNotFound(f"No official {username}.")
    query = select(Assignment).where(Assignment.username == username).order_by(Assignment.valid_from)
    return OfficialFound(account, (await session.scalars(query)).all())


async def list_officials(
    session: AsyncSession, *, caller: Caller, agency: str | None, unit: str | None, day: date, after: str, limit: int
) -> Sequence[Account]:
    """Return the active officials of an agency or of one of its units on a day, in order of username."""
    top = agency or caller.agency or ""
    query = select(Account).where(Account.active, Account.username > after)
    if not caller.may_see(top):
        return []
    holds = [Assignment.valid_from <= day, or_(Assignment.valid_to.is_(None), Assignment.valid_to >= day)]
    if unit is not None:
        held = select(Assignment.username).where(Assignment.agency_code == top, Assignment.unit_code == unit, *holds)
        query = query.where(Account.username.in_(held))
    else:
        query = query.where(within(Account.agency_code, top))
    return (await session.scalars(query.order_by(Account.username).limit(limit))).all()
