"""Electronic documents and the agencies that take part."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from gateway.errors import EdocUnknown
from gateway.models import Edoc, EdocAgency, EdocRecipient
from gateway.queries.pages import PAGE_MAX
from shared.caller import Caller


def _own(column: InstrumentedAttribute[str], caller: Caller) -> ColumnElement[bool]:
    own = ((column == one) | column.startswith(f"{one}.", autoescape=True) for one in caller.agencies)
    return or_(false(), *own)


@dataclass(frozen=True, slots=True)
class Box:
    """Which documents are wanted: those to the caller, or those it sent, after a place."""

    sent: bool
    progress: str | None
    after: int
    limit: int


async def list_edocs(session: AsyncSession, caller: Caller, box: Box) -> Sequence[tuple[Edoc, EdocRecipient]]:
    """Return documents from or to the caller's agencies, one row a recipient, in the order committed."""
    query = select(Edoc, EdocRecipient).join(EdocRecipient, EdocRecipient.edoc_id == Edoc.id)
    query = query.where(_own(Edoc.sender if box.sent else EdocRecipient.agency, caller))
    query = query.where(EdocRecipient.nth > box.after, Edoc.content.is_not(None))
    if box.progress:
        query = query.where(EdocRecipient.progress == box.progress)
    rows = await session.execute(query.order_by(EdocRecipient.nth).limit(min(box.limit, PAGE_MAX)))
    return [(row[0], row[1]) for row in rows]


async def get_edoc(session: AsyncSession, caller: Caller, edoc_id: UUID) -> tuple[Edoc, list[EdocRecipient]]:
    """Return a document from or to the caller's agencies and those recipients it may know of.

    Its sender sees every recipient, a recipient only itself and those below it. Raises EdocUnknown.
    """
    addressed = exists().where(and_(EdocRecipient.edoc_id == Edoc.id, _own(EdocRecipient.agency, caller)))
    query = select(Edoc).where(Edoc.id == edoc_id, or_(_own(Edoc.sender, caller), addressed))
    found = await session.scalar(query)
    if found is None:
        raise EdocUnknown(f"No document {edoc_id}.")
    rows = await session.scalars(
        select(EdocRecipient).where(EdocRecipient.edoc_id == edoc_id).order_by(EdocRecipient.nth)
    )
    sent = caller.may_see(found.sender)
    return found, [row for row in rows if sent or caller.may_see(row.agency)]


async def find_edoc_of(session: AsyncSession, sender: str, document_id: str) -> Edoc | None:
    """Return the document that a sender handed in under its own id."""
    return await session.scalar(select(Edoc).where(Edoc.sender == sender, Edoc.document_id == document_id))


async def lock_recipients(session: AsyncSession, caller: Caller, edoc_id: UUID) -> list[EdocRecipient]:
    """Return the recipients of a document that are the caller's agencies, locked."""
    query = select(EdocRecipient).where(EdocRecipient.edoc_id == edoc_id, _own(EdocRecipient.agency, caller))
    return list(await session.scalars(query.order_by(EdocRecipient.nth).with_for_update()))


async def list_edoc_agencies(
    session: AsyncSession, *, province: str | None, after: str, limit: int
) -> list[EdocAgency]:
    """Return agencies that take part, in order of code; those of a province alone when one is named."""
    query = select(EdocAgency).where(EdocAgency.cancelled_at.is_(None), EdocAgency.code > after)
    if province:
        query = query.where(or_(EdocAgency.code == province, EdocAgency.code.startswith(f"{province}.")))
    return list(await session.scalars(query.order_by(EdocAgency.code).limit(min(limit, PAGE_MAX))))


async def active_edoc_agencies(session: AsyncSession, codes: Sequence[str]) -> set[str]:
    """Return which of some agencies take part."""
    query = select(EdocAgency.code).where(EdocAgency.code.in_(codes), EdocAgency.cancelled_at.is_(None))
    return set(await session.scalars(query))
