"""OpenAPI documents: what holds for every call is said of every call."""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from deploy.docs.parts import PARTS
from gateway.operations.contract import merged
from shared.openapi import PROBLEM_TYPE, SCOPES, TAGS, limited

METHODS = {"get", "put", "post", "delete", "patch"}
PARTS_BY_NAME = {part.name: part for part in PARTS}


@pytest.fixture(scope="module", params=list(PARTS_BY_NAME))
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return PARTS_BY_NAME[request.param].app().openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield f"{method} {path}", operation


class TestDocument:
    """Of every process."""

    def test_says_who_may_call(self, document: dict[str, Any]) -> None:
        for name, operation in operations(document):
            if operation["security"]:
                assert "WWW-Authenticate" in operation["responses"]["401"]["headers"], name
                assert "403" in operation["responses"], name

    def test_refuses_with_problem_documents_only(self, document: dict[str, Any]) -> None:
        for name, operation in operations(document):
            for status, response in operation["responses"].items():
                if status[0] in "45" and "health" not in name:
                    assert PROBLEM_TYPE in response["content"], (name, status)
        assert "HTTPValidationError" not in document["components"]["schemas"]

    def test_describes_every_scope_and_tag(self, document: dict[str, Any]) -> None:
        """A scope or tag that is new gets its line in shared/openapi.py."""
        scheme = document["components"]["securitySchemes"]["client_credentials"]
        assert set(scheme["flows"]["clientCredentials"]["scopes"]) <= set(SCOPES)
        assert {tag["name"] for tag in document["tags"]} <= set(TAGS)

    def test_bounds_every_parameter(self, document: dict[str, Any]) -> None:
        for name, operation in operations(document):
            for parameter in operation.get("parameters", []):
                schema = parameter["schema"]
                where = (name, parameter["name"])
                if schema.get("type") == "string" and "enum" not in schema:
                    assert "maxLength" in schema, where
                if schema.get("type") == "integer":
                    assert {"minimum", "maximum"} <= set(schema) or "exclusiveMaximum" in schema, where


class TestLinks:
    """What an answer names leads to the calls that take it."""

    def test_lead_to_calls_of_the_document_and_give_all_that_their_paths_need(self, document: dict[str, Any]) -> None:
        paths = {one["operationId"]: name.partition(" ")[2] for name, one in operations(document)}
        for name, operation in operations(document):
            for status, response in operation["responses"].items():
                for link in response.get("links", {}).values():
                    needed = set(re.findall(r"\{(\w+)\}", paths[link["operationId"]]))
                    assert set(link["parameters"]) == needed, (name, status)

    @pytest.mark.parametrize(
        ("part", "made", "taken", "named"),
        [
            ("intake", "post /dossiers", "get /dossiers/{code}", {"code": "$response.body#/code"}),
            ("intake", "post /dossiers", "post /dossiers/{code}/accept", {"code": "$response.body#/code"}),
            ("payment", "post /payments", "post /payments/{payment_id}/cancel", {"payment_id": "$response.body#/id"}),
            ("results", "post /results", "post /results/{result_id}/issue", {"result_id": "$response.body#/id"}),
            (
                "workflow",
                "post /calendars/{code}/versions",
                "get /calendars/{code}/versions/{version}",
                {"code": "$request.path.code", "version": "$response.body#/version"},
            ),
        ],
    )
    def test_follow_from_the_paths(self, part: str, made: str, taken: str, named: dict[str, str]) -> None:
        found = dict(operations(PARTS_BY_NAME[part].app().openapi()))
        target = found[taken]["operationId"]
        assert found[made]["responses"]["201"]["links"][target] == {"operationId": target, "parameters": named}

    def test_of_the_whole_document_cross_from_one_service_to_another(self) -> None:
        """Intake takes a dossier in, the gateway tells of its life."""
        parts = {name: part.app().openapi() for name, part in PARTS_BY_NAME.items()}
        whole = merged(parts.pop("gateway"), parts)
        taken = {
            link["operationId"]
            for link in whole["paths"]["/api/v1/dossiers"]["post"]["responses"]["201"]["links"].values()
        }
        assert {"get_dossiers_by_code", "get_dossiers_by_code_timeline"} <= taken


def test_quota_is_told_where_a_client_has_one() -> None:
    document = PARTS_BY_NAME["intake"].app().openapi()
    told = limited(deepcopy(document))
    for name, operation in operations(told):
        headers = next(one for status, one in operation["responses"].items() if status[0] == "2").get("headers", {})
        assert ("RateLimit" in headers) == bool(operation["security"]), name
