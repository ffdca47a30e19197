"""What can be done: slices of cases are kept, results drafted, issued, returned, superseded, revoked, read."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.results import queries
from services.results.errors import (
    CaseWithdrawn,
    IssuedInFuture,
    NumberTaken,
    SupersedingNotValid,
)
from services.results.models import CaseSlice, DocumentAccess, Result
from services.results.states import RESULT, CaseState, Origin, Validity
from shared.clock import VN
from shared.errors import CauseMissing
from shared.events.results import ResultDrafted, ResultIssued, ResultRevoked, ResultSuperseded
from shared.events.values import Channel, Party
from shared.ids import new_id
from shared.work import Work

CLOCK_SKEW = timedelta(minutes=1)
"""How far another system's clock may be ahead of ours."""


def open_case(
    work: Work,
    *,
    dossier_code: str,
    agency_code: str,
    procedure_code: str,
    channel: Channel,
    owner: Party,
    fee_announced: bool,
) -> CaseSlice:
    """Keep what results needs of an accepted dossier; fee_announced: something is to be paid on return."""
    case = CaseSlice(
        dossier_code=dossier_code,
        agency_code=agency_code,
        procedure_code=procedure_code,
        owner=owner.model_dump(mode="json"),
        channel=channel,
        state=CaseState.ACCEPTED,
        completed_event_id=None,
        fee_announced=fee_announced,
        fees_due_vnd={},
    )
    work.session.add(case)
    queries.known_cases(work.session)[dossier_code] = case
    return case


def complete_case(work: Work, *, dossier_code: str, event_id: UUID) -> None:
    """Let the case's results be returned; event_id is the fact that it was completed. Raises CauseMissing."""
    case = _known_case(work, dossier_code)
    case.state = CaseState.COMPLETED
    case.completed_event_id = event_id


def withdraw_case(work: Work, *, dossier_code: str) -> None:
    """Let nothing be drafted or issued for the case any more; its drafts stay drafts. Raises CauseMissing."""
    case = _known_case(work, dossier_code)
    case.state = CaseState.WITHDRAWN


def owe_fee(work: Work, *, dossier_code: str, fee_id: UUID, amount_vnd: int) -> None:
    """Hold the case's results back until a fee on return, in whole đồng, is settled. Raises CauseMissing."""
    case = _known_case(work, dossier_code)
    case.fee_announced = False
    case.fees_due_vnd = {**case.fees_due_vnd, str(fee_id): amount_vnd}


def settle_fee(work: Work, *, dossier_code: str, fee_id: UUID) -> None:
    """Stop holding results back for a fee that was paid, waived or cancelled. Raises CauseMissing."""
    case = _known_case(work, dossier_code)
    if str(fee_id) not in case.fees_due_vnd:
        raise CauseMissing(f"fee {fee_id} is not known to be due")
    case.fees_due_vnd = {other: amount for other, amount in case.fees_due_vnd.items() if other != str(fee_id)}


async def draft_result(
    work: Work,
    *,
    dossier_code: str,
    kind_code: str,
    kind_name: str,
    media_type: str,
    sha256: str,
    size_bytes: int,
    origin: Origin = Origin.DIGITAL,
    signatures: list[dict[str, Any]] | None = None,
    supersedes: UUID | None = None,
) -> Result:
    """Put a result into the archive; its document is there already, checked and durable under its SHA-256.

    supersedes names the version whose place it will take when it is issued.
    Emits results.result.drafted.v1. Raises DossierNotFound, CaseWithdrawn, ResultNotFound, SupersedingNotValid.
    """
    case = await queries.lock_case(work.session, work.caller, dossier_code=dossier_code)
    _refuse_withdrawn(case)
    result = Result(
        id=new_id(),
        dossier_code=dossier_code,
        agency_code=case.agency_code,
        kind_code=kind_code,
        kind_name=kind_name,
        media_type=media_type,
        sha256=sha256,
        size_bytes=size_bytes,
        origin=origin,
        signatures=signatures or [],
        owner_name=case.owner.get("name"),
        owner_id_number=case.owner.get("id_number"),
        version=1,
        supersedes=supersedes,
        drafted_at=work.now,
    )
    if supersedes:
        older = await queries.get_result(work.session, work.caller, result_id=supersedes)
        _check_replaces(work, result, older)
        result.version = older.version + 1
    work.session.add(result)
    drafted = ResultDrafted(result_id=result.id, kind_code=kind_code, sha256=sha256, size_bytes=size_bytes)
    return work.move(result, RESULT, "draft", drafted)


async def issue_result(
    work: Work,
    *,
    result_id: UUID,
    number: str,
    issued_by: str,
    issued_at: datetime | None = None,
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> Result:
    """Make a draft valid under its number; issued_at is now unless it was earlier on paper, valid_until its last day.

    A draft that supersedes an older version takes its place. Emits results.result.issued.v1, and for the older one
    results.result.superseded.v1. Raises ResultNotFound, IllegalMove, CaseWithdrawn, IssuedInFuture, NumberTaken,
    SupersedingNotValid.
    """
    result, case = await queries.lock_result(work.session, work.caller, result_id=result_id)
    _refuse_withdrawn(case)
    at = issued_at.astimezone(UTC) if issued_at else work.now
    if at > work.now + CLOCK_SKEW:
        raise IssuedInFuture(issued_at=at)
    result.number, result.issued_by, result.issued_at = number, issued_by, at
    result.valid_from, result.valid_until = valid_from, valid_until
    issued = ResultIssued(
        result_id=result.id,
        number=number,
        kind_code=result.kind_code,
        kind_name=result.kind_name,
        agency_code=result.agency_code,
        media_type=result.media_type,
        size_bytes=result.size_bytes,
        sha256=result.sha256,
        issued_by=issued_by,
        issued_at=at,
    )
    work.move(result, RESULT, "issue", issued)
    if result.supersedes:
        await _take_place(work, result, result.supersedes)
    try:
        await work.session.flush()
    except IntegrityError as problem:
        if "supersedes" in str(problem.orig):
            raise SupersedingNotValid("Another version has taken its place already.") from problem
        raise NumberTaken(number=number, kind_code=issued.kind_code) from problem
    return result


async def _take_place(work: Work, newer: Result, older_id: UUID) -> None:
    older = await queries.get_result(work.session, work.caller, result_id=older_id)
    _check_replaces(work, newer, older)
    _end_for(work, older, newer.id, f"Thay bằng phiên bản {newer.version}")


def _check_replaces(work: Work, newer: Result, older: Result) -> None:
    """Refuse a version that is of another kind or agency, or of one that is no longer in force."""
    same = (newer.agency_code, newer.kind_code) == (older.agency_code, older.kind_code)
    if not same or older.validity(today(work)) not in _IN_FORCE:
        raise SupersedingNotValid(supersedes=older.id)


_IN_FORCE = {Validity.VALID, Validity.EXPIRED, Validity.NOT_YET_VALID}
"""What a new version may replace: a renewal comes after the end of what it renews, too."""


def today(work: Work) -> date:
    """Return the day it is in Vietnam."""
    return work.now.astimezone(VN).date()


async def supersede_result(work: Work, *, result_id: UUID, superseded_by: UUID, reason: str) -> Result:
    """Let a newer valid result of the same kind and agency take this one's place.

    Emits results.result.superseded.v1. Raises ResultNotFound (either of them), IllegalMove, SupersedingNotValid.
    """
    await queries.lock_cases_of(work.session, result_id, superseded_by)
    result = await queries.get_result(work.session, work.caller, result_id=result_id)
    newer = await queries.get_result(work.session, work.caller, result_id=superseded_by)
    same = (newer.agency_code, newer.kind_code) == (result.agency_code, result.kind_code)
    if newer.id == result.id or newer.validity(today(work)) is not Validity.VALID or not same:
        raise SupersedingNotValid(superseded_by=superseded_by)
    return _end_for(work, result, superseded_by, reason)


def _end_for(work: Work, result: Result, superseded_by: UUID, reason: str) -> Result:
    result.superseded_by, result.ended_at, result.end_reason = superseded_by, work.now, reason
    superseded = ResultSuperseded(
        result_id=result.id, superseded_by=superseded_by, reason=reason, superseded_at=work.now
    )
    return work.move(result, RESULT, "supersede", superseded)


async def revoke_result(work: Work, *, result_id: UUID, reason: str) -> Result:
    """End a result's validity.

    Emits results.result.revoked.v1. Raises ResultNotFound, IllegalMove.
    """
    result, _ = await queries.lock_result(work.session, work.caller, result_id=result_id)
    result.ended_at, result.end_reason = work.now, reason
    return work.move(result, RESULT, "revoke", ResultRevoked(result_id=result.id, reason=reason, revoked_at=work.now))


def record_reading(
    work: Work,
    *,
    result_id: UUID,
    purpose: str,
    via: str = "download",
    dossier_code: str | None = None,
    consent_id: UUID | None = None,
) -> None:
    """Keep who reads a document, why, by what right and for which dossier."""
    work.session.add(
        DocumentAccess(
            result_id=result_id,
            client_id=work.caller.client_id,
            agency_code=work.caller.agency,
            purpose=purpose,
            via=via,
            dossier_code=dossier_code,
            consent_id=consent_id,
            read_at=work.now,
        )
    )


def _known_case(work: Work, dossier_code: str) -> CaseSlice:
    case = queries.known_cases(work.session).get(dossier_code)
    if case is None:
        raise CauseMissing(f"{dossier_code} is not known to be accepted")
    return case


def _refuse_withdrawn(case: CaseSlice) -> None:
    if case.state == CaseState.WITHDRAWN:
        raise CaseWithdrawn(dossier_code=case.dossier_code)
