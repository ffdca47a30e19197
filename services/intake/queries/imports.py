"""Reading what was brought in."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.intake.errors import ImportNotFound
from services.intake.models import CatalogueImport


async def get_import(session: AsyncSession, import_id: UUID) -> CatalogueImport:
    """Return one import; raises ImportNotFound."""
    found = await session.get(CatalogueImport, import_id)
    if found is None:
        raise ImportNotFound
    return found


async def list_imports(session: AsyncSession, *, limit: int, after: UUID | None = None) -> Sequence[CatalogueImport]:
    """Return the imports, latest first."""
    wanted = select(CatalogueImport).order_by(CatalogueImport.id.desc())
    if after:
        wanted = wanted.where(CatalogueImport.id < after)
    return (await session.scalars(wanted.limit(limit))).all()


async def find_unfinished(session: AsyncSession, *, kind: str, sha256: str) -> CatalogueImport | None:
    """Return the latest import of the same file that never came to its end."""
    wanted = select(CatalogueImport).where(
        CatalogueImport.kind == kind, CatalogueImport.sha256 == sha256, CatalogueImport.finished_at.is_(None)
    )
    return await session.scalar(wanted.order_by(CatalogueImport.id.desc()).limit(1))
