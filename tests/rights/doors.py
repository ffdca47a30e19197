"""Every endpoint there is, from the OpenAPI documents, with the scopes that open it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from fastapi import FastAPI

from deploy.docs.parts import PARTS
from gateway.upstream import PUBLIC as OPEN_AT_THE_DOOR
from gateway.upstream import PUBLIC_PATHS, owner_of

METHODS = ("get", "post", "put", "patch", "delete")
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
PREFIX = "/api/v1"

PUBLIC = re.compile(
    r"GET /health/(live|ready)|GET /metrics"
    r"|gateway: (POST /oauth/token|GET /api/v1/(openapi\.json|asyncapi\.json|conformance\.py))"
    r"|gateway: GET /\.well-known/(jwks\.json|oauth-(authorization-server|protected-resource))"
    r"|intake: GET /(procedures|agencies|fields|forms|submission-rules|tracking)(/\{\w+\})?"
    r"|results: (GET /granted|GET /verify/\{reference\}|POST /verify)"
    r"|payment: (GET /verify-receipt/\{check_code\}|(GET|POST) /payments/callbacks/(national|vnpay|vietqr))"
)
"""Everybody's: health, tokens, the catalogue, the check of a result or receipt; a provider's callback is signed."""

ANY_CLIENT = re.compile(r"gateway: GET /api/v1/data-services/(listMethods|allowedMethods|getOpenAPI)")
"""Needs a token and no scope: each client is told what it may call itself."""

BEHIND_A_GRANT = re.compile(r"gateway: \w+ /api/v1/data-services/edocs/.*")
"""A data service of our own: without a grant at it there is nothing (404), whatever the scopes."""

ONE_OF: Mapping[str, frozenset[str]] = {
    r"gateway: GET /api/v1/portal/catalogue/.*": frozenset({"ops:read", "catalogue:write"}),
    r"payment: GET /ledger/\w+": frozenset({"ledger:read", "ledger:write"}),
    r"payment: GET /(settlements|reconciliations)(/.*)?": frozenset({"ledger:read", "ledger:write"}),
    r"payment: GET /.*": frozenset({"fees:read", "payments:write", "refunds:write"}),
    r"results: (POST|GET) /reuse/.*": frozenset({"results:reuse", "portal"}),
}
"""Opened by any one of these scopes, which OpenAPI's list of scopes cannot say. The first that fits counts."""


@dataclass(frozen=True, slots=True)
class Door:
    """One endpoint."""

    service: str
    method: str
    path: str
    document: Mapping[str, Any] = field(repr=False, hash=False, compare=False)
    schemas: Mapping[str, Any] = field(repr=False, hash=False, compare=False)

    @property
    def name(self) -> str:
        """The name by which tables call it."""
        return f"{self.service}: {self.method} {self.path}"

    @property
    def public(self) -> bool:
        """Whether it is on the list of what everybody may."""
        return bool(PUBLIC.fullmatch(self.name) or PUBLIC.fullmatch(f"{self.method} {self.path}"))

    @property
    def scopes(self) -> frozenset[str]:
        """Scopes that it says it needs, all of them."""
        return frozenset(
            scope for way in self.document.get("security", ()) for names in way.values() for scope in names
        )

    @property
    def one_of(self) -> frozenset[str]:
        """Scopes of which one is enough."""
        if self.scopes or self.public:
            return frozenset()
        return next((scopes for pattern, scopes in ONE_OF.items() if re.fullmatch(pattern, self.name)), frozenset())

    @property
    def any_client(self) -> bool:
        """Whether every client may, whatever its scopes."""
        return bool(ANY_CLIENT.fullmatch(self.name))

    @property
    def behind_a_grant(self) -> bool:
        """Whether a client without a grant does not get as far as its scopes."""
        return bool(BEHIND_A_GRANT.fullmatch(self.name))

    @property
    def unsafe(self) -> bool:
        """Whether it changes something."""
        return self.method in UNSAFE

    def at_the_gateway(self) -> str | None:
        """Return its path at the gateway's door, None where there is no way to it."""
        if self.service == "gateway":
            return self.path
        return f"{PREFIX}{self.path}" if owner_of(self.path.removeprefix("/")) == self.service else None

    def public_at_the_gateway(self) -> bool:
        """Tell whether the gateway lets it through without a token."""
        first = self.path.removeprefix("/").partition("/")[0]
        return (self.method, first) in OPEN_AT_THE_DOOR or self.path.removeprefix("/") in PUBLIC_PATHS

    def filled(self, values: Mapping[str, str] | None = None) -> str:
        """Return the path with values for its parameters, `x` for those that have none."""
        known = values or {}
        return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], "x"), self.path)


def doors_of(service: str, app: FastAPI) -> Iterator[Door]:
    """Yield the endpoints of an app."""
    document = app.openapi()
    schemas = document.get("components", {}).get("schemas", {})
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                yield Door(service, method.upper(), path, operations[method], schemas)


@lru_cache
def all_doors() -> tuple[Door, ...]:
    """Return the endpoints of every process."""
    return tuple(door for part in PARTS for door in doors_of(part.name, part.app()))


@lru_cache
def all_scopes() -> frozenset[str]:
    """Return every scope that opens something."""
    return frozenset(scope for door in all_doors() for scope in (*door.scopes, *door.one_of))
