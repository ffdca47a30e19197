"""The sample catalogue: well formed, consistent in itself, and in agreement with the national catalogue."""

import gzip
import json
import unicodedata
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from shared.identifiers import NEW_AGENCY, PROCEDURE, agency_ancestors

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
DATA = ROOT / "services" / "intake" / "data"
NATIONAL = ROOT.parent / "shared" / "data" / "tthc-national.jsonl.gz"
DAY_MINUTES = 480
SAME_DAY_MINUTES = 120
"""What is received at 15:00 is due at 17:00."""


@cache
def catalogue() -> Json:
    """Return the catalogue as it ships."""
    return json.loads((DATA / "catalogue.json").read_text(encoding="utf-8"))


@cache
def schema() -> Json:
    """Return the schema beside it."""
    return json.loads((DATA / "catalogue.schema.json").read_text(encoding="utf-8"))


@cache
def national() -> dict[str, Json]:
    """Return the national catalogue by code; the project does not contain it."""
    if not NATIONAL.exists():
        pytest.skip("the national catalogue does not lie beside this checkout")
    with gzip.open(NATIONAL, "rt", encoding="utf-8") as lines:
        return {procedure["code"]: procedure for procedure in map(json.loads, lines)}


def procedures() -> list[Json]:
    """Return all procedures."""
    return catalogue()["procedures"]


def working_minutes(procedure: Json) -> int:
    """Return the working minutes that a procedure's term surely holds, whatever weekday it starts on."""
    amount, unit = procedure["duration"]["amount"], procedure["duration"]["unit"]
    if procedure["same_day"]:
        return SAME_DAY_MINUTES
    if unit == "month":
        amount, unit = amount * 28, "day"
    if unit == "day":
        weeks, rest = divmod(amount, 7)
        return (weeks * 5 + max(0, rest - 2)) * DAY_MINUTES
    return amount * {"hour": 60, "working_hour": 60, "working_day": DAY_MINUTES}[unit]


def longest_path(steps: list[Json]) -> int:
    """Return the minutes of a process when every step takes all its time. Raises CycleError."""
    times = {step["key"]: step["minutes"] for step in steps}
    before = {step["key"]: step["after"] for step in steps}
    done: dict[str, int] = {}
    for key in TopologicalSorter(before).static_order():
        done[key] = times[key] + max((done[earlier] for earlier in before[key]), default=0)
    return max(done.values())


each_procedure = pytest.mark.parametrize("procedure", procedures(), ids=lambda procedure: procedure["code"])


class TestCatalogue:
    """The file as a whole."""

    def test_satisfies_its_schema(self) -> None:
        jsonschema_rs.meta.validate(schema())
        validator = jsonschema_rs.Draft202012Validator(schema(), validate_formats=True)
        assert [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(catalogue())] == []

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda procedure: procedure.pop("process"),
            lambda procedure: procedure.update(code="1.4222"),
            lambda procedure: procedure.update(valid_from="2025-02-30"),
            lambda procedure: procedure["process"]["steps"][0].update(role="boss"),
            lambda procedure: procedure["duration"].update(amount=0),
            lambda procedure: procedure.update(surprise=True),
        ],
    )
    def test_would_not_satisfy_its_schema_when_spoilt(self, spoil: Callable[[Json], object]) -> None:
        copy = json.loads(json.dumps(catalogue()))
        spoil(copy["procedures"][0])
        assert not jsonschema_rs.Draft202012Validator(schema(), validate_formats=True).is_valid(copy)

    def test_is_composed_unicode(self) -> None:
        """Decomposed letters, as parts of the national catalogue have them, would never compare equal."""
        assert unicodedata.is_normalized("NFC", (DATA / "catalogue.json").read_text(encoding="utf-8"))

    def test_shares_its_codes_with_the_rest_of_the_product(self) -> None:
        assert schema()["$defs"]["agency_code"]["pattern"] == f"^{NEW_AGENCY}$"
        assert PROCEDURE.startswith(schema()["$defs"]["procedure_code"]["pattern"].strip("^$"))

    def test_names_everything_once_and_in_order(self) -> None:
        for items, key in ((procedures(), "code"), (catalogue()["fields"], "code"), (catalogue()["agencies"], "code")):
            codes = [item[key] for item in items]
            assert codes == sorted(set(codes))
        assert len({fee["code"] for procedure in procedures() for fee in procedure["fees"]}) == sum(
            len(procedure["fees"]) for procedure in procedures()
        )

    def test_has_a_tree_of_agencies(self) -> None:
        codes = {agency["code"] for agency in catalogue()["agencies"]}
        for agency in catalogue()["agencies"]:
            assert agency["parent"] == next(iter(agency_ancestors(agency["code"])), None)
            assert agency["parent"] is None or agency["parent"] in codes

    def test_uses_all_that_it_names(self) -> None:
        fields = {procedure["field"] for procedure in procedures()}
        assert fields == {field["code"] for field in catalogue()["fields"]}
        receivers = {agency for procedure in procedures() for agency in procedure["agencies"]}
        assert receivers == {agency["code"] for agency in catalogue()["agencies"]} - {"H32"}
        noted = {note["procedure"] for note in catalogue()["notes"]} - {None}
        assert noted <= {procedure["code"] for procedure in procedures()}

    def test_spreads_over_what_an_office_meets(self) -> None:
        steps = [step for procedure in procedures() for step in procedure["process"]["steps"]]
        fees = [fee for procedure in procedures() for fee in procedure["fees"]]
        assert len(procedures()) >= 48
        assert {procedure["level"] for procedure in procedures()} == {"province", "commune"}
        assert {procedure["service_level"] for procedure in procedures()} == {"full_online", "partial", "information"}
        assert {procedure["duration"]["unit"] for procedure in procedures()} == {"working_hour", "day", "working_day"}
        assert {fee["collected"] for fee in fees} == {"on_acceptance", "on_return"}
        assert {step["role"] for step in steps} == {
            "receiver",
            "appraiser",
            "leader",
            "clerk",
            "specialist",
            "consulted",
        }
        shapes = Counter(shape for procedure in procedures() for shape in traits(procedure))
        assert min(shapes[trait] for trait in TRAITS) >= 1, shapes
        assert shapes["bench"] >= 3


TRAITS: dict[str, Callable[[Json], bool]] = {
    "bench": lambda procedure: len(procedure["process"]["steps"]) == 1 and not procedure["fees"],
    "several fees": lambda procedure: len(procedure["fees"]) > 1,
    "free online": lambda procedure: any(
        fee["amounts_vnd"].get("online") == 0 and fee["amounts_vnd"]["direct"] > 0 for fee in procedure["fees"]
    ),
    "paid on return": lambda procedure: any(fee["collected"] == "on_return" for fee in procedure["fees"]),
    "awaits payment": lambda procedure: any(step["awaits_payment"] for step in procedure["process"]["steps"]),
    "joins": lambda procedure: any(len(step["after"]) > 1 for step in procedure["process"]["steps"]),
    "two endings": lambda procedure: len(final_steps(procedure)) > 1,
    "same day": lambda procedure: procedure["same_day"],
    "thirty days": lambda procedure: procedure["duration"] == {"amount": 30, "unit": "day"},
    "no document": lambda procedure: not any(result["document"] for result in procedure["results"]),
    "several results": lambda procedure: len(procedure["results"]) > 1,
    "expired": lambda procedure: procedure["valid_to"] is not None,
}


def traits(procedure: Json) -> list[str]:
    """Return what a procedure is an example of."""
    return [trait for trait, has in TRAITS.items() if has(procedure)]


def final_steps(procedure: Json) -> set[str]:
    """Return the steps that no other waits for."""
    steps = procedure["process"]["steps"]
    return {step["key"] for step in steps} - {earlier for step in steps for earlier in step["after"]}


@each_procedure
class TestProcedure:
    """Every procedure by itself."""

    def test_belongs_to_what_the_file_names(self, procedure: Json) -> None:
        assert procedure["field"] in {field["code"] for field in catalogue()["fields"]}
        assert set(procedure["agencies"]) <= {agency["code"] for agency in catalogue()["agencies"]}
        assert procedure["process"]["code"] == f"QT-{procedure['code']}"
        assert procedure["valid_to"] is None or date.fromisoformat(procedure["valid_from"]) <= date.fromisoformat(
            procedure["valid_to"]
        )

    def test_is_online_when_its_level_says_so(self, procedure: Json) -> None:
        assert ("online" in procedure["channels"]) == (procedure["service_level"] != "information")

    def test_has_an_amount_on_every_channel(self, procedure: Json) -> None:
        for number, fee in enumerate(procedure["fees"], 1):
            assert list(fee["amounts_vnd"]) == procedure["channels"]
            assert any(fee["amounts_vnd"].values())
            assert fee["code"] == f"{'P' if fee['kind'] == 'phi' else 'LP'}-{procedure['code']}-{number:02d}"

    def test_asks_for_numbered_components(self, procedure: Json) -> None:
        components = procedure["components"]
        assert [component["code"] for component in components] == [f"TP{n:02d}" for n in range(1, len(components) + 1)]
        assert any(component["required"] for component in components)
        assert all(component["originals"] + component["copies"] for component in components)

    def test_lists_every_step_after_those_it_waits_for(self, procedure: Json) -> None:
        seen: set[str] = set()
        for step in procedure["process"]["steps"]:
            assert set(step["after"]) <= seen
            assert step["key"] not in seen
            seen.add(step["key"])
        assert final_steps(procedure)

    def test_can_be_done_in_its_term(self, procedure: Json) -> None:
        assert longest_path(procedure["process"]["steps"]) <= working_minutes(procedure)

    def test_issues_its_documents_in_one_step(self, procedure: Json) -> None:
        issuing = sum(step["output"] == "result" for step in procedure["process"]["steps"])
        assert issuing == any(result["document"] for result in procedure["results"])

    def test_waits_only_for_fees_that_can_be_paid_by_then(self, procedure: Json) -> None:
        if "awaits payment" in traits(procedure):
            assert procedure["fees"]
            assert all(fee["collected"] == "on_acceptance" for fee in procedure["fees"])
            assert all(all(fee["amounts_vnd"].values()) for fee in procedure["fees"])

    def test_agrees_with_the_national_catalogue(self, procedure: Json) -> None:
        fact = national().get(procedure["code"])
        if fact is None:
            pytest.skip("the national catalogue beside this checkout does not hold it")
        names = {field["code"]: field["name"] for field in catalogue()["fields"]}
        assert names[procedure["field"]] == unicodedata.normalize("NFC", fact["field"])
        assert procedure["level"] in fact["levels"]
        assert set(procedure["channels"]) == {channel["channel"] for channel in fact["channels"]}
        terms = {(channel["duration"], channel["duration_unit"]) for channel in fact["channels"]} - {(None, None)}
        unit = procedure["duration"]["unit"].replace("working_hour", "hour")
        assert not terms or (procedure["duration"]["amount"], unit) in terms
        codes = {result["code"] for result in fact["results"]}
        assert all(result["code"] in codes for result in procedure["results"] if result["code"].startswith("KQ."))


def test_a_process_that_bites_its_tail_has_no_length() -> None:
    """The check of every process can fail."""
    steps = [{"key": "a", "minutes": 1, "after": ["b"]}, {"key": "b", "minutes": 1, "after": ["a"]}]
    with pytest.raises(CycleError):
        longest_path(steps)


def test_parallel_steps_take_as_long_as_the_longest() -> None:
    """A fork costs its longest branch, a join waits for it."""
    steps = [
        {"key": "a", "minutes": 10, "after": []},
        {"key": "b", "minutes": 20, "after": ["a"]},
        {"key": "c", "minutes": 5, "after": ["a"]},
        {"key": "d", "minutes": 1, "after": ["b", "c"]},
    ]
    assert longest_path(steps) == 31
