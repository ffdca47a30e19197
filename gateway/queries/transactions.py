"""The calls through the door, one by one and counted."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.models import (
    Transaction,
    TransactionDay,
)
from gateway.queries.pages import PAGE_MAX


async def list_transactions(session: AsyncSession, code: str, limit: int = 200) -> list[Transaction]:
    """Return the calls through the door that were about a dossier, oldest first."""
    query = select(Transaction).where(Transaction.dossier_code == code).order_by(Transaction.number)
    return list(await session.scalars(query.limit(min(limit, PAGE_MAX))))


async def list_transaction_days(
    session: AsyncSession, *, since: date, until: date, service: str | None, client_id: str | None
) -> list[TransactionDay]:
    """Return what was counted on days, newest first; both days belong to it."""
    day = TransactionDay
    query = select(day).where(day.day.between(since, until))
    if service:
        query = query.where(day.service == service)
    if client_id:
        query = query.where(day.client_id == client_id)
    return list(await session.scalars(query.order_by(day.day.desc(), day.service, day.client_id)))
