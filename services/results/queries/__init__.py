"""What results reads: cases, results, the public check."""

from services.results.queries.archive import (
    MATCHES_MAX,
    get_result,
    known_cases,
    list_issued,
    list_results,
    lock_case,
    lock_cases,
    lock_cases_of,
    lock_result,
    preload_cases,
)

__all__ = [
    "MATCHES_MAX",
    "get_result",
    "known_cases",
    "list_issued",
    "list_results",
    "lock_case",
    "lock_cases",
    "lock_cases_of",
    "lock_result",
    "preload_cases",
]
