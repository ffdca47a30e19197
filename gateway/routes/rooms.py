"""Which calls may bring files, which only pass through, which wait for news: what the guard at the door must know."""

import re

from gateway.upstream import owner_of
from shared.guard import Room

PREFIX = "/api/v1/"
FILES = (
    "POST /api/v1/documents",
    "PUT /api/v1/uploads/{upload_id}/pieces/{start_byte}",
    "POST /api/v1/bank-statements",
    "POST /api/v1/reconciliations/statements",
    "POST /api/v1/results",
    "POST /api/v1/verify",
    "POST /api/v1/processes/bpmn",
)
"""A test compares them with what the services say of themselves."""
PATIENT = re.compile(r"/api/v1/sync/changes\?(?:.*&)?wait_s=")
DATA_PLANE = "data-services"


def data_plane() -> Room:
    """Return the room of calls to registered data services, which are passed on as they come, by their own limits."""
    methods = frozenset({"POST", "PUT", "PATCH", "DELETE"})
    return Room(methods, re.compile(rf"{PREFIX}{DATA_PLANE}/.+"), file=False)


def part_of(path: str) -> str:
    """Return the part behind the door that a path leads to: a service, or a data service by its code."""
    rest = path.removeprefix(PREFIX)
    first, _, more = rest.partition("/")
    if first == DATA_PLANE:
        return f"{DATA_PLANE}/{more.partition('/')[0]}"
    return owner_of(rest) or "gateway"
