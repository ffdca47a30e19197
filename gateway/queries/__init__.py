"""What the gateway reads."""

from gateway.queries.clients import find_client
from gateway.queries.dossiers import find_view, get_view, list_event_ids, list_timeline, lock_views
from gateway.queries.edocs import (
    Box,
    active_edoc_agencies,
    find_edoc_of,
    get_edoc,
    list_edoc_agencies,
    list_edocs,
    lock_recipients,
)
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
from gateway.queries.webhooks import (
    DeliveryFilter,
    count_owed_messages,
    count_subscriptions,
    finished_of,
    get_delivery,
    get_subscription,
    list_attempts,
    list_deliveries,
    list_subscriptions,
)

__all__ = [
    "PAGE_MAX",
    "Box",
    "DeliveryFilter",
    "Owed",
    "Selection",
    "active_edoc_agencies",
    "count_owed",
    "count_owed_messages",
    "count_subscriptions",
    "find_client",
    "find_edoc_of",
    "find_view",
    "finished_of",
    "from_cursor",
    "from_snapshot_cursor",
    "get_delivery",
    "get_edoc",
    "get_subscription",
    "get_view",
    "last_position",
    "list_attempts",
    "list_changes",
    "list_debts",
    "list_deliveries",
    "list_edoc_agencies",
    "list_edocs",
    "list_event_ids",
    "list_snapshot",
    "list_stuck",
    "list_subscriptions",
    "list_timeline",
    "list_transaction_days",
    "list_transactions",
    "lock_recipients",
    "lock_views",
    "portal_lag",
    "to_cursor",
    "to_snapshot_cursor",
]
