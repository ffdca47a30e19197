"""Searching procedures in the database: as quick among a hundred thousand as among a hundred."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.intake.models import Level, Procedure
from services.intake.queries.catalogue import words_of

WORDS_MAX = 12
INDEXED_MIN = 3
"""A trigram index finds parts of words from three letters on; shorter ones are looked for at the beginning of words."""


# A plan made without knowing the words cannot tell a rare one from a common one, and walks the whole table for both.
_PLAN_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")


@dataclass(frozen=True, slots=True)
class ProcedureFilter:
    """Which procedures to list; what is empty or None lets all pass."""

    words: str = ""
    """Words of code, name or field; accents and case do not matter."""
    field: str | None = None
    level: Level | None = None
    agencies: Collection[str] | None = None
    """Received by one of these agencies, or by one below them."""
    levels: Collection[Level] = ()
    """The levels of those agencies: where a procedure names no agency, its levels say who receives it."""
    history: bool = False
    """Also the newest version of what is no longer, or not yet, in force."""


async def list_procedures(
    session: AsyncSession, wanted: ProcedureFilter, *, day: date, after: str = "", limit: int
) -> list[tuple[str, int]]:
    """Return code and version of the procedures that fit, in order of code after `after`: the version of a day."""
    await session.execute(_PLAN_ANEW)
    rows = await session.execute(statement_of(wanted, day=day, after=after, limit=limit))
    return [(row.code, row.version) for row in rows]


def statement_of(wanted: ProcedureFilter, *, day: date, after: str, limit: int) -> Select[str, int]:
    """Return the statement of a search."""
    statement = select(Procedure.code, Procedure.version).where(*_conditions(wanted, day), Procedure.code > after)
    return statement.order_by(Procedure.code).limit(limit)


def _conditions(wanted: ProcedureFilter, day: date) -> list[ColumnElement[bool]]:
    conditions = [_newest(day, history=wanted.history), *map(_holds, words_of(wanted.words)[:WORDS_MAX])]
    if wanted.field:
        conditions.append(Procedure.field_code == wanted.field)
    if wanted.level:
        conditions.append(Procedure.levels.contains([wanted.level.value]))
    if wanted.agencies is not None:
        named = Procedure.receivers.overlap(sorted(wanted.agencies))
        by_level = Procedure.levels.overlap(sorted(level.value for level in wanted.levels))
        conditions.append(or_(named, and_(func.cardinality(Procedure.receivers) == 0, by_level)))
    return conditions


def _newest(day: date, *, history: bool) -> ColumnElement[bool]:
    """Pick the version of a day: the newest in force; with history, the newest of all where none is."""
    other = aliased(Procedure)
    newer = and_(other.code == Procedure.code, other.version > Procedure.version)
    current = and_(_in_force(Procedure, day), ~exists().where(newer, _in_force(other, day)))
    if not history:
        return current
    any_current = exists().where(other.code == Procedure.code, _in_force(other, day))
    return or_(current, and_(~any_current, ~exists().where(newer)))


def _in_force(one: type[Procedure], day: date) -> ColumnElement[bool]:
    return and_(one.valid_from <= day, or_(one.valid_to.is_(None), one.valid_to >= day))


def _holds(word: str) -> ColumnElement[bool]:
    part = word if len(word) >= INDEXED_MIN else f" {word}"
    return Procedure.haystack.contains(part, autoescape=True)
