"""The change feed, the snapshot it goes on from, and their cursors."""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from gateway.errors import InvalidCursor, SnapshotNeeded
from gateway.models import Change, DossierView
from gateway.queries.pages import PAGE_MAX
from shared.caller import Caller

_CHANGES = re.compile(r"c1:(\d{1,18})|c2:(\d{1,18}):([0-9a-f]{12})")
_SNAPSHOT = re.compile(r"s1:(\d{1,18}):([0-9a-f]{12}):([!-~]{1,100})")
Agency = InstrumentedAttribute[str]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dossiers a reader follows: those its agencies may see, and of them those it asks for."""

    agencies: tuple[str, ...]
    agency: str | None = None
    procedure: str | None = None

    @classmethod
    def of(cls, caller: Caller, agency: str | None = None, procedure: str | None = None) -> "Selection":
        """Return what a caller asks for."""
        return cls(tuple(sorted(caller.agencies)), agency, procedure)

    @property
    def mark(self) -> str:
        """Tell this selection from others; it stands in every cursor."""
        parts = ["\n".join(self.agencies), self.agency or "", self.procedure or ""]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    def covers(self, agency: str, procedure: str) -> bool:
        """Tell whether a dossier of this agency and procedure is followed."""
        return (
            any(_below(agency, own) for own in self.agencies)
            and (self.agency is None or _below(agency, self.agency))
            and self.procedure in {None, procedure}
        )

    def clause(self, agency: Agency, procedure: InstrumentedAttribute[str]) -> ColumnElement[bool]:
        """Return the same as a condition on columns."""
        wanted = [or_(false(), *(_within(agency, own) for own in self.agencies))]
        if self.agency:
            wanted.append(_within(agency, self.agency))
        if self.procedure:
            wanted.append(procedure == self.procedure)
        return and_(*wanted)


def _below(agency: str, own: str) -> bool:
    return agency == own or agency.startswith(f"{own}.")


def _within(column: Agency, agency: str) -> ColumnElement[bool]:
    return (column == agency) | column.startswith(f"{agency}.", autoescape=True)


async def list_changes(session: AsyncSession, selection: Selection, *, after: int, limit: int) -> list[Change]:
    """Return the feed after a position, in commit order."""
    query = select(Change).where(Change.position > after, selection.clause(Change.agency_code, Change.procedure_code))
    return list(await session.scalars(query.order_by(Change.position).limit(min(limit, PAGE_MAX))))


async def list_snapshot(
    session: AsyncSession, selection: Selection, *, after: str, limit: int
) -> Sequence[tuple[DossierView, int]]:
    """Return dossiers as they are now, after a code, each with the position of its last change.

    One statement sees both as of one moment, since they are committed together.
    """
    position = (
        select(func.max(Change.position)).where(Change.dossier_code == DossierView.code).correlate(DossierView)
    ).scalar_subquery()
    query = (
        select(DossierView, func.coalesce(position, 0))
        .where(DossierView.code > after, DossierView.retracted.is_(False))
        .where(selection.clause(DossierView.agency_code, DossierView.procedure_code))
        .order_by(DossierView.code)
        .limit(min(limit, PAGE_MAX))
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def last_position(session: AsyncSession) -> int:
    """Return the feed's newest position, 0 when it is empty."""
    return await session.scalar(select(func.max(Change.position))) or 0


def to_cursor(position: int, mark: str | None = None) -> str:
    """Return a feed position as an opaque cursor, bound to a selection by its mark."""
    return _opaque(f"c2:{position}:{mark}" if mark else f"c1:{position}")


def from_cursor(cursor: str | None, selection: Selection | None = None) -> int:
    """Return the position a cursor stands for, 0 for none; raises InvalidCursor, SnapshotNeeded."""
    if not cursor:
        return 0
    known = _CHANGES.fullmatch(_plain(cursor))
    if known is None:
        raise _invalid()
    if selection and known[3] and known[3] != selection.mark:
        raise SnapshotNeeded
    return int(known[1] or known[2])


def to_snapshot_cursor(position: int, selection: Selection, code: str) -> str:
    """Return where a snapshot goes on: after a code, and the feed from the position it began at."""
    return _opaque(f"s1:{position}:{selection.mark}:{code}")


def from_snapshot_cursor(cursor: str, selection: Selection) -> tuple[int, str]:
    """Return the feed position a snapshot began at and the code it came to; raises InvalidCursor, SnapshotNeeded."""
    known = _SNAPSHOT.fullmatch(_plain(cursor))
    if known is None:
        raise _invalid()
    if known[2] != selection.mark:
        raise SnapshotNeeded
    return int(known[1]), known[3]


def _opaque(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        return ""


def _invalid() -> InvalidCursor:
    return InvalidCursor("Use a cursor as it was given, or none to start from the beginning.")
