"""Rights at data services: what a grant covers and what it does not."""

import pytest

from gateway.operations.rights import Grant, Rights

POPULATION = Grant("CSDL_DanCu", frozenset({"GET"}), ("/citizens/*", "/households/**"))


class TestGrant:
    @pytest.mark.parametrize("path", ["/citizens/056090000001", "/households/a", "/households/a/members/b"])
    def test_covers_what_its_paths_name(self, path: str) -> None:
        assert POPULATION.covers("CSDL_DanCu", "GET", path)

    @pytest.mark.parametrize(
        ("service", "method", "path"),
        [
            ("CSDL_DanCu", "POST", "/citizens/x"),
            ("CSDL_DanCu", "GET", "/citizens"),
            ("CSDL_DanCu", "GET", "/citizens/"),
            ("CSDL_DanCu", "GET", "/citizens/x/relatives"),
            ("CSDL_DanCu", "GET", "/households"),
            ("CSDL_DanCu", "GET", "/Citizens/x"),
            ("CSDL_DanCu", "GET", "x/citizens/x"),
            ("BHXH", "GET", "/citizens/x"),
        ],
    )
    def test_covers_nothing_else(self, service: str, method: str, path: str) -> None:
        assert not POPULATION.covers(service, method, path)

    def test_without_methods_and_paths_covers_the_whole_service(self) -> None:
        assert Grant("BHXH").covers("BHXH", "DELETE", "/a/b")

    def test_takes_a_pattern_to_the_letter(self) -> None:
        assert not Grant("x", paths=("/a.c",)).covers("x", "GET", "/abc")


class TestRights:
    def test_are_nothing_without_grants(self) -> None:
        rights = Rights("one-stop")
        assert not rights.may_call("BHXH", "GET", "/")
        assert not rights.knows("BHXH")

    def test_know_every_service_by_the_star(self) -> None:
        rights = Rights("auditor", (Grant("*", frozenset({"GET"})),))
        assert rights.knows("BHXH")
        assert rights.may_call("BHXH", "GET", "/x")
        assert not rights.may_call("BHXH", "POST", "/x")
