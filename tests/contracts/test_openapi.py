"""What HTTP promises."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from deploy.docs.parts import PARTS
from deploy.local.folder import ROOT
from gateway.operations.contract import merged

UNSAFE = {"post", "put", "patch", "delete"}


@pytest.fixture(params=[*(part.name for part in PARTS), "motcua"])
def openapi(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads((ROOT / f"docs/reference/openapi/{request.param}.json").read_text(encoding="utf-8"))


def test_is_valid(openapi: dict[str, Any]) -> None:
    assert openapi["openapi"].startswith("3.1.")
    validate(openapi)


def test_names_every_operation_once(openapi: dict[str, Any]) -> None:
    names = [one["operationId"] for path in openapi["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))


def test_every_pattern_means_the_same_to_every_reader(openapi: dict[str, Any]) -> None:
    r"""What \d, \w and \s stand for differs: other scripts' digits, and which characters are spaces."""
    found = {pattern for pattern in _patterns(openapi) if re.search(r"\\[dDwWsSbB]", pattern)}
    assert found == set()


def test_every_object_says_whether_it_takes_other_names(openapi: dict[str, Any]) -> None:
    objects = [one for one in _objects(openapi) if "patternProperties" in one]
    assert all(one["additionalProperties"] is False for one in objects)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(inner)


def _patterns(openapi: dict[str, Any]) -> Iterator[str]:
    for one in _objects(openapi):
        if isinstance(one.get("pattern"), str):
            yield one["pattern"]
        yield from one.get("patternProperties", {})


class TestWhole:
    """The one document of the door."""

    def test_holds_every_path_of_every_service_beneath_the_prefix(self) -> None:
        whole = _read("motcua")["paths"]
        for part in PARTS:
            for path in _read(part.name)["paths"]:
                inner = path.startswith(("/health/", "/metrics", "/ops/", "/portal-submissions"))
                assert (path in whole if part.name == "gateway" else f"/api/v1{path}" in whole) or inner, path

    def test_keeps_apart_what_two_services_name_alike(self) -> None:
        def one(name: str, kind: str) -> dict[str, Any]:
            answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/View"}}}}
            return {
                "openapi": "3.1.0",
                "info": {"title": name, "version": "1"},
                "paths": {f"/{name}": {"get": {"operationId": "get", "responses": {"200": answer}}}},
                "components": {"schemas": {"View": {"type": kind}, "Unused": {"type": "null"}}},
            }

        whole = merged(one("own", "string"), {"a": one("a", "string"), "b": one("b", "integer")})
        assert whole["components"]["schemas"] == {"BView": {"type": "integer"}, "View": {"type": "string"}}
        names = {
            path: item["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            for path, item in whole["paths"].items()
        }
        assert names == {"/own": "View", "/api/v1/a": "View", "/api/v1/b": "BView"}


def _read(name: str) -> dict[str, Any]:
    return json.loads((ROOT / f"docs/reference/openapi/{name}.json").read_text(encoding="utf-8"))
