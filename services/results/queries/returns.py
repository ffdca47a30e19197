"""What results reads of hand-overs and of the rules of kinds."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.results.models import HandOver, KindPolicy
from services.results.states import Outcome


async def count_hand_overs(session: AsyncSession, *, result_id: UUID) -> int:
    """Return how often a result was handed over, or tried to be."""
    return await session.scalar(select(func.count()).where(HandOver.result_id == result_id)) or 0


async def find_hand_over_under_way(session: AsyncSession, *, result_id: UUID) -> HandOver | None:
    """Return the hand-over that the post has now."""
    under_way = HandOver.outcome == Outcome.UNDER_WAY
    return await session.scalar(select(HandOver).where(HandOver.result_id == result_id, under_way))


async def list_hand_overs(session: AsyncSession, *, result_id: UUID) -> Sequence[HandOver]:
    """Return every hand-over of a result, oldest first."""
    return (await session.scalars(select(HandOver).where(HandOver.result_id == result_id).order_by(HandOver.nth))).all()


async def lock_granted(session: AsyncSession, *, grant_sha256: str) -> HandOver | None:
    """Return and lock the hand-over that a grant was made for."""
    return await session.scalar(select(HandOver).where(HandOver.grant_sha256 == grant_sha256).with_for_update())


async def find_kind_policy(session: AsyncSession, *, kind_code: str) -> KindPolicy | None:
    """Return the rule of a kind, if it has one of its own."""
    return await session.get(KindPolicy, kind_code)
