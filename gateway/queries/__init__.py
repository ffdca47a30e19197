"""What the gateway reads."""

from gateway.queries.clients import find_client
from gateway.queries.data_services import (
    count_outcomes,
    find_version,
    get_data_service,
    get_rerun,
    list_all_data_services,
    list_data_service_changes,
    list_data_services,
    list_failures,
    list_kept_calls,
    list_rerun_calls,
    list_reruns,
    list_versions,
    list_versions_by_name,
    list_windows,
    lock_data_service,
)
from gateway.queries.dossiers import find_view, get_view, list_event_ids, list_timeline, lock_views
from gateway.queries.feed import from_cursor, last_position, list_changes, to_cursor
from gateway.queries.pages import PAGE_MAX
from gateway.queries.portal import Owed, count_owed, list_debts, list_stuck, portal_lag
from gateway.queries.transactions import list_transaction_days, list_transactions

__all__ = [
    "PAGE_MAX",
    "Owed",
    "count_outcomes",
    "count_owed",
    "find_client",
    "find_version",
    "find_view",
    "from_cursor",
    "get_data_service",
    "get_rerun",
    "get_view",
    "last_position",
    "list_all_data_services",
    "list_changes",
    "list_data_service_changes",
    "list_data_services",
    "list_debts",
    "list_event_ids",
    "list_failures",
    "list_kept_calls",
    "list_rerun_calls",
    "list_reruns",
    "list_stuck",
    "list_timeline",
    "list_transaction_days",
    "list_transactions",
    "list_versions",
    "list_versions_by_name",
    "list_windows",
    "lock_data_service",
    "lock_views",
    "portal_lag",
    "to_cursor",
]
