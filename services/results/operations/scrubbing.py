"""What the archive finds when it reads its own files."""

from datetime import datetime

from sqlalchemy import text

from services.results import queries
from services.results.models import ScrubRound
from shared.work import Work

_FOUND = text(
    """
    INSERT INTO finding (sha256, problem, found_at, seen_at) VALUES (:sha256, :problem, :now, :now)
    ON CONFLICT (sha256) DO UPDATE SET
        problem = excluded.problem, seen_at = excluded.seen_at, mended_at = NULL,
        found_at = CASE WHEN finding.mended_at IS NULL THEN finding.found_at ELSE excluded.found_at END
    """
)
_BEGIN = text(
    """
    INSERT INTO scrub_round (started_at, position, files, bytes_read, found) VALUES (:now, '', 0, 0, 0)
    ON CONFLICT DO NOTHING
    """
)
_MENDED = text("UPDATE finding SET mended_at = :now WHERE sha256 = ANY(:whole) AND mended_at IS NULL")


async def begin_round(work: Work, *, not_before: datetime | None) -> ScrubRound | None:
    """Return the round that is open, else begin one; None when the last one began after `not_before`."""
    found = await queries.find_last_round(work.session)
    if found is not None and found.ended_at is None:
        return found
    if found is not None and not_before is not None and found.started_at > not_before:
        return None
    # Of two processes that begin at once one does, and the other joins it.
    await work.session.execute(_BEGIN, {"now": work.now})
    return await queries.find_last_round(work.session)


async def keep_progress(
    work: Work, *, started_at: datetime, position: str, following: str, whole: dict[str, int], bad: dict[str, str]
) -> bool:
    """Keep what became of some files; False when another process went on from `position` meanwhile.

    whole: files that were read and are right, with their size in bytes; bad: files with what is wrong.
    """
    found = await work.session.get(ScrubRound, started_at, with_for_update=True)
    if found is None or found.position != position or found.ended_at is not None:
        return False
    for sha256, problem in bad.items():
        await work.session.execute(_FOUND, {"sha256": sha256, "problem": problem, "now": work.now})
    await work.session.execute(_MENDED, {"whole": list(whole), "now": work.now})
    found.files += len(whole) + len(bad)
    found.bytes_read += sum(whole.values())
    found.found += len(bad)
    found.position = following
    return True


async def end_round(work: Work, *, started_at: datetime) -> None:
    """Say that every file was read."""
    found = await work.session.get(ScrubRound, started_at, with_for_update=True)
    if found is not None and found.ended_at is None:
        found.ended_at = work.now
