"""Addresses of data services: `/api/v1/data-services/{code}/{version?}/…`."""

from dataclasses import dataclass

from starlette.types import Scope

from gateway.data_services.contract import OWN_PART, VERSION
from gateway.operations.data_services.naming import RESERVED

PREFIX = "/api/v1/data-services/"


@dataclass(frozen=True, slots=True)
class Address:
    """What a call is for."""

    code: str
    version: str | None
    """None: the newest active one."""
    path: str
    """Below the version, with its slash, percent-encoded as it came."""
    safe: bool
    """Nothing in it climbs out or hides a slash."""


def address_in(scope: Scope) -> Address | None:
    """Return the data service's address in a request; None for what the registry answers itself."""
    raw = scope.get("raw_path") or scope["path"].encode()
    rest = raw.decode("latin-1").partition("?")[0].removeprefix(PREFIX)
    code, slash, path = rest.partition("/")
    if not slash or code in RESERVED:
        return None
    first, slash, below = path.partition("/")
    if first == OWN_PART:
        return None
    versioned = bool(VERSION.fullmatch(first))
    lowered = rest.lower()
    safe = not (
        any(bad in lowered for bad in ("..", "//", "\\", "%2f", "%2e", "%5c", "%00"))
        # Parameters of a part (RFC 3986 §3.3) are read differently by different servers.
        or ";" in rest
    )
    if versioned:
        return Address(code, first, f"/{below}", safe)
    return Address(code, None, f"/{path}", safe)
