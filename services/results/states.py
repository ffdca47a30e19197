"""The lifecycle of a result, and what a case must be for its results to move."""

from enum import StrEnum

from shared.events.results import ResultDrafted, ResultIssued, ResultReturned, ResultRevoked, ResultSuperseded
from shared.states import Edge, Lifecycle


class ResultStatus(StrEnum):
    """Where a result stands."""

    DRAFT = "draft"
    ISSUED = "issued"
    RETURNED = "returned"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


class Validity(StrEnum):
    """What the public check answers."""

    VALID = "valid"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


VALIDITY = {
    ResultStatus.DRAFT: Validity.UNKNOWN,
    ResultStatus.ISSUED: Validity.VALID,
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
        Edge("supersede", ResultStatus.ISSUED, ResultStatus.SUPERSEDED, ResultSuperseded),
        Edge("supersede", ResultStatus.RETURNED, ResultStatus.SUPERSEDED, ResultSuperseded),
        Edge("revoke", ResultStatus.ISSUED, ResultStatus.REVOKED, ResultRevoked),
        Edge("revoke", ResultStatus.RETURNED, ResultStatus.REVOKED, ResultRevoked),
    ],
)


class CaseState(StrEnum):
    """What results has heard of a case; workflow owns its lifecycle."""

    ACCEPTED = "accepted"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
