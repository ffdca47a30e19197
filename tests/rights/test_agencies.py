"""Things of one agency, asked for by everybody: who may know of them gets them, all others get what is not there."""

import re

import pytest

from tests.rights.bodies import smallest
from tests.rights.doors import Door, all_doors
from tests.rights.gateway_seeds import CODE
from tests.rights.house import DIRECTLY, OWNER, House, ways_to
from tests.rights.knocking import Heard, all_of
from tests.rights.matrix import Matrix
from tests.rights.nouns import ITS_FRIEND, STRANGERS, Noun, Seeds, in_days

pytestmark = pytest.mark.timeout(300)
RUNNING_IT = (
    "Whoever runs the system sees it whole; events masked, figures of all agencies together; scopes of their own."
)
CATALOGUE = "The catalogue, its calendars and processes are the same for all; changing them is a scope of its own."
OF_NOBODY = {
    r"\w+: \w+ (/api/v1)?/ops/(gateway/)?(waiting|interventions)/.*": RUNNING_IT,
    r"gateway: \w+ /api/v1/ops/\{service\}/\{rest\}": RUNNING_IT,
    r"gateway: GET /api/v1/ops/portal/reconciliations/.*": RUNNING_IT,
    r"intake: \w+ /(agencies|procedures|forms|catalogue/imports|submission-rules)/.*": CATALOGUE,
    r"workflow: \w+ /(calendars|processes)/.*": CATALOGUE,
    r"results: \w+ /result-kinds/.*": CATALOGUE,
    r"gateway: \w+ /api/v1/portal/catalogue/.*": CATALOGUE,
    r"payment: GET /receipt-issuers/.*": "Which agency issues receipts for which stands on every receipt.",
}
"""Addresses whose things are no one agency's, and why."""
TAKEN = {
    "gateway: PUT /api/v1/data-services/{code}": "Codes are the province's: who wants a taken one is told so.",
    "intake: PUT /portal-files/{document_id}": "Its client gives the id: one that is taken names no other file.",
}
"""Where the caller gives the name of what it makes; 409 tells that it is taken, and nothing else."""
KNOWN_BY = {"workflow: POST /consultations/{consultation_id}/answer": ITS_FRIEND}
"""Who else than the owner may do it."""
ALSO_FOUND = frozenset({"qr_not_there", "bill_not_there", "seal_missing", "entry_not_found"})
"""Answers that say: the thing is there, but has no such part."""


def owned(seeds: Seeds) -> list[tuple[Door, Noun]]:
    found = [(door, seeds.of(door.service, door.path)) for door in all_doors() if "{" in door.path and not door.public]
    return [(door, noun) for door, noun in found if noun]


def filled(door: Door, seeds: Seeds) -> dict[str, str]:
    """Return values for what a list asks to be told: the owner's things where that is possible."""
    today = in_days(0)[:10]
    known = {
        "dossier_code": seeds.dossier_of(door.service),
        "agency": OWNER,
        "agency_code": OWNER,
        "agency_codes": OWNER,
        "service": CODE,
        "serviceCode": CODE,
    }
    known |= dict.fromkeys(("from", "since", "first"), today) | dict.fromkeys(("to", "until", "last"), in_days(1)[:10])
    known |= {"kind": "accepted"}
    asked = [one["name"] for one in door.document.get("parameters", ()) if one["in"] == "query"]
    return {name: known[name] for name in asked if name in known}


def needed(door: Door, seeds: Seeds) -> dict[str, str]:
    """Return only those values without which there is no answer."""
    must = [one["name"] for one in door.document.get("parameters", ()) if one["in"] == "query" and one.get("required")]
    return {name: value for name, value in filled(door, seeds).items() if name in must}


NOT_LISTED = {
    # Known by its id alone, and to its client alone.
    "/uploads/{upload_id}",
    "/portal-files/{document_id}",
    "/documents/{document_id}",
    "/drafts/{draft_id}",
    "/reuse/searches/{consent_id}/documents/{result_id}",
    # Listed where it is asked, as long as it is not answered.
    "/consultations/{consultation_id}",
}
FIGURES = {"/api/v1/statistics/transactions": frozenset({CODE})}
"""Names of services stand in the door's figures, which are of all agencies together (RUNNING_IT)."""
LISTS = [door for door in all_doors() if not door.unsafe and not door.public and "{" not in door.path]


def shows(body: bytes, mark: str) -> bool:
    """Tell whether an answer holds a mark; within a longer number (a moment has many digits) it is another."""
    found = mark.encode()
    return found in body and re.search(rb"(?<!\d)%b(?!\d)" % re.escape(found), body) is not None


class TestLists:
    async def test_hold_nothing_of_others(self, house: House, seeds: Seeds) -> None:
        matrix = Matrix("lists")

        async def read(door: Door, way: str, agency: str | None, query: dict[str, str]) -> None:
            heard = await house.knock(door, way, house.authorization(agency=agency), query=query)
            leaked = sorted(mark for mark in seeds.marks - FIGURES.get(door.path, set()) if shows(heard.body, mark))
            found = f"{heard.status} {leaked[:3]}" if leaked else heard.status
            ok = not leaked and heard.status not in {401, 403, 500}
            matrix.note(door, way, f"{agency} {'narrowed' if query else ''}", "nothing", found, ok=ok)

        await all_of(
            read(door, way, agency, query)
            for door in LISTS
            for way in ways_to(door)
            for agency in STRANGERS
            for query in (filled(door, seeds), needed(door, seeds))
        )
        matrix.write()
        assert [str(hole) for hole in matrix.holes] == []

    @pytest.mark.parametrize("agency", ["H32.14.21", "H32.14", "H32"])
    async def test_hold_what_is_ones_own(self, house: House, seeds: Seeds, agency: str) -> None:
        """Otherwise that others do not find it would prove nothing."""
        who = house.authorization(agency=agency)
        heard = await all_of(
            house.knock(door, DIRECTLY, who, query=query(door, seeds)) for door in LISTS for query in (filled, needed)
        )
        shown = b"".join(one.body for one in heard)
        missing = {
            noun.below for noun in seeds.nouns if noun.marks and not any(m.encode() in shown for m in noun.marks)
        }
        assert missing <= NOT_LISTED


class TestThings:
    def test_of_every_kind_are_there(self, seeds: Seeds) -> None:
        """A new address with a parameter says whose thing it is, in seeds.py, or why it is nobody's, here."""
        asked = [door.name for door in all_doors() if "{" in door.path and not door.public]
        covered = {door.name for door, _ in owned(seeds)}
        exempt = {name for name in asked if any(re.fullmatch(one, name) for one in OF_NOBODY)}
        assert [name for name in asked if name not in covered | exempt] == []

    async def test_are_found_only_by_those_who_may_know_of_them(self, house: House, seeds: Seeds) -> None:
        visits = Visits(house, seeds)
        doors = [(door, noun, way) for door, noun in owned(seeds) for way in ways_to(door)]
        await all_of(visits.of_a_stranger(*one, agency) for one in doors for agency in STRANGERS)
        reads = [one for one in doors if not one[0].unsafe]
        await all_of(visits.of_one_who_may(*one, agency) for one in reads for agency in one[1].who_may)
        # One after another, deletions last: each leaves to the next what it needs.
        for one in sorted((one for one in doors if one[0].unsafe), key=lambda one: one[0].method == "DELETE"):
            if one[2] == DIRECTLY:
                await visits.of_one_who_may(*one, KNOWN_BY.get(one[0].name, OWNER))
        visits.matrix.write()
        assert [str(hole) for hole in visits.matrix.holes] == []


class Visits:
    """Who asked for what, and what came of it."""

    def __init__(self, house: House, seeds: Seeds) -> None:
        self.house, self.seeds = house, seeds
        self.matrix = Matrix("agencies")

    async def _ask(self, door: Door, noun: Noun, way: str, agency: str | None) -> Heard:
        body = self.seeds.bodies.get(door.name, smallest(door))
        body = body(agency) if callable(body) else body
        query = self.seeds.queries.get(door.name)
        who = self.house.authorization(agency=agency)
        return await self.house.knock(door, way, who, values=noun.values, query=query, body=body)

    async def of_a_stranger(self, door: Door, noun: Noun, way: str, agency: str | None) -> None:
        """Look for a thing of somebody else."""
        heard = await self._ask(door, noun, way, agency)
        # Whoever has no agency can make nothing at all.
        wanted = 404 if door.name not in TAKEN else 409 if agency or door.service != "gateway" else 422
        told = [mark for mark in noun.marks if mark.encode() in heard.body and mark not in noun.values.values()]
        ok = heard.status == wanted and not told
        self.matrix.note(door, way, f"{agency}", f"{wanted}", f"{heard.status} {told[:1] or heard.code}", ok=ok)

    async def of_one_who_may(self, door: Door, noun: Noun, way: str, agency: str) -> None:
        """Look for a thing of one's own, or of one below: otherwise the strangers' 404 would prove nothing."""
        heard = await self._ask(door, noun, way, agency)
        # What a stranger is not refused for, but the owner is, is refused for what the thing is.
        found = heard.status < 300 or heard.status in {409, 412, 422, 428} or heard.code in ALSO_FOUND
        self.matrix.note(
            door, way, agency, "found", heard.status if found else f"{heard.status} {heard.code}", ok=found
        )
