"""Keyset pages: at most so many rows after the one at which the part before ended, whatever lies before them."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from shared.errors import InvalidRequest

LIST_MAX = 200
Row = TypeVar("Row")
Order = tuple[InstrumentedAttribute[Any], InstrumentedAttribute[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list: at most `limit`, after the cursor that the part before gave."""

    limit: int
    cursor: str | None = None


async def cut(
    session: AsyncSession, query: Select[Row], order: Order, page: Page, key_type: type[UUID | str]
) -> tuple[Sequence[Row], str | None]:
    """Return a page of a query in an order (a moment, then a key) and the cursor to go on with.

    Raises InvalidRequest for a cursor that this list did not give.
    """
    rows = (await session.scalars(bounded(query, order, page, key_type))).all()
    return ended(rows, order, page)


def bounded(query: Select[Row], order: Order, page: Page, key_type: type[UUID | str]) -> Select[Row]:
    """Return a query in order, from its cursor on, for one row more than the page shows."""
    if page.cursor is not None:
        query = query.where(tuple_(*order) > tuple_(*_decoded(page.cursor, key_type)))
    return query.order_by(*order).limit(page.limit + 1)


def ended(rows: Sequence[Row], order: Order, page: Page) -> tuple[Sequence[Row], str | None]:
    """Return the rows that a page shows, and the cursor if there are more."""
    if len(rows) <= page.limit:
        return rows, None
    last = rows[page.limit - 1]
    return rows[: page.limit], _encoded(*(getattr(last, column.key) for column in order))


def within(agency: InstrumentedAttribute[str], top: str) -> ColumnElement[bool]:
    """Return the condition that an agency is another or lies below it."""
    return or_(agency == top, agency.startswith(f"{top}.", autoescape=True))


def _encoded(moment: datetime, key: UUID | str) -> str:
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {key}".encode()).decode().rstrip("=")


def _decoded(cursor: str, key_type: type[UUID | str]) -> tuple[datetime, UUID | str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, key = text.partition(" ")
        return datetime.fromisoformat(moment), key_type(key)
    except (binascii.Error, ValueError) as problem:
        raise InvalidRequest("The cursor is not one that this list gave.") from problem
