"""Reads: the process that a case starts with, and processes with their versions for people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from services.workflow.errors import ProcessNotFound
from services.workflow.models import DrawnProcess
from services.workflow.queries.cases import desk
from shared.events.values import Process


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version of a process that cases of some procedure may start with."""

    code: str
    version: int
    agency_code: str | None
    valid_from: date
    valid_to: date | None
    process: Process

    def serves(self, agency_code: str, day: date) -> bool:
        """Tell whether a case of an agency may start with it on a day."""
        if not self.valid_from <= day <= (self.valid_to or day):
            return False
        own = self.agency_code
        return own is None or agency_code == own or agency_code.startswith(f"{own}.")


@dataclass(slots=True)
class Shelf:
    """What one process of the system knows of drawn processes, as of the newest version it has seen."""

    newest: int = 0
    by_procedure: dict[str, list[Candidate]] = field(default_factory=dict)


_shelves: WeakKeyDictionary[Any, Shelf] = WeakKeyDictionary()
PROCEDURES_KEPT_MAX = 4_000


async def find_drawn_process(
    session: AsyncSession, procedure_code: str, *, agency_code: str, day: date
) -> Candidate | None:
    """Return the process drawn for a procedure, agency and day: the most specific agency's, then the newest.

    None when there is none, so that the catalogue's own counts. One small query per transaction, one more per procedure
    not seen since the newest import.
    """
    shelf = await _shelf(session)
    if procedure_code not in shelf.by_procedure:
        if len(shelf.by_procedure) >= PROCEDURES_KEPT_MAX:
            shelf.by_procedure.clear()
        shelf.by_procedure[procedure_code] = await _candidates(session, procedure_code)
    found = [one for one in shelf.by_procedure[procedure_code] if one.serves(agency_code, day)]
    return max(found, key=lambda one: (len(one.agency_code or ""), one.valid_from, one.version), default=None)


async def _shelf(session: AsyncSession) -> Shelf:
    shelf = _shelves.setdefault(session.get_bind(), Shelf())
    on_desk = desk(session)
    if on_desk.newest_process is None:
        on_desk.newest_process = await session.scalar(select(func.coalesce(func.max(DrawnProcess.nth), 0))) or 0
    if on_desk.newest_process != shelf.newest:
        shelf.newest, shelf.by_procedure = on_desk.newest_process, {}
    return shelf


async def _candidates(session: AsyncSession, procedure_code: str) -> list[Candidate]:
    query = select(DrawnProcess).options(defer(DrawnProcess.drawing))
    rows = await session.scalars(query.where(DrawnProcess.procedure_code == procedure_code))
    return [
        Candidate(
            row.code,
            row.version,
            row.agency_code,
            row.valid_from,
            row.valid_to,
            Process.model_validate(row.definition),
        )
        for row in rows
    ]


async def list_newest_versions(session: AsyncSession, codes: Sequence[str]) -> dict[str, DrawnProcess]:
    """Return the newest version of some processes by code."""
    query = select(DrawnProcess).ext(distinct_on(DrawnProcess.code)).where(DrawnProcess.code.in_(codes))
    rows = await session.scalars(query.order_by(DrawnProcess.code, DrawnProcess.version.desc()))
    return {row.code: row for row in rows}


async def list_rivals(session: AsyncSession, procedure_codes: Sequence[str]) -> Sequence[DrawnProcess]:
    """Return the newest versions of all processes that are for some procedures."""
    query = select(DrawnProcess).options(defer(DrawnProcess.drawing), defer(DrawnProcess.definition))
    query = query.ext(distinct_on(DrawnProcess.code)).where(DrawnProcess.procedure_code.in_(procedure_codes))
    return (await session.scalars(query.order_by(DrawnProcess.code, DrawnProcess.version.desc()))).all()


async def list_processes(
    session: AsyncSession,
    *,
    procedure_code: str | None,
    agency_code: str | None,
    words: str | None,
    after: str,
    limit: int,
) -> Sequence[DrawnProcess]:
    """Return the newest version of processes in order of code; `words` stand in their code or name."""
    query = select(DrawnProcess).ext(distinct_on(DrawnProcess.code)).options(defer(DrawnProcess.drawing))
    query = query.where(DrawnProcess.code > after)
    if procedure_code is not None:
        query = query.where(DrawnProcess.procedure_code == procedure_code)
    if agency_code is not None:
        own = DrawnProcess.agency_code
        query = query.where(or_(own == agency_code, own.startswith(f"{agency_code}.", autoescape=True)))
    if words is not None:
        pattern = f"%{words.replace('%', '').replace('_', '')}%"
        query = query.where(or_(DrawnProcess.code.ilike(pattern), DrawnProcess.name.ilike(pattern)))
    query = query.order_by(DrawnProcess.code, DrawnProcess.version.desc()).limit(limit)
    return (await session.scalars(query)).all()


async def get_process_version(session: AsyncSession, code: str, version: int | None = None) -> DrawnProcess:
    """Return a version of a process, without one the newest; raises ProcessNotFound."""
    query = select(DrawnProcess).where(DrawnProcess.code == code)
    if version is not None:
        query = query.where(DrawnProcess.version == version)
    row = await session.scalar(query.order_by(DrawnProcess.version.desc()).limit(1))
    if row is None:
        which = f"{code}, version {version}" if version else code
        raise ProcessNotFound(f"There is no process {which}.", code=code)
    return row


async def list_process_versions(session: AsyncSession, code: str, *, limit: int) -> Sequence[DrawnProcess]:
    """Return the versions of a process, the newest first."""
    query = select(DrawnProcess).options(defer(DrawnProcess.drawing)).where(DrawnProcess.code == code)
    return (await session.scalars(query.order_by(DrawnProcess.version.desc()).limit(limit))).all()
