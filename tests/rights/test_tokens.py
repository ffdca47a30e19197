"""Every endpoint × every token that must not open it × both ways to it; and every scope that it needs."""

from collections.abc import Iterator

import pytest

from tests.rights.doors import Door, all_doors, all_scopes
from tests.rights.faults import bad_authorizations
from tests.rights.house import DIRECTLY, THROUGH, House, ways_to
from tests.rights.knocking import Heard, all_of
from tests.rights.matrix import Matrix

pytestmark = pytest.mark.timeout(300)
SHUT = [door for door in all_doors() if not door.public]


class TestDoors:
    """What the documents say."""

    def test_say_which_scopes_open_them_or_are_everybodys(self) -> None:
        assert [door.name for door in SHUT if not (door.scopes or door.one_of or door.any_client)] == []

    def test_that_are_everybodys_ask_for_no_token(self) -> None:
        assert [door.name for door in all_doors() if door.public and any(door.document.get("security", ()))] == []

    def test_let_nobody_through_at_the_gateway_whom_they_shut_out(self) -> None:
        """The gateway asks for a token wherever the service does."""
        behind = [door for door in all_doors() if THROUGH in ways_to(door)]
        assert [door.name for door in behind if door.public_at_the_gateway() and not door.public] == []
        shut = {door.name for door in behind if door.public and not door.public_at_the_gateway()}
        assert shut == set()


async def _try(house: House, matrix: Matrix, door: Door, way: str, fault: str, authorization: str | None) -> None:
    heard = await house.knock(door, way, authorization)
    ok = heard.status == 401 and heard.code == "unauthenticated" and "www-authenticate" in heard.headers
    matrix.note(door, way, fault, "401", heard.status, ok=ok)


class TestTokens:
    async def test_with_a_fault_open_nothing(self, house: House) -> None:
        matrix = Matrix("tokens")
        bad = bad_authorizations(house.issuer, all_scopes())
        await all_of(
            _try(house, matrix, door, way, fault, authorization)
            for door in SHUT
            for way in ways_to(door)
            for fault, authorization in bad.items()
        )
        matrix.write()
        assert len(matrix.cells) == len(bad) * sum(len(ways_to(door)) for door in SHUT)
        assert [str(hole) for hole in matrix.holes] == []

    async def test_without_fault_open_everything(self, house: House) -> None:
        """Otherwise the faults would prove nothing."""
        good = house.authorization()
        heard = await all_of(house.knock(door, DIRECTLY, good) for door in SHUT if not door.unsafe)
        assert not {one.status for one in heard} & {401, 403, 500, 503}


def _lacking(door: Door) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what is missing, and the scopes that are left: all others there are."""
    for scope in sorted(door.scopes):
        yield f"without {scope}", all_scopes() - {scope}
    if door.one_of:
        yield "without any", all_scopes() - door.one_of


def _enough(door: Door) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the least that opens a door."""
    if door.scopes:
        yield "with these alone", door.scopes
    for scope in sorted(door.one_of):
        yield f"with {scope} alone", frozenset({scope})


class TestScopes:
    async def test_that_are_missing_keep_a_door_shut(self, house: House) -> None:
        matrix = Matrix("scopes")

        async def lack(door: Door, way: str, what: str, left: frozenset[str]) -> None:
            heard = await house.knock(door, way, house.authorization(left))
            matrix.note(door, way, what, "403", heard.status, ok=heard.status == 403 and heard.code == "forbidden")

        async def have(door: Door, what: str, scopes: frozenset[str]) -> None:
            heard = await house.knock(door, DIRECTLY, house.authorization(scopes))
            matrix.note(door, DIRECTLY, what, "open", heard.status, ok=_is_open(heard))

        doors = [(door, way) for door in SHUT for way in ways_to(door)]
        await all_of(lack(door, way, *one) for door, way in doors for one in _lacking(door))
        await all_of(have(door, *one) for door in SHUT for one in _enough(door))
        matrix.write()
        assert [str(hole) for hole in matrix.holes] == []

    async def test_are_asked_of_everybody_whatever_their_agency(self, house: House) -> None:
        """No agency, not even the one above all, stands in for a scope."""
        nothing = house.authorization([], agency="H32")
        doors = [door for door in SHUT if not door.any_client]
        heard = await all_of(house.knock(door, DIRECTLY, nothing) for door in doors)
        assert [door.name for door, one in zip(doors, heard, strict=True) if one.status != 403] == []


def _is_open(heard: Heard) -> bool:
    return heard.status not in {401, 403, 500}
