"""Makes an app's OpenAPI document say all that holds for every call: rights, refusals, headers, bounds.

FastAPI describes what a route declares. What the mechanics do for all routes is written here, once: who may call,
which problems and headers can come back, where the API is served, how long a text or a list of an answer can be.
Bounds of what is *taken* are never added here: they stand where they are enforced, in shared.bodies and the routes.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from re import _parser as patterns  # pyrefly: ignore[missing-module-attribute] - no other way to know how wide a pattern is
from typing import Any

from shared.links import linked

PROBLEM_TYPE = "application/problem+json"
SCHEME = "client_credentials"
IDEMPOTENCY_HEADER = "Idempotency-Key"
TEXT_MAX = 1_000_000
"""Characters of a text in an answer; files travel as files or as base64 in fields that say so."""
ITEMS_MAX = 100_000
"""Items of a list in an answer: pages and reports are bounded far below."""
FILE_TEXT_MAX = 100_000_000
"""Characters of a file as base64."""

SCOPES = {
    "clients:read": "Read the register of clients of the client's agency and those below it.",
    "clients:write": "Register and change clients, their secrets, keys and grants.",
    "clients:grant": "Give clients rights that one does not hold oneself.",
    "dossiers:submit": "Submit dossiers, upload documents, supplement and withdraw.",
    "dossiers:read": "Read the dossiers of the client's agency and those below it.",
    "dossiers:decide": "Accept, reject, ask for supplements, close.",
    "tasks:read": "Read cases, tasks, worklists and calendars.",
    "tasks:work": "Claim, complete and hand on tasks; stop and resume cases.",
    "fees:read": "Read fees, payments, refunds and receipts.",
    "payments:write": "Start and cancel payments.",
    "refunds:write": "Ask for refunds and settle them.",
    "ledger:read": "Read the ledger, reconciliations and settlements.",
    "ledger:write": "Book, reconcile, cancel and replace receipts.",
    "results:read": "Read results of the client's agency and those below it.",
    "results:write": "Issue, hand over, revoke and supersede results.",
    "results:reuse": "Search the archive for papers to use again, with the citizen's consent.",
    "catalogue:write": "Keep procedures, agencies, forms, processes and calendars.",
    "sync:read": "Follow every change of dossiers.",
    "portal": "Call as the national portal.",
    "services:read": "See the register of data services, and who may call them.",
    "services:write": "Keep the register: services, versions, windows of maintenance.",
    "webhooks:read": "See subscriptions and their deliveries.",
    "webhooks:write": "Keep subscriptions, rotate their secrets, send again.",
    "edocs:read": "Read the electronic documents of the client's agencies.",
    "edocs:write": "Send electronic documents and tell how far they are.",
    "ops:read": "See bus, queues and the transaction log.",
    "ops:act": "Replay, discard and consent.",
}
"""What each scope lets a client do."""

TAGS = {
    "bank": "Bank transfers: what came in and which payment it was for.",
    "calendars": "Working time: calendars, their versions, what a change moves.",
    "cash desks": "Shifts of cashiers, opened and closed.",
    "cases": "The running of a process for one dossier.",
    "catalogue": "Procedures, fields and agencies.",
    "clients": "The systems that may call: whose they are, what they may do, how they prove who they are.",
    "clocks": "How a due date came about, line by line.",
    "consultations": "Questions to other units, and their answers.",
    "contract": "This document.",
    "data services": "The province's registered services: what they are, who may call what, what failed.",
    "delegations": "Officials who stand in for others.",
    "digitisation": "The plan to digitise what is on paper, and how far it is.",
    "documents": "Files of dossiers.",
    "dossiers": "Dossiers from submission to acceptance or refusal.",
    "drafts": "Dossiers that are not submitted yet.",
    "edocs": "Electronic documents between agencies (edXML).",
    "exemptions": "Who need not pay, wholly or partly.",
    "fees": "What is owed for a dossier.",
    "forms": "Electronic forms and their checks.",
    "health": "Is the process alive and ready? Its metrics.",
    "ledger": "The books of money taken and passed on.",
    "notices": "Warnings and escalations.",
    "officials": "Who works where.",
    "ops": "What people of operations see and do.",
    "payments": "Attempts to pay a fee, and what providers say of them.",
    "portal": "What the national portal calls, in its own words.",
    "portal sync": "How far the national portal is in step, what differs, and what people do about it.",
    "processes": "Definitions of processes: steps, branches, terms.",
    "receipts": "Receipts, numbered without a gap, and their public check.",
    "reconciliations": "Our books against those of the providers, day by day.",
    "refunds": "Money given back.",
    "results": "The archive of results.",
    "reuse": "Papers used again instead of asking the citizen.",
    "settlements": "Money passed on to the treasury.",
    "slips": "The printed forms.",
    "statistics": "Figures, each with numerator, denominator and definition.",
    "submission rules": "Conditions that a dossier meets before it can be submitted.",
    "sync": "Changes of dossiers in the order of their commit.",
    "tasks": "Steps given to units and officials.",
    "tokens": "Access tokens and the keys that verify them.",
    "tracking": "What a citizen sees of a dossier by its tracking code.",
    "uploads": "Large files in pieces, resumable.",
    "webhooks": "Changes pushed to subscribers by the Standard Webhooks specification.",
    "verify": "The public check of a result by its code or file.",
}
"""What the operations of a tag are about."""

_METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_REFUSAL = "Problem document (RFC 9457)"
_SECONDS = {"type": "integer", "format": "int32", "minimum": 0, "maximum": 2**31 - 1}
_LENGTHS = {"date": 10, "date-time": 35, "uuid": 36, "time": 21, "duration": 64}
_BIG, _SMALL = 2**63, 2**31

_DESCRIBED: dict[str, dict[str, Any]] = {
    "WWW-Authenticate": {
        "description": "How to authenticate (RFC 6750 §3).",
        "required": True,
        "schema": {"type": "string", "maxLength": 1000},
    },
    "Allow": {
        "description": "The methods that this address answers.",
        "required": True,
        "schema": {"type": "string", "maxLength": 100},
    },
    "Retry-After": {
        "description": "Seconds until the same call may succeed.",
        "required": True,
        "schema": _SECONDS,
    },
    "ETag": {
        "description": "The version of what is shown; If-Match and If-None-Match take it.",
        "schema": {"type": "string", "maxLength": 200},
    },
    "RateLimit": {
        "description": "What is left of the client's quota (IETF draft ratelimit-headers); sent where it has one.",
        "schema": {"type": "string", "maxLength": 1000},
    },
    "RateLimit-Policy": {
        "description": "The client's quotas; sent where it has one.",
        "schema": {"type": "string", "maxLength": 1000},
    },
}
"""The headers of answers, described once."""


def _header(*names: str) -> dict[str, dict[str, str]]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


_HEADERS = {
    "401": _header("WWW-Authenticate"),
    "405": _header("Allow"),
    "429": _header("Retry-After"),
    "503": _header("Retry-After"),
}
_QUOTA = _header("RateLimit", "RateLimit-Policy")

Document = dict[str, Any]


def completed(document: Document, *, about: str, below: str) -> Document:
    """Return an app's document with everything that holds for all its calls; `below` is its place at the door."""
    document["info"] |= {"description": about, "contact": {"name": "Một Cửa"}}
    document["servers"] = [
        {
            "url": f"https://{{door}}{below}",
            "description": "The gateway of a province, in production.",
            "x-internal": False,
            "variables": {"door": {"default": "motcua.example"}},
        }
    ]
    scopes: set[str] = set()
    tags: set[str] = set()
    for operation in _operations(document):
        _without_null(operation)
        _complete(operation)
        tags.update(operation.get("tags", []))
        scopes.update(scope for one in operation["security"] for names in one.values() for scope in names)
    document["tags"] = [{"name": tag, "description": TAGS.get(tag, tag)} for tag in sorted(tags)]
    components = document.setdefault("components", {})
    components["securitySchemes"] = {SCHEME: _scheme(scopes)} if scopes or _any_secured(document) else {}
    components.get("schemas", {}).pop("HTTPValidationError", None)
    components.get("schemas", {}).pop("ValidationError", None)
    _bound(document)
    return linked(_describe(document) if below else limited(document))


def _describe(document: Document) -> Document:
    """Put the headers that are referred to into the components."""
    used = set(_references(list(_operations(document))))
    headers = {name: deepcopy(header) for name, header in _DESCRIBED.items() if name in used}
    document["components"] = document.get("components", {}) | ({"headers": headers} if headers else {})
    return document


def _operations(document: Document) -> Iterator[dict[str, Any]]:
    for item in document["paths"].values():
        for method, operation in item.items():
            if method in _METHODS:
                yield operation


def _any_secured(document: Document) -> bool:
    return any(operation["security"] for operation in _operations(document))


def _scheme(scopes: set[str]) -> dict[str, Any]:
    described = {scope: SCOPES.get(scope, scope) for scope in sorted(scopes)}
    return {
        "type": "oauth2",
        "description": "Access tokens are JWTs (RFC 9068), signed with ES256 and verified as RFC8725 asks:"
        " algorithm, issuer, audience and expiry are checked, the key by the issuer's JWKS.",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": described}},
    }


def _without_null(operation: dict[str, Any]) -> None:
    """Let what may be left out be of its own type only: a query or a header cannot hold null."""
    for parameter in operation.get("parameters", []):
        schema = parameter.get("schema", {})
        choices = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
        if len(choices) == 1 and len(schema["anyOf"]) > 1:
            parameter["schema"] = choices[0] | {name: one for name, one in schema.items() if name != "anyOf"}


def limited(document: Document) -> Document:
    """Say of each call with a token what the door adds: what is left of the client's quota, and the refusal beyond."""
    for operation in _operations(document):
        if not operation.get("security"):
            continue
        responses = operation["responses"]
        refusal = {"description": _REFUSAL, "content": {PROBLEM_TYPE: {"schema": _PROBLEM}}}
        responses.setdefault("429", {**refusal, "headers": _HEADERS["429"]})
        for status, response in responses.items():
            if status[0] in "24":
                response["headers"] = {**response.get("headers", {}), **_QUOTA}
        operation["responses"] = {status: responses[status] for status in sorted(responses)}
    return _describe(document)


def _complete(operation: dict[str, Any]) -> None:
    """Say of an operation what the mechanics do for every one."""
    parameters = operation.get("parameters", [])
    # A write authenticates before it looks at anything else, whatever its route declares.
    written = any(one["name"] == IDEMPOTENCY_HEADER for one in parameters)
    operation.setdefault("security", [{SCHEME: []}] if written else [])
    responses = operation["responses"]
    always = ["500", "503"] + (["401", "403"] if operation["security"] else [])
    always += ["413"] if "requestBody" in operation else []
    always += ["422"] if parameters or "requestBody" in operation else []
    for status in always:
        responses.setdefault(status, {"description": _REFUSAL, "content": {PROBLEM_TYPE: {"schema": _PROBLEM}}})
    operation["responses"] = {status: responses[status] for status in sorted(responses)}
    conditional = any(one["name"].lower() in {"if-match", "if-none-match"} for one in parameters)
    for status, response in responses.items():
        _as_problem(response)
        headers = response.get("headers", {}) | _HEADERS.get(status, {})
        headers |= _header("ETag") if conditional and status in {"200", "201", "304"} else {}
        if headers:
            response["headers"] = headers


def _as_problem(response: dict[str, Any]) -> None:
    """Give a problem its own media type; FastAPI's own form of a refusal is never sent."""
    content = response.get("content", {})
    refusals = (_PROBLEM["$ref"], "#/components/schemas/HTTPValidationError")
    others = {kind: one for kind, one in content.items() if one.get("schema", {}).get("$ref") not in refusals}
    if len(others) < len(content):
        response["content"] = {PROBLEM_TYPE: {"schema": _PROBLEM}, **others}
        response["description"] = _REFUSAL


def _bound(document: Document) -> None:
    """Write out the bounds that follow from formats and patterns, and those of everything that is answered."""
    schemas = document.get("components", {}).get("schemas", {})
    taken = _reached([_inputs(document)], schemas)
    _bound_all(_inputs(document), answered=False)
    for name, schema in schemas.items():
        _bound_all(schema, answered=name not in taken)
    for operation in _operations(document):
        _bound_all(operation["responses"], answered=True)


def _inputs(document: Document) -> list[Any]:
    return [
        part
        for operation in _operations(document)
        for part in (*operation.get("parameters", []), operation.get("requestBody", {}))
    ]


def _reached(roots: list[Any], schemas: dict[str, Any]) -> set[str]:
    """Return the names of the schemas that are referred to, directly or through another."""
    found: set[str] = set()
    new = set(_references(roots))
    while new:
        found |= new
        new = {name for one in new for name in _references(schemas.get(one, {}))} - found
    return found


def _references(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _bound_all(value: Any, *, answered: bool) -> None:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        for inner in value:
            _bound_all(inner, answered=answered)
        return
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    if "patternProperties" in value:
        value.setdefault("additionalProperties", False)
    if kind == "string":
        _bound_text(value, answered=answered)
    elif kind == "integer":
        _bound_whole(value, answered=answered)
    elif kind == "array":
        _bound_list(value, answered=answered)
    for name, inner in value.items():
        if name not in {"example", "examples", "default", "const", "enum"}:
            _bound_all(inner, answered=answered)


def _bound_text(schema: dict[str, Any], *, answered: bool) -> None:
    if "maxLength" in schema or "enum" in schema or "const" in schema:
        if isinstance(schema.get("pattern"), str) and "maxLength" in schema:
            schema["maxLength"] = min(schema["maxLength"], _width(schema["pattern"]) or schema["maxLength"])
        return
    most = _LENGTHS.get(schema.get("format", "")) or _width(schema.get("pattern", ""))
    if schema.get("format") == "binary":
        most = FILE_TEXT_MAX
    if most or answered:
        schema["maxLength"] = most or TEXT_MAX


def _width(pattern: str) -> int:
    """Return how long a text can be at most that a pattern takes as a whole; 0 when it sets no bound."""
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return 0
    try:
        widest = patterns.parse(pattern).getwidth()[1]
    except re.error:
        return 0
    return widest if widest < TEXT_MAX else 0


def _bound_whole(schema: dict[str, Any], *, answered: bool) -> None:
    if "enum" in schema or "const" in schema:
        return
    if answered:
        if "exclusiveMinimum" not in schema:
            schema.setdefault("minimum", -_BIG)
        if "exclusiveMaximum" not in schema:
            schema.setdefault("maximum", _BIG - 1)
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    small = most is not None and least is not None and least >= -_SMALL and most < _SMALL
    schema.setdefault("format", "int32" if small else "int64")


def _bound_list(schema: dict[str, Any], *, answered: bool) -> None:
    if "prefixItems" in schema:
        each = schema["prefixItems"]
        schema.setdefault("maxItems", len(each))
        if all(one == each[0] for one in each):
            schema["items"] = schema.pop("prefixItems")[0]
        schema.setdefault("items", {"not": {}})
    elif answered:
        schema.setdefault("maxItems", ITEMS_MAX)
