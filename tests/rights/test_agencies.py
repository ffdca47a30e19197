"""Things of one agency, asked for by everybody: who may know of them gets them, anybody else gets what a stranger gets."""

import re

import pytest

from tests.rights.bodies import smallest
from tests.rights.doors import Door, all_doors
from tests.rights.house import DIRECTLY, House, ways_to
from tests.rights.knocking import Heard, all_of
from tests.rights.matrix import Matrix
from tests.rights.seeds import OWNER, STRANGERS, WHO_MAY, Noun, Seeds, sow

pytestmark = pytest.mark.timeout(300)
OF_NOBODY = re.compile(
    # Whoever runs the system sees every dossier's events, masked; the scopes of ops are theirs alone.
    r"\w+: \w+ (/api/v1)?/ops/.*"
    # The catalogue, its calendars and processes are the same for all; changing them is a scope of its own.
    r"|intake: \w+ /(agencies|procedures|forms|catalogue/imports|submission-rules)/.*"
    r"|workflow: \w+ /(calendars|processes)/.*"
    r"|results: \w+ /result-kinds/.*"
)
BODIES: dict[str, object] = {}


@pytest.fixture(scope="module")
async def seeds(house: House) -> Seeds:
    return await sow(house)


def owned(seeds: Seeds) -> list[tuple[Door, Noun]]:
    found = [(door, seeds.of(door.service, door.path)) for door in all_doors() if "{" in door.path and not door.public]
    return [(door, noun) for door, noun in found if noun]


class TestThings:
    def test_of_every_kind_are_there(self, seeds: Seeds) -> None:
        """A new address with a parameter says whose thing it is, in seeds.py, or why it is nobody's, here."""
        asked = [door.name for door in all_doors() if "{" in door.path and not door.public]
        covered = {door.name for door, _ in owned(seeds)}
        assert [name for name in asked if name not in covered and not OF_NOBODY.search(name)] == []

    async def test_are_nobodys_elses(self, house: House, seeds: Seeds) -> None:
        matrix = Matrix("agencies")

        async def ask(door: Door, noun: Noun, way: str, agency: str | None) -> Heard:
            body = BODIES.get(door.name, smallest(door))
            return await house.knock(door, way, house.authorization(agency=agency), values=noun.values, body=body)

        async def strange(door: Door, noun: Noun, way: str, agency: str | None) -> None:
            heard = await ask(door, noun, way, agency)
            matrix.note(door, way, f"{agency}", "404", heard.status, ok=heard.status == 404)

        async def known(door: Door, noun: Noun, way: str, agency: str) -> None:
            heard = await ask(door, noun, way, agency)
            ok = heard.status < 300 if not door.unsafe else heard.status not in {401, 403, 404, 405, 422, 500}
            matrix.note(
                door, way, agency, "found", f"{heard.status} {heard.body[:200]!r}" if not ok else heard.status, ok=ok
            )

        doors = [(door, noun, way) for door, noun in owned(seeds) for way in ways_to(door)]
        await all_of(strange(*one, agency) for one in doors for agency in STRANGERS)
        await all_of(known(*one, agency) for one in doors if not one[0].unsafe for agency in WHO_MAY)
        for door, noun, way in doors:
            if door.unsafe and way == DIRECTLY:
                await known(door, noun, way, OWNER)
        matrix.write()
        assert [str(hole) for hole in matrix.holes] == []
