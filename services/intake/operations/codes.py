"""Codes of dossiers: agency, day and running number for the office, a random one for the applicant's eyes."""

import secrets
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.identifiers import format_dossier_code
from shared.work import Work

TRACKING_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's Base32: no I, L, O, U."""
TRACKING_LENGTH = 16

# The row stays locked until the transaction ends: each number is given once, whatever the number of processes, and
# one that is rolled back is given again.
_NEXT = text(
    """
    INSERT INTO agency_day AS d (agency_code, day, last) VALUES (:agency, :day, 1)
    ON CONFLICT (agency_code, day) DO UPDATE SET last = d.last + 1
    RETURNING last
    """
)
_LAST = text(
    """
    UPDATE agency_day AS d SET last = t.last
    FROM unnest(CAST(:agencies AS text[]), CAST(:days AS date[]), CAST(:lasts AS int[])) AS t(agency_code, day, last)
    WHERE d.agency_code = t.agency_code AND d.day = t.day
    """
)


async def issue_code(work: Work, *, agency: str, day: date) -> str:
    """Give out the next code of an agency and day; a day has as many as it needs, past 9999 too.

    The first code in a transaction asks the database; those of submissions that share it count on in memory, and how
    far they came is written before the commit.
    """
    given: dict[tuple[str, date], int] = work.session.info.setdefault("codes_given", {})
    if (agency, day) in given:
        given[agency, day] += 1
        if _write_last not in work.last_steps:
            work.last_steps.append(_write_last)
    else:
        given[agency, day] = await work.session.scalar(_NEXT, {"agency": agency, "day": day}) or 0
    return format_dossier_code(agency, day, given[agency, day])


async def _write_last(session: AsyncSession) -> None:
    given: dict[tuple[str, date], int] = session.info["codes_given"]
    places = {"agencies": [agency for agency, _ in given], "days": [day for _, day in given]}
    await session.execute(_LAST, places | {"lasts": list(given.values())})


def new_tracking_code() -> str:
    """Return a code that nobody can guess: 80 random bits in letters and digits that look alike to no one."""
    return "".join(secrets.choice(TRACKING_LETTERS) for _ in range(TRACKING_LENGTH))
