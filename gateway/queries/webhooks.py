"""Subscriptions of webhooks and what was delivered to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.errors import DeliveryUnknown, SubscriptionUnknown
from gateway.models import Delivery, DeliveryAttempt, Subscription
from gateway.queries.pages import PAGE_MAX
from shared.caller import Caller


def _own(caller: Caller) -> ColumnElement[bool]:
    agency = Subscription.agency
    return or_(false(), *((agency == own) | agency.startswith(f"{own}.", autoescape=True) for own in caller.agencies))


async def list_subscriptions(
    session: AsyncSession, caller: Caller, *, after: UUID | None, limit: int
) -> list[Subscription]:
    """Return the subscriptions of the caller's agencies, the oldest first."""
    query = select(Subscription).where(_own(caller)).order_by(Subscription.id).limit(min(limit, PAGE_MAX))
    return list(await session.scalars(query.where(Subscription.id > after) if after else query))


async def count_subscriptions(session: AsyncSession, client_id: str) -> int:
    """Return how many subscriptions a client has."""
    query = select(func.count()).select_from(Subscription).where(Subscription.client_id == client_id)
    return await session.scalar(query) or 0


async def get_subscription(
    session: AsyncSession, caller: Caller, subscription_id: UUID, *, lock: bool = False
) -> Subscription:
    """Return a subscription of the caller's agencies; raises SubscriptionUnknown."""
    query = select(Subscription).where(Subscription.id == subscription_id, _own(caller))
    found = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise SubscriptionUnknown(f"No subscription {subscription_id}.")
    return found


async def count_owed_messages(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many messages are owed to each of some subscriptions."""
    rows = await session.execute(
        select(Delivery.subscription_id, func.count())
        .where(Delivery.subscription_id.in_(ids), Delivery.finished_at.is_(None))
        .group_by(Delivery.subscription_id)
    )
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which messages are wanted."""

    outcome: str | None = None
    """`delivered`, `failed`, `skipped`, or `owed` for those not finished."""
    dossier_code: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def clauses(self) -> list[ColumnElement[bool]]:
        """Return the same as conditions."""
        found: list[ColumnElement[bool]] = []
        if self.outcome == "owed":
            found.append(Delivery.finished_at.is_(None))
        elif self.outcome:
            found.append(Delivery.outcome == self.outcome)
        if self.dossier_code:
            found.append(Delivery.dossier_code == self.dossier_code)
        if self.since:
            found.append(Delivery.created_at >= self.since)
        if self.until:
            found.append(Delivery.created_at < self.until)
        return found


async def list_deliveries(
    session: AsyncSession, subscription: Subscription, wanted: DeliveryFilter, *, before: int | None, limit: int
) -> list[Delivery]:
    """Return messages of a subscription, the latest first."""
    query = select(Delivery).where(Delivery.subscription_id == subscription.id, *wanted.clauses())
    if before is not None:
        query = query.where(Delivery.nth < before)
    return list(await session.scalars(query.order_by(Delivery.nth.desc()).limit(min(limit, PAGE_MAX))))


def finished_of(subscription: Subscription, wanted: DeliveryFilter, *, limit: int) -> ScalarSelect[int]:
    """Return the places of a subscription's finished messages, the oldest first, as a subquery."""
    query = select(Delivery.nth).where(Delivery.subscription_id == subscription.id, Delivery.finished_at.is_not(None))
    return query.where(*wanted.clauses()).order_by(Delivery.nth).limit(limit).scalar_subquery()


async def get_delivery(session: AsyncSession, subscription: Subscription, message_id: UUID) -> Delivery:
    """Return a message of a subscription; raises DeliveryUnknown."""
    found = await session.scalar(
        select(Delivery).where(Delivery.id == message_id, Delivery.subscription_id == subscription.id)
    )
    if found is None:
        raise DeliveryUnknown(f"No message {message_id} of this subscription.")
    return found


async def list_attempts(session: AsyncSession, nths: Sequence[int]) -> list[DeliveryAttempt]:
    """Return every call that was made for messages, in order."""
    query = select(DeliveryAttempt).where(DeliveryAttempt.delivery_nth.in_(nths))
    return list(await session.scalars(query.order_by(DeliveryAttempt.delivery_nth, DeliveryAttempt.number)))
