"""Data services: nothing is there for a client without a right at them, whatever its scopes and agency."""

import pytest

from tests.rights.bodies import smallest
from tests.rights.doors import Door, all_doors, all_scopes
from tests.rights.faults import bad_authorizations
from tests.rights.gateway_seeds import CODE, SERVICES
from tests.rights.house import DIRECTLY, OWNER, WITHOUT_GRANTS, House
from tests.rights.knocking import all_of
from tests.rights.matrix import Matrix
from tests.rights.nouns import STRANGERS, Seeds

pytestmark = pytest.mark.timeout(300)
DOCUMENTS = [door for door in all_doors() if door.behind_a_grant]
OWNERS = [
    Door("gateway", method, f"{SERVICES}/{{code}}{path}", {}, {})
    for version in ("", "/v1")
    for method, path in (("GET", f"{version}/things/7"), ("POST", f"{version}/things"), ("GET", f"{version}/others"))
]
"""Of the owner's data service, as its contract has them and one that it has not."""


class TestGrants:
    async def test_that_are_missing_keep_everything_hidden(self, house: House, seeds: Seeds) -> None:
        matrix = Matrix("grants")

        async def stranger(door: Door, who: str, authorization: str) -> None:
            noun = seeds.of("gateway", door.path)
            values = {"code": CODE} if door in OWNERS else noun.values if noun else {}
            heard = await house.knock(door, DIRECTLY, authorization, values=values, body=smallest(door))
            ok = (heard.status, heard.code) == (404, "data_service_not_found")
            matrix.note(door, DIRECTLY, who, "404", f"{heard.status} {heard.code}", ok=ok)

        without = house.authorization(client=WITHOUT_GRANTS)
        await all_of(stranger(door, WITHOUT_GRANTS, without) for door in (*DOCUMENTS, *OWNERS))
        others = [(f"{agency}", house.authorization(agency=agency)) for agency in ("H32", "H32.14", *STRANGERS)]
        await all_of(stranger(door, *other) for door in OWNERS for other in others)
        matrix.write()
        assert [str(hole) for hole in matrix.holes] == []

    async def test_do_not_stand_in_for_a_token(self, house: House) -> None:
        bad = bad_authorizations(house.issuer, all_scopes())
        heard = await all_of(
            house.knock(door, DIRECTLY, authorization, values={"code": CODE})
            for door in OWNERS
            for authorization in bad.values()
        )
        assert {(one.status, one.code) for one in heard} == {(401, "unauthenticated")}

    async def test_open_what_the_contract_has(self, house: House, seeds: Seeds) -> None:
        """Otherwise that others find nothing would prove nothing; behind the owner's service is nobody."""
        who = house.authorization(agency=OWNER)
        heard = await all_of(house.knock(door, DIRECTLY, who, values={"code": CODE}, body={}) for door in OWNERS)
        assert [one.code for one in heard] == [
            "upstream_unavailable",
            "upstream_unavailable",
            "operation_not_in_contract",
        ] * 2
        del seeds
