"""Documents: kept when uploaded, and handed in with a dossier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.intake.errors import DocumentNotUsable
from services.intake.models import Document
from services.intake.operations.papers import Paper, Reuse
from shared.events import values
from shared.ids import new_id
from shared.work import Work


@dataclass(frozen=True, slots=True)
class HandedIn:
    """Papers as a dossier's event tells them, and those that earlier results are to stand for."""

    documents: tuple[values.Document, ...]
    claims: tuple[values.ReuseClaim, ...]


NAMELESS: Mapping[str, str] = MappingProxyType({})


async def keep_document(work: Work, *, name: str, media_type: str, size_bytes: int, sha256: str) -> Document:
    """Remember an uploaded file, whose bytes are in the store already, until a dossier names it."""
    document = Document(
        id=new_id(),
        name=name,
        media_type=media_type,
        size_bytes=size_bytes,
        sha256=sha256,
        held=True,
        added_by=work.caller.client_id,
        added_at=work.now,
    )
    work.session.add(document)
    return document


async def hand_in(
    work: Work,
    *,
    dossier_code: str,
    papers: Sequence[Paper],
    owner: values.Party,
    names: Mapping[str, str] = NAMELESS,
) -> HandedIn:
    """Put papers into a dossier and return them as its event tells them; `owner` is the dossier's.

    A paper without a name gets its component's from `names`. Only papers that name an uploaded document ask the
    database. Raises DocumentNotUsable.
    """
    uploaded = await _lock_uploaded(work, [paper.document_id for paper in papers if paper.document_id])
    told, claims = [], []
    for paper in papers:
        if paper.document_id:
            document = uploaded[paper.document_id]
            document.dossier_code, document.component_code = dossier_code, paper.component_code
            document.expires_at = None
            told.append(_told(document, paper))
        else:
            named = _named(paper, names.get(paper.component_code, paper.component_code))
            claim = _claim(named, paper.reuse, owner) if paper.reuse else None
            _note(work, dossier_code, named, claim)
            told.append(named)
            claims += [claim] if claim else []
    return HandedIn(tuple(told), tuple(claims))


def _claim(document: values.Document, reuse: Reuse, owner: values.Party) -> values.ReuseClaim:
    return values.ReuseClaim(
        document_id=document.id,
        component_code=document.component_code,
        result_id=reuse.result_id,
        owner=owner,
        consent_by=reuse.consent_by,
        consent_at=reuse.consent_at,
        consent_text=reuse.consent_text,
        purpose=reuse.purpose,
    )


async def _lock_uploaded(work: Work, ids: Sequence[UUID]) -> dict[UUID, Document]:
    if not ids:
        return {}
    own = select(Document).where(
        Document.id.in_(ids),
        Document.held,
        Document.dossier_code.is_(None),
        Document.added_by == work.caller.client_id,
    )
    rows = await work.session.scalars(own.order_by(Document.id).with_for_update())
    # One that an earlier submission of this transaction named is free in the database still, but not in memory.
    found = {row.id: row for row in rows if row.dossier_code is None}
    if missing := [str(one) for one in ids if one not in found]:
        raise DocumentNotUsable("Upload them again and name the new ids.", documents=missing)
    return found


def _named(paper: Paper, component: str) -> values.Document:
    return values.Document(
        id=new_id(),
        component_code=paper.component_code,
        name=paper.name or component,
        media_type=paper.media_type,
        size_bytes=paper.size_bytes,
        sha256=paper.sha256,
        digitised=paper.sha256 is not None,
        reused_result=paper.reused_result,
        from_national_store=paper.from_national_store,
        replaces=paper.replaces,
    )


def _note(work: Work, dossier_code: str, document: values.Document, claim: values.ReuseClaim | None) -> None:
    # A row for each paper of each submission that shares the transaction, in one statement and past the ORM's unit of
    # work: an eighth of what submitting costs.
    rows = work.session.info.setdefault("documents_named", [])
    if not rows:
        work.last_steps.append(_write_named)
    row = document.model_dump(exclude={"digitised", "stored", "from_national_store", "replaces"})
    row |= {"dossier_code": dossier_code, "held": False, "added_by": work.caller.client_id, "added_at": work.now}
    rows.append(row | {"reuse": claim.model_dump(mode="json", exclude={"owner"}) if claim else None})


async def _write_named(session: AsyncSession) -> None:
    await session.execute(insert(Document), session.info["documents_named"])


def _told(document: Document, paper: Paper) -> values.Document:
    return values.Document(
        id=document.id,
        component_code=document.component_code or "",
        name=document.name,
        media_type=document.media_type,
        size_bytes=document.size_bytes,
        sha256=document.sha256,
        digitised=True,
        stored=True,
        from_national_store=paper.from_national_store,
        replaces=paper.replaces,
    )
