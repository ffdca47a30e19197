"""Which calls may bring more than a usual JSON body, and which of them together."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import compile_path

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Room:
    """Calls with a size of their own."""

    methods: frozenset[str]
    path: re.Pattern[str]
    bytes_max: int | None = None
    """None stands for the limit of a file, `body_bytes_max`."""
    whole: bool = False
    """Read as a whole and looked at as JSON; otherwise passed on as it comes."""
    file: bool = True
    """Among those of which only few may be in hand at once."""

    def holds(self, method: str, path: str) -> bool:
        """Tell whether a call is one of these."""
        return method in self.methods and self.path.fullmatch(path) is not None


def room_for_files(*methods_and_paths: str) -> list[Room]:
    """Return rooms for files, each written as "POST /documents/{id}"."""
    found = []
    for one in methods_and_paths:
        method, _, path = one.partition(" ")
        found.append(Room(frozenset({method}), _pattern(path)))
    return found


def rooms_of(routers: Sequence[APIRouter]) -> list[Room]:
    """Return the rooms that routes ask for: a body of another kind than JSON is a file, `roomy` names a size."""
    return [room for router in routers for room in _rooms(iter_route_contexts(router.routes))]


def _rooms(contexts: Iterable[Any]) -> Iterable[Room]:
    for context in contexts:
        route = context.original_route
        if not isinstance(route, APIRoute):
            continue
        kinds = ((context.openapi_extra or {}).get("requestBody") or {}).get("content") or {}
        methods, path = frozenset(context.methods or ()), _pattern(context.path)
        bytes_max = getattr(route.endpoint, "bytes_max", None)
        if bytes_max:
            yield Room(methods, path, bytes_max, whole=True, file=False)
        elif set(kinds) - {JSON, FORM}:
            yield Room(methods, path)


def _pattern(path: str) -> re.Pattern[str]:
    return compile_path(path)[0]
