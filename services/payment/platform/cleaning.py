"""Keeping the log of notices small: what was refused is soon worth nothing, and anybody could send it."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from services.payment.models import CallbackLog
from services.payment.platform.confirming import REFUSED
from shared import clock, log
from shared.db import Database

REST_S = 600
BATCH = 5_000
REFUSED_FOR = timedelta(days=30)
_log = log.get(__name__)


async def keep_small(database: Database, keep_days: int) -> None:
    """Delete what is past its retention, for ever, through outages of the database."""
    while True:
        await asyncio.sleep(REST_S)
        try:
            await delete_old(database, timedelta(days=keep_days), clock.now())
        except Exception as problem:
            _log.warning("callback_log.not_cleaned", reason=type(problem).__name__)


async def delete_old(database: Database, keep: timedelta, now: datetime) -> int:
    """Delete notices past their retention at a moment, in bounded batches; return how many."""
    is_refused = CallbackLog.outcome.in_([outcome.value for outcome in REFUSED])
    old = (CallbackLog.received_at < now - keep) | (is_refused & (CallbackLog.received_at < now - REFUSED_FOR))
    deleted = 0
    while True:
        async with database.session() as session:
            some = select(CallbackLog.id).where(old).limit(BATCH)
            gone = (
                await session.scalars(delete(CallbackLog).where(CallbackLog.id.in_(some)).returning(CallbackLog.id))
            ).all()
            await session.commit()
        deleted += len(gone)
        if len(gone) < BATCH:
            return deleted
