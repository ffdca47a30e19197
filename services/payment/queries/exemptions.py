"""What is read of the rules that lift fees."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.payment.errors import ExemptionNotFound
from services.payment.models import Exemption
from services.payment.queries.fees import LIST_MAX, Window


async def get_rule(session: AsyncSession, code: str, day: date) -> Exemption:
    """Return the rule of a code that is in force on a day. Raises ExemptionNotFound."""
    in_force = (Exemption.valid_from <= day) & or_(Exemption.valid_to.is_(None), Exemption.valid_to >= day)
    rule = await session.scalar(select(Exemption).where(Exemption.code == code, in_force))
    if rule is None:
        raise ExemptionNotFound(f"{code} is not in force on {day}.", code=code)
    return rule


async def lock_rules(session: AsyncSession, code: str) -> Sequence[Exemption]:
    """Lock every version of a rule, oldest first, and keep others from adding one until the commit."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"exemption {code}", 0))))
    found = await session.scalars(
        select(Exemption).where(Exemption.code == code).order_by(Exemption.valid_from).with_for_update()
    )
    return found.all()


async def list_rules(
    session: AsyncSession, window: Window, *, code: str | None, in_force_on: date | None
) -> Sequence[Exemption]:
    """Return rules in order of their making, of one code, or in force on a day, when given."""
    query = select(Exemption).order_by(Exemption.id)
    if code is not None:
        query = query.where(Exemption.code == code)
    if in_force_on is not None:
        still = or_(Exemption.valid_to.is_(None), Exemption.valid_to >= in_force_on)
        query = query.where(Exemption.valid_from <= in_force_on, still)
    if window.after is not None:
        query = query.where(Exemption.id > window.after)
    return (await session.scalars(query.limit(min(window.limit, LIST_MAX) + 1))).all()
