"""What the gateway reads."""

from gateway.queries.clients import (
    CREDENTIALS_MAX,
    Ending,
    find_client,
    from_text_cursor,
    get_client,
    list_client_changes,
    list_clients,
    list_endings,
    list_grants,
    list_keys,
    list_live_keys,
    list_live_secrets,
    list_secrets,
    lock_client,
    text_cursor,
)
from gateway.queries.dossiers import find_view, get_view, list_event_ids, list_timeline, lock_views
from gateway.queries.feed import from_cursor, last_position, list_changes, to_cursor
from gateway.queries.pages import PAGE_MAX
from gateway.queries.portal import Owed, count_owed, list_debts, list_stuck, portal_lag
from gateway.queries.transactions import list_transaction_days, list_transactions

__all__ = [
    "CREDENTIALS_MAX",
    "PAGE_MAX",
    "Ending",
    "Owed",
    "count_owed",
    "find_client",
    "find_view",
    "from_cursor",
    "from_text_cursor",
    "get_client",
    "get_view",
    "last_position",
    "list_changes",
    "list_client_changes",
    "list_clients",
    "list_debts",
    "list_endings",
    "list_event_ids",
    "list_grants",
    "list_keys",
    "list_live_keys",
    "list_live_secrets",
    "list_secrets",
    "list_stuck",
    "list_timeline",
    "list_transaction_days",
    "list_transactions",
    "lock_client",
    "lock_views",
    "portal_lag",
    "text_cursor",
    "to_cursor",
]
