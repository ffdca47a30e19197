"""Errors on the wire: every refusal is one problem document, and none repeats what it was sent."""

import importlib
import io
import pkgutil
from types import ModuleType
from typing import Any

import orjson
import pytest
from httpx import Response

import gateway
import services
import shared
from shared import problems
from shared.errors import (
    DomainError,
    FieldError,
    Forbidden,
    InvalidRequest,
    NotFound,
    Unauthenticated,
    Unavailable,
    catalogue,
)
from shared.guard.refusals import BodyTooComplex
from shared.problems import InternalError, MethodNotAllowed
from tests.support.assertions import assert_problem
from tests.support.bus import Side
from tests.support.gate import gate_before
from tests.support.toyapp import PERSON, ToyClient, client_of, create_toy_app


def _import_all(package: ModuleType) -> None:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".migrations" not in found.name:
            importlib.import_module(found.name)


def refusals() -> list[type[DomainError]]:
    """Return every refusal of the house, our own and every service's."""
    for package in (shared, services, gateway):
        _import_all(package)
    return [error for error in catalogue() if not error.__module__.startswith("tests.")]


REFUSALS = refusals()


class TestCatalogue:
    """Every refusal there is."""

    @pytest.mark.parametrize("error", REFUSALS, ids=lambda error: error.__qualname__)
    def test_renders_with_its_entry(self, error: type[DomainError]) -> None:
        wrong = FieldError("a.b", "Send a number.")
        answer = problems.render(error("What to do.", errors=[wrong], dossier_code="H32.14-260407-0001"))
        found = Response(answer.status_code, headers=dict(answer.headers), content=bytes(answer.body))
        document = assert_problem(found, error)
        assert document["detail"] == "What to do."
        assert document["errors"][0]["message_vi"]
        assert document["dossier_code"] == "H32.14-260407-0001"
        problems.Problem.model_validate(document)

    @pytest.mark.parametrize("error", REFUSALS, ids=lambda error: error.__qualname__)
    def test_has_a_status_that_refuses_and_a_title_in_both_languages(self, error: type[DomainError]) -> None:
        assert 400 <= error.status < 600
        assert error.code == error.code.lower().replace(" ", "_")
        assert len(error.title().split()) >= 3
        assert error.title_vi
        assert error is DomainError or error.title_vi != DomainError.title_vi

    def test_gives_each_code_one_status(self) -> None:
        meanings: dict[str, set[int]] = {}
        for error in REFUSALS:
            meanings.setdefault(error.code, set()).add(error.status)
        assert {code: found for code, found in meanings.items() if len(found) > 1} == {}

    def test_does_not_let_facts_overwrite_the_members(self) -> None:
        document = orjson.loads(problems.render(NotFound("x", code="mine", title="mine", reason="kept")).body)
        assert (document["code"], document["title"], document["reason"]) == (NotFound.code, NotFound.title(), "kept")


class TestAnswer:
    """What a client gets for what it did."""

    async def test_of_an_unknown_address_is_404(self, client: ToyClient) -> None:
        assert_problem(await client.http.get("/nowhere"), NotFound)

    async def test_of_a_wrong_method_is_405_and_names_the_right_ones(self, client: ToyClient) -> None:
        answer = await client.http.delete("/counters/a")
        assert_problem(answer, MethodNotAllowed)
        assert "GET" in answer.headers["allow"]

    async def test_without_a_token_is_401_and_says_how(self, client: ToyClient) -> None:
        answer = await client.http.get("/counters/a")
        assert_problem(answer, Unauthenticated)
        assert answer.headers["www-authenticate"].startswith("Bearer")

    async def test_without_the_scope_is_403_and_names_it(self, client: ToyClient) -> None:
        answer = await client.post("/counters/a/grow", scopes=["counters:read"])
        assert assert_problem(answer, Forbidden)["needed"] == ["counters:write"]

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/counters/a/name", b"not json"),
            ("/counters/a/name", b'{"name": '),
            ("/counters/a/name", b"[]"),
            ("/counters/a/name", b'"text"'),
            ("/counters/a/name", b""),
            ("/counters/a/name", b'{"name": "\xff"}'),
            ("/counters/a/name", rb'{"name": "\ud800", "id_number": "056090000001", "born": "1990-01-01"}'),
            ("/counters/a/name", rb'{"\ud800": 1}'),
            ("/counters/a/name", b'{"name": 1, "id_number": "1", "born": "x"}'),
            ("/counters/a/name", b'{"name": "A", "id_number": "056090000001", "born": "1990-01-01", "more": 1}'),
        ],
    )
    async def test_of_a_malformed_body_is_422(self, client: ToyClient, path: str, body: bytes) -> None:
        answer = await client.send("PUT", path, content=body, headers={"content-type": "application/json"})
        assert_problem(answer, InvalidRequest)

    async def test_of_a_body_too_deep_to_be_read_is_400(self, client: ToyClient) -> None:
        body = b"[" * 100_000
        answer = await client.send(
            "PUT", "/counters/a/name", content=body, headers={"content-type": "application/json"}
        )
        assert_problem(answer, BodyTooComplex)

    async def test_of_a_malformed_body_names_each_field_in_both_languages(self, client: ToyClient) -> None:
        body = {"name": "x" * 41, "id_number": "12", "phones": ["0912345678", 7]}
        document = assert_problem(await client.send("PUT", "/counters/a/name", json=body), InvalidRequest)
        errors = document["errors"]
        assert {error["field"] for error in errors} == {"body.name", "body.id_number", "body.born", "body.phones.1"}
        assert all(error["message"] and error["message_vi"] for error in errors)

    @pytest.mark.parametrize("path", ["/counters/%00", "/counters/a%00b", "/ops/waiting?subject=%00"])
    async def test_of_a_text_that_no_table_can_hold_is_422(self, client: ToyClient, path: str) -> None:
        assert_problem(await client.send("GET", path), InvalidRequest)

    async def test_of_odd_bytes_in_headers_is_no_failure_of_ours(self, client: ToyClient) -> None:
        odd: Any = {"traceparent": b"\xff\xfe", "authorization": b"Bearer \xff"}
        assert_problem(await client.http.get("/counters/a", headers=odd), Unauthenticated)

    async def test_of_what_nobody_anticipated_is_500_without_a_word_of_it(
        self, client: ToyClient, logged: io.StringIO
    ) -> None:
        answer = await client.send("GET", "/counters/a/break")
        document = assert_problem(answer, InternalError)
        assert set(document) == {"type", "title", "title_vi", "status", "code"}
        assert "http.failed" in logged.getvalue()
        assert "NotNullViolationError" in logged.getvalue()
        assert PERSON not in logged.getvalue()

    async def test_of_an_outage_is_503_with_a_time_to_come_again(self, toy: Side) -> None:
        async with gate_before(toy.database.dsn) as gate:
            app = create_toy_app(gate.url)
            async with app.router.lifespan_context(app), client_of(app) as client:
                gate.shut()
                answer = await client.send("GET", "/counters/a")
        assert_problem(answer, Unavailable)
        assert int(answer.headers["retry-after"]) > 0


class TestPersonalData:
    """What was sent is never said back in a refusal."""

    async def test_is_not_in_the_refusal_of_a_body(self, client: ToyClient) -> None:
        secrets = ["Nguyễn Văn Bí Mật, trú tại thôn Mười, xã Rất Xa, huyện Xa", "05609000000x", "0912 345 678", "nam@x"]
        body = {"name": secrets[0], "id_number": secrets[1], "born": secrets[2], "phones": {secrets[3]: 1}}
        answer = await client.send("PUT", "/counters/a/name", json=body)
        assert_problem(answer, InvalidRequest)
        assert [secret for secret in secrets if secret in answer.text] == []
