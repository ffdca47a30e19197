"""The lifecycle of a result, and what a case must be for its results to move."""

from enum import StrEnum

from shared.events.results import (
    DeliveryFailed,
    ResultDispatched,
    ResultDrafted,
    ResultIssued,
    ResultReturned,
    ResultRevoked,
    ResultSuperseded,
)
from shared.states import Edge, Lifecycle


class ResultStatus(StrEnum):
    """Where a result stands."""

    DRAFT = "draft"
    ISSUED = "issued"
    IN_POST = "in_post"
    RETURNED = "returned"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


class Validity(StrEnum):
    """What the public check answers."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


VALIDITY = {
    ResultStatus.DRAFT: Validity.UNKNOWN,
    ResultStatus.ISSUED: Validity.VALID,
    ResultStatus.IN_POST: Validity.VALID,
    ResultStatus.RETURNED: Validity.VALID,
    ResultStatus.SUPERSEDED: Validity.SUPERSEDED,
    ResultStatus.REVOKED: Validity.REVOKED,
}

RESULT = Lifecycle(
    "result",
    ResultStatus,
    [
        Edge("draft", None, ResultStatus.DRAFT, ResultDrafted),
        Edge("issue", ResultStatus.DRAFT, ResultStatus.ISSUED, ResultIssued),
        Edge("return", ResultStatus.ISSUED, ResultStatus.RETURNED, ResultReturned),
        Edge("dispatch", ResultStatus.ISSUED, ResultStatus.IN_POST, ResultDispatched),
        Edge("deliver", ResultStatus.IN_POST, ResultStatus.RETURNED, ResultReturned),
        Edge("fail_delivery", ResultStatus.IN_POST, ResultStatus.ISSUED, DeliveryFailed),
        Edge("supersede", ResultStatus.ISSUED, ResultStatus.SUPERSEDED, ResultSuperseded),
        Edge("supersede", ResultStatus.IN_POST, ResultStatus.SUPERSEDED, ResultSuperseded),
        Edge("supersede", ResultStatus.RETURNED, ResultStatus.SUPERSEDED, ResultSuperseded),
        Edge("revoke", ResultStatus.ISSUED, ResultStatus.REVOKED, ResultRevoked),
        Edge("revoke", ResultStatus.IN_POST, ResultStatus.REVOKED, ResultRevoked),
        Edge("revoke", ResultStatus.RETURNED, ResultStatus.REVOKED, ResultRevoked),
    ],
)


class CaseState(StrEnum):
    """What results has heard of a case; workflow owns its lifecycle."""

    ACCEPTED = "accepted"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


class Origin(StrEnum):
    """Where a document comes from."""

    DIGITAL = "digital"
    PAPER = "paper"


class SignaturePolicy(StrEnum):
    """What a PDF needs to be taken."""

    REQUIRED = "required"
    """At least one signature, and every one of them good and trusted."""
    VALIDATED = "validated"
    """It may be unsigned; what is signed must be good and trusted."""


class Outcome(StrEnum):
    """What became of a hand-over."""

    UNDER_WAY = "under_way"
    DONE = "done"
    FAILED = "failed"


class PostalService(StrEnum):
    """What the post does for the dossier (BCCI)."""

    ONE_WAY = "one_way"
    TWO_WAY = "two_way"


class Relation(StrEnum):
    """Who received a result."""

    OWNER = "owner"
    AUTHORISED = "authorised"


class IdentityDocument(StrEnum):
    """What was looked at to know who somebody is."""

    CCCD = "cccd"
    CMND = "cmnd"
    PASSPORT = "passport"
    VNEID = "vneid"
    BUSINESS_REGISTRATION = "business_registration"
