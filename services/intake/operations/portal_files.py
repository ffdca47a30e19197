"""Files of a dossier that another portal hands over: kept before it comes, gone if it never does.

The row that names a file commits before its bytes are stored, so that no bytes are left that nobody knows of.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.intake.errors import DocumentNotUsable
from services.intake.models import Document
from shared.work import Work

LIFE = timedelta(days=7)
"""How long a file waits for its dossier: a portal that hands over again later brings it again."""
SWEPT_BATCH = 100


async def announce_file(session: AsyncSession, *, document_id: UUID, sha256: str, client: str, now: datetime) -> None:
    """Remember that a file is about to be stored; one that is there already waits anew. Commits.

    Raises DocumentNotUsable when the id is another file's or another client's.
    """
    row = {
        "id": document_id,
        "name": "",
        "sha256": sha256,
        "held": False,
        "added_by": client,
        "added_at": now,
        "expires_at": now + LIFE,
    }
    mine = (Document.added_by == client) & (Document.sha256 == sha256)
    waiting = (
        insert(Document)
        .values(row)
        .on_conflict_do_update(
            index_elements=["id"], set_={"expires_at": now + LIFE}, where=mine & Document.dossier_code.is_(None)
        )
    )
    await session.execute(waiting)
    known = await session.scalar(select(Document.id).where(Document.id == document_id, mine))
    if known is None:
        raise DocumentNotUsable("This id names another file.", documents=[str(document_id)])
    await session.commit()


async def keep_portal_file(work: Work, *, document_id: UUID, name: str, media_type: str, size_bytes: int) -> Document:
    """Say of an announced file that its bytes are in the store. Raises DocumentNotUsable when it has expired."""
    document = await work.session.get(Document, document_id, with_for_update=True)
    if document is None or document.added_by != work.caller.client_id:
        raise DocumentNotUsable("Send the file again.", documents=[str(document_id)])
    if document.dossier_code is None:
        document.name, document.media_type, document.size_bytes = name, media_type, size_bytes
        document.held = True
    return document


async def condemn_files(session: AsyncSession, *, now: datetime) -> Sequence[tuple[UUID, str, bool]]:
    """Let go of files whose dossier did not come in time; return id, hash, and whether others name the same bytes.

    From here on nobody takes them for kept. Commits.
    """
    over = (
        select(Document.id)
        .where(Document.expires_at <= now, Document.dossier_code.is_(None))
        .order_by(Document.expires_at)
        .limit(SWEPT_BATCH)
        .with_for_update(skip_locked=True)
    )
    other = aliased(Document)
    named = exists().where(other.sha256 == Document.sha256, other.id != Document.id, other.held)
    rows = await session.execute(
        update(Document)
        .where(Document.id.in_(over))
        .values(held=False)
        .returning(Document.id, Document.sha256, named)
        .execution_options(synchronize_session=False)
    )
    found = [(row[0], row[1] or "", bool(row[2])) for row in rows]
    await session.commit()
    return found


async def forget_files(session: AsyncSession, ids: Sequence[UUID], *, now: datetime) -> int:
    """Delete condemned files that were not sent again meanwhile; return how many. Commits."""
    gone = await session.execute(
        delete(Document)
        .where(Document.id.in_(ids), Document.expires_at <= now, Document.held.is_(False))
        .returning(Document.id)
    )
    deleted = len(gone.all())
    await session.commit()
    return deleted
