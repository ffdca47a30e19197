"""Reading drafts, uploads and rules; what the caller did not save is not there."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.intake.errors import ChangedMeanwhile, DraftNotFound, UploadNotFound
from services.intake.models import Draft, RuleEntry, SubmissionRule, Upload
from shared.caller import Caller


async def get_draft(session: AsyncSession, draft_id: UUID, *, caller: Caller, now: datetime) -> Draft:
    """Return a draft that the caller saved. Raises DraftNotFound."""
    return _own(await session.get(Draft, draft_id), caller, now)


async def lock_draft(
    session: AsyncSession,
    draft_id: UUID,
    *,
    caller: Caller,
    now: datetime,
    revisions: Collection[int] | None = None,
) -> Draft:
    """Return a draft, locked. Raises DraftNotFound, ChangedMeanwhile when its revision is none of those given."""
    draft = _own(await session.get(Draft, draft_id, with_for_update=True), caller, now)
    if revisions is not None and draft.revision not in revisions:
        raise ChangedMeanwhile("Read it again and decide anew.", revision=draft.revision)
    return draft


def _own(draft: Draft | None, caller: Caller, now: datetime) -> Draft:
    if draft is None or draft.client != caller.client_id or draft.expires_at <= now:
        raise DraftNotFound
    return draft


async def list_drafts(
    session: AsyncSession,
    *,
    caller: Caller,
    now: datetime,
    reference: str | None = None,
    after: UUID | None = None,
    limit: int,
) -> Sequence[Draft]:
    """Return the caller's drafts that have not expired, latest begun first, `limit` at most."""
    wanted = select(Draft).where(Draft.client == caller.client_id, Draft.expires_at > now)
    if reference is not None:
        wanted = wanted.where(Draft.reference == reference)
    if after is not None:
        wanted = wanted.where(Draft.id < after)
    return (await session.scalars(wanted.order_by(Draft.id.desc()).limit(limit))).all()


async def get_upload(session: AsyncSession, upload_id: UUID, *, caller: Caller, now: datetime) -> Upload:
    """Return an upload that the caller began. Raises UploadNotFound."""
    return _begun(await session.get(Upload, upload_id), caller, now)


async def lock_upload(session: AsyncSession, upload_id: UUID, *, caller: Caller, now: datetime) -> Upload:
    """Return an upload, locked. Raises UploadNotFound."""
    return _begun(await session.get(Upload, upload_id, with_for_update=True), caller, now)


def _begun(upload: Upload | None, caller: Caller, now: datetime) -> Upload:
    if upload is None or upload.client != caller.client_id or upload.expires_at <= now:
        raise UploadNotFound
    return upload


async def list_rules(session: AsyncSession) -> Sequence[SubmissionRule]:
    """Return all rules of submission, in the order they were first set."""
    return (await session.scalars(select(SubmissionRule).order_by(SubmissionRule.id))).all()


async def load_rules(session: AsyncSession) -> tuple[RuleEntry, ...]:
    """Return what all rules say."""
    return tuple(RuleEntry.model_validate(rule.entry) for rule in await list_rules(session))


async def find_rules_set(session: AsyncSession) -> tuple[int, datetime | None]:
    """Return how many rules there are and when one was set last: tells whether to read them again."""
    row = (await session.execute(select(func.count(), func.max(SubmissionRule.set_at)))).one()
    return row[0], row[1]
