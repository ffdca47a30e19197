"""The smallest body that a schema takes, made from its OpenAPI document; and where that is not enough, by hand."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tests.rights.doors import Door

TEXTS = {
    "uuid": str(UUID(int=7)),
    "date": "2026-11-23",
    "date-time": "2026-11-23T02:00:00Z",
    "time": "08:00:00",
    "uri": "https://example.vn/",
}


def smallest(door: Door) -> Any:
    """Return the smallest JSON body that a door's schema takes; None where it takes none."""
    content = door.document.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return None if schema is None else _of(schema, door.schemas)


def _of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for chosen in ("const", "default"):
        if schema.get(chosen) is not None:
            return schema[chosen]
    for several in ("examples", "enum"):
        if schema.get(several):
            return schema[several][0]
    for ways in ("anyOf", "oneOf", "allOf"):
        if ways in schema:
            return _of(next(one for one in schema[ways] if one.get("type") != "null"), schemas)
    return _plain(schema, schemas)


def _plain(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "object":
        members, needed = schema.get("properties", {}), schema.get("required", ())
        return {name: _of(members[name], schemas) for name in needed if name in members}
    if "prefixItems" in schema:
        return [_of(one, schemas) for one in schema["prefixItems"]]
    if kind == "array":
        return [_of(schema["items"], schemas)] * schema.get("minItems", 0)
    if kind == "string":
        return TEXTS.get(
            schema.get("format", ""), ("a" * max(schema.get("minLength", 1), 8))[: schema.get("maxLength", 99)]
        )
    if kind == "boolean":
        return True
    return int(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1))
