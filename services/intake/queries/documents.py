"""Reading documents."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.intake.errors import DocumentNotFound
from services.intake.models import Document, Dossier
from shared.caller import Caller


async def get_document(session: AsyncSession, document_id: UUID, *, caller: Caller) -> Document:
    """Return a document that belongs to a dossier the caller may see, or that the caller uploaded.

    Raises DocumentNotFound.
    """
    wanted = select(Document, Dossier.agency_code, Dossier.competent_agency_code).where(Document.id == document_id)
    row = (await session.execute(wanted.outerjoin(Dossier, Document.dossier_code == Dossier.code))).one_or_none()
    if row is None:
        raise DocumentNotFound
    document, *agencies = row
    own = document.dossier_code is None and document.added_by == caller.client_id
    if not own and not caller.may_see(*agencies):
        raise DocumentNotFound
    return document


async def list_documents(session: AsyncSession, code: str) -> Sequence[Document]:
    """Return the documents of a dossier in the order they came in."""
    wanted = select(Document).where(Document.dossier_code == code).order_by(Document.added_at, Document.id)
    return (await session.scalars(wanted)).all()
