"""Drafts: saved, taken up again, submitted; they end when they expire."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.intake import queries
from services.intake.errors import DraftSubmitted
from services.intake.models import Draft, RuleEntry, Upload
from services.intake.operations.dossiers import Submitted, submit_dossier
from services.intake.operations.submission import Submission
from shared.ids import new_id
from shared.work import Work

EXPIRED_BATCH = 500


async def start_draft(work: Work, *, body: dict[str, Any], reference: str | None, keep: timedelta) -> Draft:
    """Save a new draft for so long; whoever saved it alone finds it again."""
    draft = Draft(
        id=new_id(),
        client=work.caller.client_id,
        reference=reference,
        body=body,
        revision=1,
        created_at=work.now,
        saved_at=work.now,
        expires_at=work.now + keep,
    )
    work.session.add(draft)
    return draft


async def save_draft(
    work: Work, *, draft_id: UUID, body: dict[str, Any], keep: timedelta, revisions: Collection[int] | None = None
) -> Draft:
    """Save a draft anew; its time begins again. Raises DraftNotFound, DraftSubmitted, ChangedMeanwhile."""
    draft = await queries.lock_draft(work.session, draft_id, caller=work.caller, now=work.now, revisions=revisions)
    if draft.dossier_code is not None:
        raise DraftSubmitted(dossier_code=draft.dossier_code)
    draft.body = body
    draft.saved_at, draft.expires_at = work.now, work.now + keep
    draft.revision += 1
    return draft


async def submit_draft(
    work: Work,
    *,
    draft: Draft,
    catalogue: queries.Catalogue,
    submission: Submission,
    rules: Sequence[RuleEntry] = (),
) -> Submitted:
    """Submit a draft that is locked; it keeps nothing but the code of its dossier.

    Emits intake.dossier.submitted.v1. Raises as submit_dossier does.
    """
    submitted = await submit_dossier(work, catalogue=catalogue, submission=submission, rules=rules)
    draft.dossier_code, draft.body = submitted.dossier.code, {}
    draft.saved_at = work.now
    draft.revision += 1
    return submitted


async def delete_draft(work: Work, *, draft_id: UUID) -> None:
    """Delete a draft. Raises DraftNotFound."""
    await work.session.delete(await queries.lock_draft(work.session, draft_id, caller=work.caller, now=work.now))


async def delete_expired(session: AsyncSession, *, now: datetime) -> int:
    """Delete drafts and uploads whose time is over, EXPIRED_BATCH of each at most; return how many."""
    deleted = 0
    for kind in (Draft, Upload):
        over = select(kind.id).where(kind.expires_at <= now).order_by(kind.expires_at).limit(EXPIRED_BATCH)
        rows = await session.execute(delete(kind).where(kind.id.in_(over)).returning(kind.id))
        deleted += len(rows.all())
    return deleted
