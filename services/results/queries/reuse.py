"""What results reads to let a result stand for a paper, and how often that happens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from services.results.errors import ConsentNotFound
from services.results.models import Consent, DigitisedResult, DocumentAccess, DossierPapers, Result
from services.results.queries.backlog import find_digitised, list_digitised_of
from services.results.states import ResultStatus, Validity
from shared.caller import Caller

FOUND_MAX = 50


@dataclass(frozen=True, slots=True)
class Reusable:
    """A result, of this system or scanned from paper, as one that might stand for a paper."""

    id: UUID
    number: str
    kind_code: str
    kind_name: str
    agency_code: str
    owner_id_number: str | None
    validity: Validity
    certified: bool
    """Somebody trusted signed it: a mere picture of a paper has no force of its own."""
    issued_on: date
    valid_until: date | None
    sha256: str
    size_bytes: int
    media_type: str
    digitised: bool
    """Scanned from paper; it has no dossier here."""


def of_result(one: Result, day: date) -> Reusable:
    """Return a result of this system as it stands on a day."""
    issued = one.issued_at or one.drafted_at
    return Reusable(
        id=one.id,
        number=one.number or "",
        kind_code=one.kind_code,
        kind_name=one.kind_name,
        agency_code=one.agency_code,
        owner_id_number=one.owner_id_number,
        validity=one.validity(day),
        certified=bool(one.signatures),
        issued_on=issued.date(),
        valid_until=one.valid_until,
        sha256=one.sha256,
        size_bytes=one.size_bytes,
        media_type=one.media_type,
        digitised=False,
    )


def of_scan(one: DigitisedResult, day: date) -> Reusable:
    """Return a scan as it stands on a day."""
    ended = Validity.REVOKED if one.ended_at else Validity.EXPIRED
    return Reusable(
        id=one.id,
        number=one.number,
        kind_code=one.kind_code,
        kind_name=one.kind_name,
        agency_code=one.agency_code,
        owner_id_number=one.identity_number,
        validity=Validity.VALID if one.valid_on(day) else ended,
        certified=one.signature == "valid",
        issued_on=one.issued_on,
        valid_until=one.valid_until,
        sha256=one.sha256,
        size_bytes=one.size_bytes,
        media_type=one.media_type,
        digitised=True,
    )


async def find_reusable(session: AsyncSession, *, result_id: UUID, day: date) -> Reusable | None:
    """Return an issued result or a scan, whoever asks."""
    found = await session.get(Result, result_id)
    if found is not None:
        return None if found.status == ResultStatus.DRAFT else of_result(found, day)
    scan = await find_digitised(session, result_id=result_id)
    return of_scan(scan, day) if scan else None


async def list_reusable(
    session: AsyncSession, *, owner_id_number: str, kind_codes: Sequence[str], day: date
) -> list[Reusable]:
    """Return the results of an owner that are valid on a day, newest first; of these kinds, or of any."""
    query = select(Result).where(Result.owner_id_number == owner_id_number, Result.status.in_(_IN_FORCE))
    if kind_codes:
        query = query.where(Result.kind_code.in_(kind_codes))
    own = (await session.scalars(query.order_by(Result.id.desc()).limit(FOUND_MAX))).all()
    scans: list[DigitisedResult] = []
    for kind_code in kind_codes or (None,):
        scans += await list_digitised_of(session, identity_number=owner_id_number, kind_code=kind_code, on=day)
    found = [*(of_result(one, day) for one in own), *(of_scan(one, day) for one in scans)]
    valid = [one for one in found if one.validity is Validity.VALID]
    return sorted(valid, key=lambda one: one.issued_on, reverse=True)[:FOUND_MAX]


_IN_FORCE = (ResultStatus.ISSUED, ResultStatus.IN_POST, ResultStatus.RETURNED)


async def get_consent(
    session: AsyncSession, caller: Caller, *, consent_id: UUID, result_id: UUID, now: datetime
) -> Consent:
    """Return the caller's own consent if it covers a result now. Raises ConsentNotFound."""
    found = await session.get(Consent, consent_id)
    covers = found is not None and str(result_id) in found.result_ids and found.valid_until >= now
    if found is None or not covers or found.client_id != caller.client_id:
        raise ConsentNotFound(consent_id=consent_id)
    return found


@dataclass(frozen=True, slots=True)
class ReuseCounts:
    """Dossiers of a window, by how their papers came."""

    dossiers: int
    reused: int
    """With at least one paper that an earlier result stands for."""
    fully_digitised: int
    """Every paper is a file or an earlier result, and a result was issued."""
    fully_digitised_reused: int


async def count_reuse(
    session: AsyncSession, caller: Caller, *, since: datetime, until: datetime, agency_code: str | None
) -> ReuseCounts:
    """Count the dossiers submitted from `since` to before `until`, of an agency the caller may see and those below."""
    row = DossierPapers
    issued = exists().where(Result.dossier_code == row.dossier_code, Result.status != ResultStatus.DRAFT)
    reused = row.reused > 0
    complete = (row.papers > 0) & (row.digitised + row.reused >= row.papers) & issued
    scope = agency_code or caller.agency or ""
    query = select(
        func.count(),
        func.count().filter(reused),
        func.count().filter(complete),
        func.count().filter(complete & reused),
    ).where(row.submitted_at >= since, row.submitted_at < until, _below(row.agency_code, scope))
    if not caller.may_see(scope):
        return ReuseCounts(0, 0, 0, 0)
    return ReuseCounts(*(await session.execute(query)).one())


async def list_accesses(
    session: AsyncSession,
    *,
    result_id: UUID | None,
    client_id: str | None,
    agency: str,
    since: datetime | None,
    before: int | None,
    limit: int,
) -> Sequence[tuple[DocumentAccess, Result]]:
    """Return who read the documents of an agency and those below it, newest first, older than `before`."""
    query = select(DocumentAccess, Result).join(Result, Result.id == DocumentAccess.result_id)
    query = query.where(_below(Result.agency_code, agency)).order_by(DocumentAccess.id.desc()).limit(limit)
    if result_id:
        query = query.where(DocumentAccess.result_id == result_id)
    if client_id:
        query = query.where(DocumentAccess.client_id == client_id)
    if since:
        query = query.where(DocumentAccess.read_at >= since)
    if before:
        query = query.where(DocumentAccess.id < before)
    return [(access, result) for access, result in (await session.execute(query)).all()]


async def load_claimed(session: AsyncSession, result_ids: Iterable[UUID]) -> None:
    """Bring the results that claims name into the session, in two statements, so that judging them costs none."""
    wanted = list(result_ids)
    found = [
        *(await session.scalars(select(Result).where(Result.id.in_(wanted)))),
        *(await session.scalars(select(DigitisedResult).where(DigitisedResult.id.in_(wanted)))),
    ]
    # The session forgets what nobody holds.
    session.info["claimed"] = found


def _below(column: Mapped[str], agency: str) -> ColumnElement[bool]:
    return or_(column == agency, column.startswith(f"{agency}.", autoescape=True))
