"""The operations of a contract as the methods of a client: names, arguments, types."""

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]
METHODS = ("get", "put", "post", "patch", "delete")
LEFT_OUT = frozenset({"tokens"})
"""Tags that the transport speaks itself."""
_FILLERS = frozenset({"a", "an", "the", "its", "of", "what", "is", "s"})
_SIMPLE = {"integer": "int", "number": "float", "boolean": "bool", "string": "str"}
_FORMATS = {"date": "date", "date-time": "datetime", "uuid": "UUID"}
_REFERENCE = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Argument:
    """One value that a method takes."""

    name: str
    wire_name: str
    place: str
    """path, query or header."""
    kind: str
    required: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of the contract."""

    group: str
    name: str
    summary: str
    description: str
    method: str
    path: str
    arguments: tuple[Argument, ...]
    body: str | None
    """The model of a JSON body, `bytes` for a file, None without."""
    body_required: bool
    media_types: tuple[str, ...]
    """What a file may be."""
    answer: str | None
    """The type of a JSON answer, `File` for a file, None without content."""
    has_key: bool


def operations(document: Document, models: Mapping[str, str]) -> list[Operation]:
    """Return the operations of a contract, in order of group and name, each name once in its group.

    models are the classes by the names of their schemas.
    """
    found = list(_all(document, models))
    names = [(one.group, one.name) for one in found]
    return sorted(
        (one if names.count((one.group, one.name)) == 1 else _by_path(one) for one in found),
        key=lambda one: (one.group, one.name),
    )


def _all(document: Document, models: Mapping[str, str]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            operation = item.get(method)
            if operation and LEFT_OUT.isdisjoint(operation.get("tags", ())):
                yield _operation(path, method, operation, models)


def _operation(path: str, method: str, operation: Mapping[str, Any], models: Mapping[str, str]) -> Operation:
    parameters = [one for one in operation.get("parameters", ()) if one["name"] != "Idempotency-Key"]
    body, media_types = _body(operation.get("requestBody", {}).get("content", {}), models)
    summary = operation.get("summary") or operation["operationId"]
    return Operation(
        group=_name(" ".join(operation.get("tags", ["other"])[:1])),
        name=_name(" ".join(word for word in re.findall(r"\w+", summary) if word.lower() not in _FILLERS)),
        summary=summary,
        description=operation.get("description", ""),
        method=method.upper(),
        path=path,
        arguments=tuple(_argument(one) for one in parameters),
        body=body,
        body_required=bool(operation.get("requestBody", {}).get("required")),
        media_types=media_types,
        answer=_answer(operation["responses"], models),
        has_key=len(parameters) < len(operation.get("parameters", ())),
    )


def _by_path(one: Operation) -> Operation:
    """Return an operation whose name says which resource it is of, for one that shares its name with another."""
    words = [part for part in one.path.split("/")[3:] if part and not part.startswith("{")]
    name = f"{one.name}_{_name(' '.join(words))}"
    return Operation(**{field: getattr(one, field) for field in Operation.__slots__} | {"name": name})


def _name(text: str) -> str:
    name = "_".join(re.findall(r"[a-z0-9]+", text.lower()))
    return f"{name}_" if keyword.iskeyword(name) else name


def _argument(one: Mapping[str, Any]) -> Argument:
    required = bool(one.get("required"))
    return Argument(_name(one["name"].replace("_", " ")), one["name"], one["in"], _kind(one["schema"]), required)


def _kind(schema: Mapping[str, Any]) -> str:
    """Return the type of a parameter."""
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            kinds = [_kind(one) for one in schema[choice] if one.get("type") != "null"]
            return " | ".join(dict.fromkeys(kinds))
    if schema.get("type") == "array":
        return f"list[{_kind(schema.get('items', {}))}]"
    return _FORMATS.get(schema.get("format", "")) or _SIMPLE.get(schema.get("type", ""), "str")


def _body(content: Mapping[str, Any], models: Mapping[str, str]) -> tuple[str | None, tuple[str, ...]]:
    if "application/json" in content:
        return _type(content["application/json"].get("schema", {}), models), ()
    return ("bytes", tuple(content)) if content else (None, ())


def _answer(responses: Mapping[str, Any], models: Mapping[str, str]) -> str | None:
    good = [response.get("content", {}) for code, response in responses.items() if code.startswith("2")]
    kinds = [
        _type(content["application/json"].get("schema", {}), models)
        for content in good
        if "application/json" in content
    ]
    if any(content and "application/json" not in content for content in good):
        return "File"
    return " | ".join(dict.fromkeys(kinds)) or None


def _type(schema: Mapping[str, Any], models: Mapping[str, str]) -> str:
    """Return the type of a body or an answer; what is not described closer is Any."""
    name = str(schema.get("$ref", "")).removeprefix(_REFERENCE)
    if name in models:
        return f"models.{models[name]}"
    if schema.get("type") == "array":
        return f"list[{_type(schema.get('items', {}), models)}]"
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " | ".join(dict.fromkeys(_type(one, models) for one in schema[choice]))
    if schema.get("type") == "null":
        return "None"
    return "dict[str, Any]" if schema.get("type") == "object" else _SIMPLE.get(schema.get("type", ""), "Any")
