"""Links of an OpenAPI document: which calls take what another one's answer names, so that tools can go on from there.

They follow from the paths: what a POST to `/payments` answers is the item of `/payments/{payment_id}` and of all below.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Document = dict[str, Any]

_JSON = "application/json"
_PARAMETER = re.compile(r"\{(\w+)\}")
_METHODS = ("get", "put", "post", "delete", "patch")


def linked(document: Document) -> Document:
    """Return a document in which every answer that makes something links to the calls that take it."""
    paths = document["paths"]
    for path, item in paths.items():
        for status, answer in item.get("post", {}).get("responses", {}).items():
            answer.pop("links", None)
            if status[0] == "2" and (links := dict(_links(document, path, _fields(document, answer)))):
                answer["links"] = links
    return document


def _links(document: Document, path: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    known = {name: f"$request.path.{name}" for name in _PARAMETER.findall(path)}
    for below, item in document["paths"].items():
        found = re.match(rf"{re.escape(path)}/{_PARAMETER.pattern}(/|$)", below)
        field = _field(found[1], fields) if found else None
        if not found or field is None:
            continue
        parameters = known | {found[1]: f"$response.body#/{field}"}
        if parameters.keys() != set(_PARAMETER.findall(below)):
            continue
        for method in _METHODS:
            if method in item:
                name = item[method]["operationId"]
                yield name, {"operationId": name, "parameters": parameters}


def _field(parameter: str, fields: Mapping[str, Any]) -> str | None:
    """Return which field of an answer a path's parameter is named by; None for one that may be null, or none."""
    field = parameter if parameter in fields else "id" if parameter.endswith("_id") else None
    schema = fields.get(field or "")
    return field if schema is not None and {"type": "null"} not in schema.get("anyOf", ()) else None


def _fields(document: Document, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = answer.get("content", {}).get(_JSON, {}).get("schema", {})
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema.get("properties", {})
