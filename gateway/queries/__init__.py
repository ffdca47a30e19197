"""What the gateway reads."""

from gateway.queries.clients import find_client
from gateway.queries.dossiers import find_view, get_view, list_event_ids, list_timeline, lock_views
from gateway.queries.feed import (
    Selection,
    from_cursor,
    from_snapshot_cursor,
    last_position,
    list_changes,
    list_snapshot,
    to_cursor,
    to_snapshot_cursor,
)
from gateway.queries.pages import PAGE_MAX
from gateway.queries.portal import Owed, count_owed, list_debts, list_stuck, portal_lag
from gateway.queries.transactions import list_transaction_days, list_transactions

__all__ = [
    "PAGE_MAX",
    "Owed",
    "Selection",
    "count_owed",
    "find_client",
    "find_view",
    "from_cursor",
    "from_snapshot_cursor",
    "get_view",
    "last_position",
    "list_changes",
    "list_debts",
    "list_event_ids",
    "list_snapshot",
    "list_stuck",
    "list_timeline",
    "list_transaction_days",
    "list_transactions",
    "lock_views",
    "portal_lag",
    "to_cursor",
    "to_snapshot_cursor",
]
