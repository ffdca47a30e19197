"""What can be done: slices of cases are kept, results drafted, issued, returned, superseded, revoked, read."""

from services.results.operations.archive import (
    CLOCK_SKEW,
    complete_case,
    draft_result,
    issue_result,
    open_case,
    owe_fee,
    record_reading,
    return_result,
    revoke_result,
    settle_fee,
    supersede_result,
    withdraw_case,
)

__all__ = [
    "CLOCK_SKEW",
    "complete_case",
    "draft_result",
    "issue_result",
    "open_case",
    "owe_fee",
    "record_reading",
    "return_result",
    "revoke_result",
    "settle_fee",
    "supersede_result",
    "withdraw_case",
]
