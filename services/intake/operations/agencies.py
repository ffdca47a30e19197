"""Agencies: written, closed, merged and split."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import select, update

from services.intake.errors import AgencyNotFound
from services.intake.models import Agency, AgencyEntry
from services.intake.operations.catalogue import lock_catalogue, next_revision, write_agencies
from shared.errors import FieldError, InvalidRequest
from shared.identifiers import IdentifierError, current_agency
from shared.work import Work


async def write_agency(work: Work, *, code: str, entry: AgencyEntry) -> AgencyEntry:
    """Add an agency or replace it. Raises InvalidRequest when its parent or a successor is not known."""
    if _current(code) != entry.code:
        message = "The code in the body is not the one in the address."
        raise InvalidRequest(errors=[FieldError("body.code", message, "Mã trong nội dung khác mã trong địa chỉ.")])
    await lock_catalogue(work)
    known = await _load(work)
    if problems := [*_strangers(entry, known), *_dates(entry), *_circles(entry, known)]:
        raise InvalidRequest(errors=problems)
    await _store(work, entry)
    return entry


async def close_agency(work: Work, *, code: str, last_day: date, successors: Sequence[str]) -> AgencyEntry:
    """Let an agency end on a day and others take over on the next.

    Raises AgencyNotFound, InvalidRequest (a successor that is not known, does not exist then, or leads back here).
    """
    await lock_catalogue(work)
    known = await _load(work)
    agency = known.get(_current(code))
    if agency is None:
        raise AgencyNotFound
    closed = agency.model_copy(update={"valid_to": last_day, "successors": tuple(dict.fromkeys(successors))})
    day = last_day + timedelta(days=1)
    absent = [one for one in closed.successors if one in known and not known[one].receives_on(day)]
    problems = [
        *_strangers(closed, known),
        *_dates(closed),
        *_circles(closed, known),
        *(
            FieldError("body.successors", f"{one} does not exist on {day}.", f"{one} không hoạt động vào ngày {day}.")
            for one in absent
        ),
    ]
    if problems:
        raise InvalidRequest(errors=problems)
    await _store(work, closed)
    return closed


def _current(code: str) -> str:
    try:
        return current_agency(code)
    except IdentifierError:
        return code


async def _load(work: Work) -> dict[str, AgencyEntry]:
    rows = await work.session.scalars(select(Agency.entry))
    return {entry.code: entry for entry in map(AgencyEntry.model_validate, rows)}


def _strangers(entry: AgencyEntry, known: dict[str, AgencyEntry]) -> list[FieldError]:
    named = {"body.parent": [entry.parent] if entry.parent else [], "body.successors": [*entry.successors]}
    return [
        FieldError(place, f"No agency has the code {code}.", f"Không có cơ quan với mã {code}.")
        for place, codes in named.items()
        for code in codes
        if code not in known
    ]


def _dates(entry: AgencyEntry) -> list[FieldError]:
    problems = []
    if entry.valid_from and entry.valid_to and entry.valid_to < entry.valid_from:
        problems.append(FieldError("body.valid_to", "It ends before it begins.", "Ngày kết thúc trước ngày bắt đầu."))
    if entry.successors and entry.valid_to is None:
        message = "Who has successors has a last day."
        problems.append(FieldError("body.valid_to", message, "Có cơ quan kế thừa thì phải có ngày kết thúc."))
    return problems


def _circles(entry: AgencyEntry, known: dict[str, AgencyEntry]) -> list[FieldError]:
    """Return a problem when following the successors leads back to the agency."""
    ways, seen = list(entry.successors), set()
    while ways:
        code = ways.pop()
        if code == entry.code:
            message = "Its successors lead back to the agency itself."
            return [FieldError("body.successors", message, "Các cơ quan kế thừa dẫn ngược về chính cơ quan này.")]
        if code not in seen and code in known:
            seen.add(code)
            ways.extend(known[code].successors)
    return []


async def _store(work: Work, entry: AgencyEntry) -> None:
    """Write what people decided; the digest of what was brought in stays, so that no later start undoes it."""
    revision = await next_revision(work)
    before = await work.session.scalar(select(Agency.digest).where(Agency.code == entry.code))
    await write_agencies(work, [entry], revision=revision)
    if before is not None:
        await work.session.execute(update(Agency).where(Agency.code == entry.code).values(digest=before))
