"""What the gateway reads."""

from gateway.queries.catalogue import (
    count_without_detail,
    find_waiting_pull,
    get_diff,
    get_pull,
    last_pull_at,
    list_diffs,
    list_dismissed,
    list_items,
    list_open_diffs,
    list_pulls,
    list_without_detail,
)
from gateway.queries.clients import find_client
from gateway.queries.dossiers import find_view, get_view, list_event_ids, list_timeline, lock_views
from gateway.queries.feed import from_cursor, last_position, list_changes, to_cursor
from gateway.queries.pages import PAGE_MAX
from gateway.queries.portal import Owed, count_owed, list_debts, list_stuck, portal_lag
from gateway.queries.transactions import list_transaction_days, list_transactions

__all__ = [
    "PAGE_MAX",
    "Owed",
    "count_owed",
    "count_without_detail",
    "find_client",
    "find_view",
    "find_waiting_pull",
    "from_cursor",
    "get_diff",
    "get_pull",
    "get_view",
    "last_position",
    "last_pull_at",
    "list_changes",
    "list_debts",
    "list_diffs",
    "list_dismissed",
    "list_event_ids",
    "list_items",
    "list_open_diffs",
    "list_pulls",
    "list_stuck",
    "list_timeline",
    "list_transaction_days",
    "list_transactions",
    "list_without_detail",
    "lock_views",
    "portal_lag",
    "to_cursor",
]
