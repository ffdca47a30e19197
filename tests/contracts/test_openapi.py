"""What HTTP promises."""

import json
from typing import Any

import pytest
from openapi_spec_validator import validate

from deploy.docs.parts import PARTS
from deploy.local.folder import ROOT

UNSAFE = {"post", "put", "patch", "delete"}


@pytest.fixture(params=[part.name for part in PARTS])
def openapi(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads((ROOT / f"docs/reference/openapi/{request.param}.json").read_text(encoding="utf-8"))


def test_is_valid(openapi: dict[str, Any]) -> None:
    assert openapi["openapi"].startswith("3.1.")
    validate(openapi)


def test_names_every_operation_once(openapi: dict[str, Any]) -> None:
    names = [one["operationId"] for path in openapi["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))
