"""One contract from many: the OpenAPI documents of the services and the gateway as whoever calls the door sees them."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from shared.links import linked
from shared.openapi import limited

Document = dict[str, Any]

PREFIX = "/api/v1"
TITLE = "Một Cửa"
DESCRIPTION = (
    "The administrative procedures of a province: dossiers, cases and tasks, fees and payments, results, sync."
    " Errors are RFC 9457 problem documents; every unsafe call needs an Idempotency-Key."
)
INNER = ("/health/", "/metrics", "/ops/", "/portal-submissions", "/ops")
"""Paths of a service that the door does not pass on."""
_SCHEMA = "#/components/schemas/"


def merged(own: Document, services: Mapping[str, Document], *, url: str = "") -> Document:
    """Return the gateway's document with those of the services beneath /api/v1.

    A schema that two of them name alike and describe differently gets its service's name before its own.
    """
    whole = deepcopy(own)
    whole["info"] = {"title": TITLE, "version": own["info"]["version"], "description": DESCRIPTION}
    whole["info"]["contact"] = own["info"].get("contact", {})
    if url:
        whole["servers"] = [{"url": url, "description": "This gateway.", "x-internal": False}]
    whole["paths"] = {
        path: item for path, item in whole["paths"].items() if not path.startswith(("/health/", "/metrics"))
    }
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    for name, document in sorted(services.items()):
        renamed = _names(name, document, schemas)
        part = _with_references(deepcopy(document), renamed)
        for schema, found in part.get("components", {}).get("schemas", {}).items():
            schemas[renamed.get(schema, schema)] = found
        for kind, found in part.get("components", {}).items():
            if kind != "schemas":
                _join(whole["components"].setdefault(kind, {}), found)
        whole["tags"] = _tags(whole, part)
        for path, item in part["paths"].items():
            if not path.startswith(INNER):
                whole["paths"].setdefault(PREFIX + path, item)
    _name_operations(whole)
    return _without_unused(linked(limited(whole)))


def _join(whole: Document, part: Mapping[str, Any]) -> None:
    """Put a part's entries into the whole, those within entries of one name too: the scopes of one scheme add up."""
    for name, found in part.items():
        if isinstance(found, dict) and isinstance(whole.get(name), dict):
            _join(whole[name], found)
        else:
            whole[name] = found


def _tags(whole: Document, part: Document) -> list[Document]:
    """Return the tags of both, each once."""
    both = {tag["name"]: tag for tag in (*whole.get("tags", []), *part.get("tags", []))}
    return [both[name] for name in sorted(both)]


def _names(service: str, document: Document, taken: Mapping[str, Any]) -> dict[str, str]:
    """Return new names for the schemas whose names are taken by others that differ."""
    schemas = document.get("components", {}).get("schemas", {})
    return {
        name: f"{service.capitalize()}{name}"
        for name, found in schemas.items()
        if name in taken and taken[name] != found
    }


def _with_references(value: Any, renamed: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        found = {key: _with_references(inner, renamed) for key, inner in value.items()}
        name = str(found.get("$ref", "")).removeprefix(_SCHEMA)
        return found | {"$ref": _SCHEMA + renamed[name]} if name in renamed else found
    return [_with_references(inner, renamed) for inner in value] if isinstance(value, list) else value


def _name_operations(whole: Document) -> None:
    """Give every operation a name of its own, from what it does and where."""
    for path, item in whole["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict):
                words = path.removeprefix(PREFIX).replace("{", "by_").replace("}", "")
                operation["operationId"] = f"{method}{''.join(c if c.isalnum() else '_' for c in words)}"


def _without_unused(whole: Document) -> Document:
    """Leave out schemas that nothing refers to, directly or through another."""
    schemas = whole["components"]["schemas"]
    used, reach = set(), set(_references(whole["paths"]))
    while reach:
        used |= reach
        reach = {inner for name in reach for inner in _references(schemas.get(name, {}))} - used
    whole["components"]["schemas"] = {name: found for name, found in sorted(schemas.items()) if name in used}
    return whole


def _references(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix(_SCHEMA)
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
