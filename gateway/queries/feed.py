"""The change feed and its cursors."""

import base64
import re

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.errors import InvalidCursor
from gateway.models import (
    Change,
)
from gateway.queries.pages import PAGE_MAX
from shared.caller import Caller

_CURSOR = re.compile(rb"c1:(\d{1,18})")


async def list_changes(
    session: AsyncSession, caller: Caller, *, after: int, limit: int, agency: str | None, procedure: str | None
) -> list[Change]:
    """Return the feed after a position, in commit order, of the agencies the caller may see."""
    query = select(Change).where(Change.position > after).order_by(Change.position).limit(min(limit, PAGE_MAX))
    theirs = [_within(own) for own in caller.agencies]
    query = query.where(or_(false(), *theirs))
    if agency:
        query = query.where(_within(agency))
    if procedure:
        query = query.where(Change.procedure_code == procedure)
    return list(await session.scalars(query))


def _within(agency: str) -> ColumnElement[bool]:
    return (Change.agency_code == agency) | Change.agency_code.startswith(f"{agency}.", autoescape=True)


async def last_position(session: AsyncSession) -> int:
    """Return the feed's newest position, 0 when it is empty."""
    return await session.scalar(select(func.max(Change.position))) or 0


def to_cursor(position: int) -> str:
    """Return a feed position as an opaque cursor."""
    return base64.urlsafe_b64encode(b"c1:%d" % position).decode().rstrip("=")


def from_cursor(cursor: str | None) -> int:
    """Return the position a cursor stands for, 0 for none; raises InvalidCursor."""
    if not cursor:
        return 0
    try:
        known = _CURSOR.fullmatch(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        known = None
    if known is None:
        raise InvalidCursor("Use a cursor as it was given, or none to start from the beginning.")
    return int(known.group(1))
