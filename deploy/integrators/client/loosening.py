"""A contract as a client should read it: what the door judges is left to the door.

Within a version fields and values are only added. A client that judged lengths, patterns or the values of an answer by
the contract of its own day would refuse what a later one allows.
"""

from collections.abc import Mapping
from typing import Any

JUDGED = frozenset(
    {
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minItems",
        "maxItems",
        "uniqueItems",
        "title",
        "examples",
        "example",
    }
)
KEPT_FORMATS = frozenset({"date", "date-time", "uuid", "binary"})


_REFERENCE = "#/components/schemas/"

Schemas = Mapping[str, Mapping[str, Any]]


def loosened(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a contract without what only the door judges; enumerations stay in what is sent, not in what is read."""
    schemas: Schemas = document["components"]["schemas"]
    lists = {_REFERENCE + name: one for name, one in schemas.items() if "enum" in one}
    loose = {name: _schema(one, lists, sent=_is_sent(one)) for name, one in schemas.items()}
    return {**document, "components": {**document["components"], "schemas": loose}}


def _is_sent(schema: Mapping[str, Any]) -> bool:
    """Tell a body from an answer: what is sent may hold nothing that is not named."""
    return schema.get("additionalProperties") is False


def _schema(schema: Any, lists: Schemas, *, sent: bool) -> Any:  # noqa: ANN401 - JSON
    if isinstance(schema, list):
        return [_schema(one, lists, sent=sent) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("$ref") in lists:
        # A list of values is written out where it is used, for it is closed in a body and open in an answer.
        listed = {name: inner for name, inner in schema.items() if name != "$ref"}
        schema = {**lists[schema["$ref"]], **listed}
    kept = {
        name: _members(inner, lists, sent=sent) if name == "properties" else _schema(inner, lists, sent=sent)
        for name, inner in schema.items()
        if name not in JUDGED
    }
    if kept.get("format") not in KEPT_FORMATS:
        kept.pop("format", None)
    return kept if sent else _open(kept)


def _members(properties: Mapping[str, Any], lists: Schemas, *, sent: bool) -> dict[str, Any]:
    """Go through members by their names, which may be words of JSON Schema too."""
    return {name: _schema(inner, lists, sent=sent) for name, inner in properties.items()}


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    values = schema.pop("enum", None)
    if values is None:
        return schema
    words = f"One of {', '.join(map(str, values))}; later also others."
    return {**schema, "type": schema.get("type", "string"), "description": _joined(schema.get("description"), words)}


def _joined(before: str | None, words: str) -> str:
    return f"{before.rstrip('.')}. {words}" if before else words
