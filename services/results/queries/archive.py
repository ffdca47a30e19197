"""What results reads: cases, results, the public check."""

import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.results.errors import DossierNotFound, ResultNotFound
from services.results.models import CaseSlice, Result
from services.results.queries.newest import list_newest, seen_by
from services.results.states import ResultStatus
from shared.caller import Caller

MATCHES_MAX = 20
_HASH = re.compile(r"[0-9a-fA-F]{64}")


async def lock_cases(session: AsyncSession, dossier_codes: Iterable[str] | Select[str]) -> Sequence[CaseSlice]:
    """Return and lock the slices of these dossiers, in order of code."""
    query = select(CaseSlice).where(CaseSlice.dossier_code.in_(dossier_codes))
    return (await session.scalars(query.order_by(CaseSlice.dossier_code).with_for_update())).all()


async def preload_cases(session: AsyncSession, dossier_codes: Iterable[str]) -> None:
    """Lock the slices of these dossiers, in one statement, for known_cases()."""
    session.info["cases"] = {case.dossier_code: case for case in await lock_cases(session, dossier_codes)}


def known_cases(session: AsyncSession) -> dict[str, CaseSlice]:
    """Return the slices that this session has preloaded, by dossier code; whoever makes another adds it."""
    return session.info["cases"]


async def lock_case(session: AsyncSession, caller: Caller, *, dossier_code: str) -> CaseSlice:
    """Return and lock a slice that the caller may see. Raises DossierNotFound."""
    found = await session.get(CaseSlice, dossier_code, with_for_update=True)
    if found is None or not caller.may_see(found.agency_code):
        raise DossierNotFound(dossier_code=dossier_code)
    return found


async def lock_cases_of(session: AsyncSession, *result_ids: UUID) -> Sequence[CaseSlice]:
    """Return and lock the cases of these results and of those whose place they take, as far as there are any.

    Whoever changes a result holds its case's lock, so a result read after this is the newest.
    """
    replaced = select(Result.supersedes).where(Result.id.in_(result_ids))
    codes = select(Result.dossier_code).where(or_(Result.id.in_(result_ids), Result.id.in_(replaced)))
    return await lock_cases(session, codes)


async def lock_result(session: AsyncSession, caller: Caller, *, result_id: UUID) -> tuple[Result, CaseSlice]:
    """Return a result that the caller may see, with its case locked. Raises ResultNotFound."""
    cases = {case.dossier_code: case for case in await lock_cases_of(session, result_id)}
    found = await get_result(session, caller, result_id=result_id)
    return found, cases[found.dossier_code]


async def get_result(session: AsyncSession, caller: Caller, *, result_id: UUID) -> Result:
    """Return a result that the caller may see. Raises ResultNotFound."""
    found = await session.get(Result, result_id)
    if found is None or not caller.may_see(found.agency_code):
        raise ResultNotFound(result_id=result_id)
    return found


async def list_results(
    session: AsyncSession,
    caller: Caller,
    *,
    dossier_code: str | None,
    status: ResultStatus | None,
    before: UUID | None,
    limit: int,
) -> Sequence[Result]:
    """Return results that the caller may see, newest first, older than `before`."""
    if dossier_code:
        query = select(Result).where(Result.dossier_code == dossier_code, seen_by(caller, Result.agency_code))
        if status:
            query = query.where(Result.status == status)
        if before:
            query = query.where(Result.id < before)
        return (await session.scalars(query.order_by(Result.id.desc()).limit(limit))).all()
    only = [(Result.status, status)] if status else []
    return await list_newest(session, caller, Result, only=only, before=before, limit=limit)


async def list_versions(session: AsyncSession, result: Result) -> Sequence[Result]:
    """Return every version of a result, oldest first: itself, what it took the place of, what took its place."""
    earlier = select(Result.id, Result.supersedes).where(Result.id == result.id).cte("earlier", recursive=True)
    earlier = earlier.union(select(Result.id, Result.supersedes).where(Result.id == earlier.c.supersedes))
    later = select(Result.id).where(Result.id == result.id).cte("later", recursive=True)
    later = later.union(select(Result.id).where(Result.supersedes == later.c.id))
    known = or_(Result.id.in_(select(earlier.c.id)), Result.id.in_(select(later.c.id)))
    return (await session.scalars(select(Result).where(known).order_by(Result.version, Result.id))).all()


async def list_issued(session: AsyncSession, *, reference: str, agency_code: str | None = None) -> Sequence[Result]:
    """Return the results, never drafts, that an id, a document's SHA-256 or a number stands for; newest first."""
    query = select(Result).where(_named(reference), Result.status != ResultStatus.DRAFT)
    if agency_code:
        query = query.where(Result.agency_code == agency_code)
    return (await session.scalars(query.order_by(Result.id.desc()).limit(MATCHES_MAX))).all()


def _named(reference: str) -> ColumnElement[bool]:
    if _HASH.fullmatch(reference):
        return Result.sha256 == reference.lower()
    try:
        return Result.id == UUID(reference)
    except ValueError:
        return Result.number == reference
