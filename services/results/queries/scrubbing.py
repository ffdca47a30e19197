"""What the archive must read to know that it is whole, and what it found."""

from collections.abc import Sequence

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.results.models import Finding, ScrubRound

_FILES = text(
    """
    SELECT sha256, max(size_bytes) AS size_bytes FROM (
        (SELECT DISTINCT sha256, size_bytes FROM result WHERE sha256 > :after ORDER BY sha256 LIMIT :most)
        UNION ALL
        (SELECT sha256, size_bytes FROM digitised_result WHERE sha256 > :after ORDER BY sha256 LIMIT :most)
    ) AS files GROUP BY sha256 ORDER BY sha256 LIMIT :most
    """
)


async def list_files(session: AsyncSession, *, after: str, limit: int) -> Sequence[tuple[str, int]]:
    """Return the files that there must be, with their size in bytes, in order of their hash."""
    rows = await session.execute(_FILES, {"after": after, "most": limit})
    return [(sha256, size) for sha256, size in rows]


async def find_last_round(session: AsyncSession) -> ScrubRound | None:
    """Return the newest reading of all files."""
    return await session.scalar(select(ScrubRound).order_by(ScrubRound.started_at.desc()).limit(1))


async def list_findings(session: AsyncSession, *, limit: int) -> Sequence[Finding]:
    """Return the files that are missing or damaged, those of longest standing first."""
    query = select(Finding).where(Finding.mended_at.is_(None)).order_by(Finding.found_at, Finding.sha256)
    return (await session.scalars(query.limit(limit))).all()


async def count_findings(session: AsyncSession) -> dict[str, int]:
    """Return how many files are missing and how many damaged."""
    query = select(Finding.problem, func.count()).where(Finding.mended_at.is_(None)).group_by(Finding.problem)
    found = {problem: count for problem, count in await session.execute(query) if count}
    return {"missing": 0, "damaged": 0} | found
