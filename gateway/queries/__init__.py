"""What the gateway reads."""

from gateway.queries.clients import find_client
from gateway.queries.dossiers import find_view, get_view, list_event_ids, list_timeline, lock_views
from gateway.queries.feed import from_cursor, last_position, list_changes, to_cursor
from gateway.queries.pages import PAGE_MAX
from gateway.queries.portal import Owed, count_owed, list_debts, list_stuck, portal_lag
from gateway.queries.transactions import (
    CallSum,
    CauseSum,
    LogState,
    Wanted,
    list_transactions,
    log_state,
    sum_causes,
    sum_transactions,
)

__all__ = [
    "PAGE_MAX",
    "CallSum",
    "CauseSum",
    "LogState",
    "Owed",
    "Wanted",
    "count_owed",
    "find_client",
    "find_view",
    "from_cursor",
    "get_view",
    "last_position",
    "list_changes",
    "list_debts",
    "list_event_ids",
    "list_stuck",
    "list_timeline",
    "list_transactions",
    "lock_views",
    "log_state",
    "portal_lag",
    "sum_causes",
    "sum_transactions",
    "to_cursor",
]
