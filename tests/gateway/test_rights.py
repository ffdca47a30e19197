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


class TestGiving:
    """Nobody gives more than he holds."""

    @pytest.mark.parametrize(
        ("own", "given"),
        [
            (Grant("*"), Grant("BHXH", frozenset({"DELETE"}), ("/**",))),
            (Grant("*"), Grant("*")),
            (POPULATION, POPULATION),
            (POPULATION, Grant("CSDL_DanCu", frozenset({"GET"}), ("/citizens/056090000001", "/households/*/x/**"))),
            (Grant("x", paths=("/**",)), Grant("x", paths=("/a/*", "/a/**"))),
            (Grant("x", paths=("/a/*", "/b")), Grant("x", paths=("/b",))),
        ],
    )
    def test_of_a_part_is_allowed(self, own: Grant, given: Grant) -> None:
        assert Rights("manager", (own,)).may_give(given)

    @pytest.mark.parametrize(
        ("own", "given"),
        [
            (POPULATION, Grant("*", frozenset({"GET"}), ("/citizens/*",))),
            (POPULATION, Grant("CSDL_DanCu", paths=("/citizens/*",))),
            (POPULATION, Grant("CSDL_DanCu", frozenset({"GET", "PUT"}), ("/citizens/*",))),
            (POPULATION, Grant("CSDL_DanCu", frozenset({"GET"}))),
            (POPULATION, Grant("CSDL_DanCu", frozenset({"GET"}), ("/citizens/**",))),
            (POPULATION, Grant("CSDL_DanCu", frozenset({"GET"}), ("/**",))),
            (Grant("x", paths=("/a/*/c",)), Grant("x", paths=("/a/**",))),
            (Grant("x", paths=("/a/*/**",)), Grant("x", paths=("/a/**",))),
            (Grant("x", paths=("/a/b*",)), Grant("x", paths=("/a/*",))),
            (Grant("x"), Grant("y")),
        ],
    )
    def test_of_more_is_not(self, own: Grant, given: Grant) -> None:
        assert not Rights("manager", (own,)).may_give(given)
