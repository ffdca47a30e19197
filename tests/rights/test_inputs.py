"""Bodies that say more than they may: nobody sets what is the server's, and what nobody knows is refused by name."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gateway.routes.rooms import FILES
from tests.rights.bodies import smallest
from tests.rights.doors import Door, all_doors
from tests.rights.house import DIRECTLY, House
from tests.rights.knocking import all_of

JSON = "application/json"
NOT_OURS = ("zz_unknown", "__proto__", "constructor")
SERVER_OWNED = ("id", "status", "created_at", "updated_at", "client_id", "version", "sequence", "code", "agency",
                "agency_code", "owner_agency", "submitted_at", "issued_at", "amount_vnd", "paid_vnd", "is_admin",
                "scopes", "caller", "sha256", "tracking_code", "position")  # fmt: skip
THEIR_OWN_WORDS = re.compile(r"gateway: POST /api/v1/portal/.*|payment: POST /payments/(callbacks|lookups)/.*")
"""Messages of the national portal, the payment platform and the banks: they add members when they please, and what
is not ours to know is left out unread. Their tests show that nothing of it is kept."""


def takes_json(door: Door) -> Mapping[str, Any] | None:
    """Return the schema of a door's JSON body."""
    content = door.document.get("requestBody", {}).get("content", {})
    return content.get(JSON, {}).get("schema") if door.unsafe else None


DOORS = [door for door in all_doors() if takes_json(door) is not None]
STRICT = [door for door in DOORS if not THEIR_OWN_WORDS.fullmatch(door.name)]


def properties(door: Door) -> set[str]:
    schema: Mapping[str, Any] = takes_json(door) or {}
    while "$ref" in schema:
        schema = door.schemas[schema["$ref"].rpartition("/")[2]]
    return set(schema.get("properties", ()))


def open_objects(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], path: str, seen: frozenset[str]
) -> Iterator[str]:
    """Yield where in a schema an object with known members takes others, too."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from open_objects(schemas[name], schemas, f"{path}{name}", seen | {name})
        return
    if "properties" in schema and schema.get("additionalProperties") is not False:
        yield path
    for name, inner in schema.get("properties", {}).items():
        yield from open_objects(inner, schemas, f"{path}.{name} ", seen)
    for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from open_objects(one, schemas, path, seen)
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), Mapping):
            yield from open_objects(schema[inner], schemas, path, seen)


class TestBodies:
    @pytest.mark.parametrize("door", STRICT, ids=lambda door: door.name)
    def test_take_no_member_that_they_do_not_name(self, door: Door) -> None:
        """At no depth."""
        assert list(open_objects(takes_json(door) or {}, door.schemas, "", frozenset())) == []

    async def test_are_refused_for_every_member_that_is_not_theirs(self, house: House) -> None:
        """On the wire, whatever else they hold; each member is named in the refusal."""

        async def overreach(door: Door) -> list[str]:
            given = smallest(door)
            more = [name for name in (*NOT_OURS, *SERVER_OWNED) if name not in properties(door)]
            body = {**(given if isinstance(given, dict) else {}), **dict.fromkeys(more, "x")}
            heard = await house.knock(door, DIRECTLY, house.authorization(), body=body)
            named = {error["field"] for error in heard.json().get("errors", ())} if heard.status == 422 else set()
            return [f"{door.name}: {name} ({heard.status})" for name in more if f"body.{name}" not in named]

        taken = await all_of(overreach(door) for door in STRICT)
        assert [one for found in taken for one in found] == []

    def test_in_words_of_others_are_few(self) -> None:
        assert len(DOORS) - len(STRICT) <= 8


class TestFiles:
    def test_have_their_room_at_the_gateway_too(self) -> None:
        """What a service takes as a file the gateway passes on as one."""
        usual = {JSON, "application/x-www-form-urlencoded"}
        taken = {
            f"{door.method} {door.at_the_gateway()}"
            for door in all_doors()
            if door.service != "gateway"
            and door.at_the_gateway()
            and set(door.document.get("requestBody", {}).get("content", {})) - usual
        }
        assert taken == set(FILES)
