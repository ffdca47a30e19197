"""Facts that results tells: the signed outcome of a dossier and its way to the owner."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.events.envelope import EventData
from shared.events.values import ReturnMethod


class ResultDrafted(EventData):
    """A result's document was put into the archive, not yet issued."""

    event_type: ClassVar[str] = "results.result.drafted.v1"

    result_id: UUID
    kind_code: str
    sha256: str
    size_bytes: int


class ResultIssued(EventData):
    """The result is valid and can be verified."""

    event_type: ClassVar[str] = "results.result.issued.v1"

    result_id: UUID
    number: str
    """Số, ký hiệu of the document."""
    kind_code: str
    kind_name: str
    agency_code: str
    media_type: str
    size_bytes: int
    sha256: str
    issued_by: str
    issued_at: datetime


class ResultReturned(EventData):
    """The owner has the result."""

    event_type: ClassVar[str] = "results.result.returned.v1"

    result_id: UUID
    number: str
    method: ReturnMethod
    returned_at: datetime
    returned_by: str
    tracking_number: str | None = None
    """The post's number, when it went by post."""


class ResultDispatched(EventData):
    """The post has the result; the owner does not have it yet."""

    event_type: ClassVar[str] = "results.result.dispatched.v1"

    result_id: UUID
    number: str
    tracking_number: str
    postal_service: str
    """one_way: the post brings the result; two_way: it had brought the dossier, too (BCCI)."""
    dispatched_at: datetime
    dispatched_by: str


class DeliveryFailed(EventData):
    """The post brought the result back undelivered: it lies at the agency again."""

    event_type: ClassVar[str] = "results.delivery.failed.v1"

    result_id: UUID
    tracking_number: str
    reason: str
    failed_at: datetime


class ResultReissued(EventData):
    """The owner got a result once more, after the first return; the dossier had ended with that."""

    event_type: ClassVar[str] = "results.result.reissued.v1"

    result_id: UUID
    number: str
    nth: int
    """Which hand-over of this result it was."""
    method: ReturnMethod
    reissued_at: datetime
    reissued_by: str
    reason: str


class ResultSuperseded(EventData):
    """A newer result took this one's place."""

    event_type: ClassVar[str] = "results.result.superseded.v1"

    result_id: UUID
    superseded_by: UUID
    reason: str
    superseded_at: datetime


class ResultRevoked(EventData):
    """The result is no longer valid."""

    event_type: ClassVar[str] = "results.result.revoked.v1"

    result_id: UUID
    reason: str
    revoked_at: datetime


class ReuseConfirmed(EventData):
    """An earlier result stands for a paper of this dossier: it is its owner's, valid, and was read with consent.

    Intake's acceptance is caused by the last of these, so that nobody sees a dossier accepted with a paper missing.
    """

    event_type: ClassVar[str] = "results.reuse.confirmed.v1"

    document_id: UUID
    """The paper that the result stands for."""
    component_code: str
    result_id: UUID
    number: str
    """Số, ký hiệu of the result: MaKetQuaThayThe in the portal's words."""
    kind_code: str
    sha256: str
    confirmed_at: datetime


class ReuseRefused(EventData):
    """An earlier result cannot stand for a paper of this dossier: the applicant has to hand in the paper."""

    event_type: ClassVar[str] = "results.reuse.refused.v1"

    document_id: UUID
    component_code: str
    result_id: UUID
    reason: str
    """`result_not_found`, `owner_differs`, `owner_unknown`, `result_not_valid`, `result_expired` or
    `consent_missing`."""
    refused_at: datetime
