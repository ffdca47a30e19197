"""How results reach their owners: at the counter, online, by post; for the first time and again."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.results import queries
from services.results.errors import (
    CaseNotCompleted,
    FeeOutstanding,
    GrantNotFound,
    NotInPost,
    NotReturnedYet,
    ReceiverDiffers,
    TrackingNumberTaken,
)
from services.results.models import CaseSlice, HandOver, Result
from services.results.operations.archive import CLOCK_SKEW
from services.results.states import (
    RESULT,
    CaseState,
    IdentityDocument,
    Outcome,
    PostalService,
    Relation,
    ResultStatus,
)
from shared.events.results import DeliveryFailed, ResultDispatched, ResultReissued, ResultReturned
from shared.events.values import Channel, ReturnMethod
from shared.ids import new_id
from shared.work import Work

GRANT_BYTES = 20
LAST_DIGITS_MIN = 4


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who stood at the counter, and how the official knew."""

    name: str
    relation: Relation
    document_kind: IdentityDocument
    document_number: str
    """The whole number, or its last digits (at least LAST_DIGITS_MIN)."""
    checked_by: str


@dataclass(frozen=True, slots=True)
class HandingOver:
    """How a result is handed over, by whom, to whom."""

    method: ReturnMethod
    by: str
    receiver: Receiver | None = None
    """At the counter."""
    tracking_number: str | None = None
    """By post."""
    grant_until: datetime | None = None
    """Online: until when it can be downloaded."""
    reason: str | None = None
    """Why it is handed over again."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A result on its way or handed over; the grant is told this once."""

    result: Result
    hand_over: HandOver
    grant: str | None = None


async def return_result(work: Work, *, result_id: UUID, how: HandingOver) -> Handed:
    """Hand an issued result to its owner, once the case is completed and the fees on return are settled.

    At the counter and online it is returned with this; by post only when the post has delivered it (decision 0022).
    Emits results.result.returned.v1 or results.result.dispatched.v1, never seen before the case's completion. Raises
    ResultNotFound, IllegalMove, CaseNotCompleted, FeeOutstanding, ReceiverDiffers, TrackingNumberTaken.
    """
    result, case = await queries.lock_result(work.session, work.caller, result_id=result_id)
    RESULT.edge(ResultStatus(result.status), "dispatch" if how.method is ReturnMethod.POSTAL else "return")
    completed = _completed(case)
    handed = await _begin(work, result, case, how, reissue=False)
    if how.method is not ReturnMethod.POSTAL:
        _returned(work, result, handed.hand_over, "return", completed)
        return handed
    dispatched = ResultDispatched(
        result_id=result.id,
        number=str(result.number),
        tracking_number=str(how.tracking_number),
        postal_service=str(handed.hand_over.postal_service),
        dispatched_at=work.now,
        dispatched_by=how.by,
    )
    work.move(result, RESULT, "dispatch", dispatched, cause=completed)
    result.tracking_number = how.tracking_number
    return handed


async def reissue_result(work: Work, *, result_id: UUID, how: HandingOver) -> Handed:
    """Hand a returned result over once more: lost, damaged, wanted in another form.

    Emits results.result.reissued.v1 (by post: when it is delivered). Raises ResultNotFound, NotReturnedYet,
    ReceiverDiffers, TrackingNumberTaken.
    """
    result, case = await queries.lock_result(work.session, work.caller, result_id=result_id)
    under_way = await queries.find_hand_over_under_way(work.session, result_id=result_id)
    if result.status != ResultStatus.RETURNED or under_way is not None:
        raise NotReturnedYet(status_now=result.status)
    handed = await _begin(work, result, case, how, reissue=True)
    if how.method is not ReturnMethod.POSTAL:
        _tell_reissued(work, result, handed.hand_over)
    return handed


async def conclude_delivery(work: Work, *, result_id: UUID, delivered_at: datetime | None) -> Result:
    """Take the post's word that the owner has the result; delivered_at is now unless it was earlier.

    Emits results.result.returned.v1, or results.result.reissued.v1 for a later copy. Raises ResultNotFound, NotInPost.
    """
    result, case = await queries.lock_result(work.session, work.caller, result_id=result_id)
    hand_over = await _under_way(work, result)
    hand_over.outcome = Outcome.DONE
    hand_over.concluded_at = _past(work, delivered_at, hand_over.started_at)
    if hand_over.reissue:
        _tell_reissued(work, result, hand_over)
        return result
    _returned(work, result, hand_over, "deliver", _completed(case))
    return result


async def fail_delivery(work: Work, *, result_id: UUID, reason: str, failed_at: datetime | None) -> Result:
    """Take an undelivered result back from the post; it can be handed over in any way again.

    Emits results.delivery.failed.v1 for a first return. Raises ResultNotFound, NotInPost.
    """
    result, _ = await queries.lock_result(work.session, work.caller, result_id=result_id)
    hand_over = await _under_way(work, result)
    hand_over.outcome, hand_over.failure = Outcome.FAILED, reason
    hand_over.concluded_at = at = _past(work, failed_at, hand_over.started_at)
    failed = DeliveryFailed(
        result_id=result.id,
        tracking_number=str(hand_over.tracking_number),
        reason=reason,
        failed_at=at,
    )
    if hand_over.reissue:
        work.emit(failed, subject=result.dossier_code)
        return result
    return work.move(result, RESULT, "fail_delivery", failed)


async def use_grant(work: Work, *, grant: str) -> Result:
    """Return the result that a grant lets its owner download, and count the download. Raises GrantNotFound."""
    hand_over = await queries.lock_granted(work.session, grant_sha256=hashed(grant))
    if hand_over is None or hand_over.grant_until is None or hand_over.grant_until < work.now:
        raise GrantNotFound
    hand_over.downloads += 1
    hand_over.downloaded_at = hand_over.downloaded_at or work.now
    result = await work.session.get_one(Result, hand_over.result_id)
    if result.status != ResultStatus.RETURNED:
        raise GrantNotFound
    return result


def hashed(grant: str) -> str:
    """Return what is kept of a grant."""
    return hashlib.sha256(grant.encode()).hexdigest()


def _completed(case: CaseSlice) -> UUID:
    if case.state != CaseState.COMPLETED or case.completed_event_id is None:
        raise CaseNotCompleted(dossier_code=case.dossier_code, case_state=case.state)
    if case.fee_outstanding:
        raise FeeOutstanding(dossier_code=case.dossier_code, due_vnd=sum(case.fees_due_vnd.values()))
    return case.completed_event_id


async def _begin(work: Work, result: Result, case: CaseSlice, how: HandingOver, *, reissue: bool) -> Handed:
    postal = how.method is ReturnMethod.POSTAL
    hand_over = HandOver(
        id=new_id(),
        result_id=result.id,
        nth=await queries.count_hand_overs(work.session, result_id=result.id) + 1,
        reissue=reissue,
        reason=how.reason,
        method=how.method,
        outcome=Outcome.UNDER_WAY if postal else Outcome.DONE,
        started_at=work.now,
        started_by=how.by,
        concluded_at=None if postal else work.now,
        tracking_number=how.tracking_number,
        downloads=0,
    )
    if postal:
        came_by_post = case.channel == Channel.POSTAL
        hand_over.postal_service = PostalService.TWO_WAY if came_by_post else PostalService.ONE_WAY
    if how.receiver:
        _identify(hand_over, how.receiver, case)
    grant = None
    if how.method is ReturnMethod.ONLINE:
        grant = secrets.token_urlsafe(GRANT_BYTES)
        hand_over.grant_sha256, hand_over.grant_until = hashed(grant), how.grant_until
    work.session.add(hand_over)
    try:
        await work.session.flush()
    except IntegrityError as problem:
        raise TrackingNumberTaken(tracking_number=how.tracking_number) from problem
    return Handed(result, hand_over, grant)


def _identify(hand_over: HandOver, receiver: Receiver, case: CaseSlice) -> None:
    """Keep how somebody was identified; refuse who says to be the owner with another's document."""
    known = case.owner.get("id_number") or ""
    shown = receiver.document_number
    is_number_of_owner = receiver.document_kind.value == (case.owner.get("id_kind") or "cccd")
    if receiver.relation is Relation.OWNER and known and is_number_of_owner and not known.endswith(shown):
        raise ReceiverDiffers("The number shown is not the owner's: ask for an authorisation, or check the document.")
    hand_over.receiver_name, hand_over.receiver_relation = receiver.name, receiver.relation
    hand_over.document_kind, hand_over.checked_by = receiver.document_kind, receiver.checked_by
    hand_over.document_last_digits = shown[-LAST_DIGITS_MIN:]
    if len(shown) > LAST_DIGITS_MIN:
        hand_over.document_number_hash = hashlib.sha256(f"{hand_over.id}{shown}".encode()).hexdigest()


def _returned(work: Work, result: Result, hand_over: HandOver, action: str, cause: UUID) -> None:
    at = hand_over.concluded_at or work.now
    method = ReturnMethod(hand_over.method)
    result.return_method, result.returned_by, result.returned_at = method, hand_over.started_by, at
    result.receiver_id_checked = hand_over.document_kind is not None
    result.tracking_number = hand_over.tracking_number
    returned = ResultReturned(
        result_id=result.id,
        number=str(result.number),
        method=method,
        returned_at=at,
        returned_by=hand_over.started_by,
        tracking_number=hand_over.tracking_number,
    )
    work.move(result, RESULT, action, returned, cause=cause)


def _tell_reissued(work: Work, result: Result, hand_over: HandOver) -> None:
    reissued = ResultReissued(
        result_id=result.id,
        number=str(result.number),
        nth=hand_over.nth,
        method=ReturnMethod(hand_over.method),
        reissued_at=hand_over.concluded_at or work.now,
        reissued_by=hand_over.started_by,
        reason=str(hand_over.reason),
    )
    work.emit(reissued, subject=result.dossier_code)


async def _under_way(work: Work, result: Result) -> HandOver:
    found = await queries.find_hand_over_under_way(work.session, result_id=result.id)
    if found is None:
        raise NotInPost(status_now=result.status)
    return found


def _past(work: Work, at: datetime | None, started_at: datetime) -> datetime:
    """Return a moment that another system tells, within what can be: not before it began, not in the future."""
    return max(started_at, min(at or work.now, work.now + CLOCK_SKEW))
