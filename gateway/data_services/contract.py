"""A data service's contract: which operations an OpenAPI document has, and which of them a call is."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote

METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SAFE_TO_REPEAT = "x-safe-to-repeat"
OPERATIONS_MAX = 300
VERSION = re.compile(r"v[1-9][0-9]{0,2}")
OWN_PART = "-"
"""Below it lies what the registry itself answers of a service."""
_PARAMETER = re.compile(r"\{[^{}/]+\}")


class ContractInvalid(ValueError):
    """The document is no contract that calls can be held against; the message names the place."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a contract."""

    method: str
    path: str
    """As the contract writes it, with `{…}`."""
    name: str
    """operationId, or method and path."""
    safe_to_repeat: bool
    """The contract says so; a call must carry an Idempotency-Key as well."""
    answers: Mapping[str, frozenset[str]]
    """Media types by status code, class (`2XX`) or `default`; empty where the contract names none."""

    @property
    def endpoint(self) -> str:
        """Return the path as X-Road writes it: `*` for one part."""
        return _PARAMETER.sub("*", self.path)

    def expects(self, status: int, media_type: str) -> bool:
        """Tell whether the contract lets an answer of this status be of this type.

        A status that it does not name counts as its neighbours do (201 as 200); what it does not name at all, it lets.
        """
        known = self.answers.get(str(status)) or self.answers.get(f"{status // 100}XX") or self.answers.get("default")
        if not known:
            alike = [kinds for name, kinds in self.answers.items() if name[:1] == str(status // 100)]
            known = frozenset().union(*alike)
        return not known or any(_covers(one, media_type) for one in known)


@dataclass(slots=True)
class _Node:
    literal: "dict[str, _Node]" = field(default_factory=dict)
    parameter: "_Node | None" = None
    operations: dict[str, Operation] = field(default_factory=dict)


class Contract:
    """Operations, found by method and path."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Read an OpenAPI 3 document. Raises ContractInvalid."""
        self.document = document
        self._root = _Node()
        for operation in _operations(document):
            self._add(operation)

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """All operations, in the contract's order."""
        return tuple(_operations(self.document))

    def find(self, path: str) -> Mapping[str, Operation]:
        """Return the operations of a path by method; empty for a path that the contract does not have.

        `path` begins with a slash and is still percent-encoded; a part written out wins over a parameter.
        """
        node = _walk(self._root, [unquote(part) for part in path.split("/")[1:]], 0)
        return node.operations if node else {}

    def _add(self, operation: Operation) -> None:
        node = self._root
        for part in operation.path.split("/")[1:]:
            if _PARAMETER.fullmatch(part):
                node.parameter = node = node.parameter or _Node()
            else:
                node = node.literal.setdefault(part, _Node())
        if operation.method in node.operations:
            raise ContractInvalid(f"paths: {operation.method} {operation.path} is there twice.")
        node.operations[operation.method] = operation


def _walk(node: _Node, parts: list[str], at: int) -> _Node | None:
    if at == len(parts):
        return node if node.operations else None
    literal = node.literal.get(parts[at])
    found = _walk(literal, parts, at + 1) if literal else None
    if found is None and node.parameter and parts[at]:
        found = _walk(node.parameter, parts, at + 1)
    return found


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    if not str(document.get("openapi", "")).startswith("3."):
        raise ContractInvalid("openapi: must be 3.x.")
    info = document.get("info")
    if not isinstance(info, Mapping) or not info.get("title") or not info.get("version"):
        raise ContractInvalid("info: needs title and version.")
    paths = document.get("paths")
    if not isinstance(paths, Mapping) or not paths:
        raise ContractInvalid("paths: needs at least one.")
    count = 0
    for path, item in paths.items():
        _check_path(path)
        for method in METHODS:
            if method in _mapping(item, f"paths.{path}"):
                count += 1
                yield _operation(method, path, item[method])
    if not count:
        raise ContractInvalid("paths: needs at least one operation.")
    if count > OPERATIONS_MAX:
        raise ContractInvalid(f"paths: more than {OPERATIONS_MAX} operations.")


def _check_path(path: str) -> None:
    first, *_ = parts = path.split("/")[1:] if path.startswith("/") else [""]
    if not first:
        raise ContractInvalid(f"paths.{path}: must begin with a slash and a name.")
    if VERSION.fullmatch(first) or first == OWN_PART or _PARAMETER.fullmatch(first):
        # The address's first part is a version or none: no path may look like one.
        raise ContractInvalid(f"paths.{path}: must not begin with a version, a dash or a parameter.")
    bad = [part for part in parts if part in {".", ".."} or ("{" in part and not _PARAMETER.fullmatch(part))]
    if bad:
        raise ContractInvalid(f"paths.{path}: a part is a name or one parameter.")


def _operation(method: str, path: str, found: object) -> Operation:
    place = f"paths.{path}.{method}"
    operation = _mapping(found, place)
    responses = _mapping(operation.get("responses"), f"{place}.responses")
    answers = {
        str(status): frozenset(_mapping(response.get("content", {}), f"{place}.responses.{status}.content"))
        for status, response in responses.items()
        if isinstance(response, Mapping) and "$ref" not in response
    }
    name = str(operation.get("operationId") or f"{method} {path}")[:100]
    return Operation(method.upper(), path, name, operation.get(SAFE_TO_REPEAT) is True, answers)


def _mapping(found: object, place: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        raise ContractInvalid(f"{place}: must be an object.")
    return found


def _covers(named: str, media_type: str) -> bool:
    kind = named.partition(";")[0].strip().lower()
    return kind in {"*/*", media_type} or (kind.endswith("/*") and media_type.startswith(kind[:-1]))
