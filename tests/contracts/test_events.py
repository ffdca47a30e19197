"""What an event promises its readers: a schema, an example, and that neither is ever taken back."""

import json
import re
from copy import deepcopy
from typing import Any

import jsonschema_rs
import pytest

from deploy.docs import bus
from deploy.local.folder import ROOT
from shared import asyncapi
from shared.events.intake import DossierAccepted
from shared.events.registry import EVENTS

KINDS = list(EVENTS)


def committed(folder: str, kind: str) -> dict[str, Any]:
    """Return a committed schema or example."""
    return json.loads((ROOT / "shared/events" / folder / f"{kind}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
class TestExample:
    """The example of an event."""

    def test_fits_schema_and_class(self, kind: str) -> None:
        data = committed("examples", kind)
        schema = jsonschema_rs.Draft202012Validator(committed("schemas", kind), validate_formats=True)
        schema.validate(data)
        assert EVENTS[kind].model_validate(data).model_dump(mode="json") == data

    def test_without_any_needed_field_fits_neither(self, kind: str) -> None:
        schema = committed("schemas", kind)
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        for field in schema["required"]:
            data = committed("examples", kind)
            del data[field]
            assert not validator.is_valid(data), field
            with pytest.raises(ValueError, match=field):
                EVENTS[kind].model_validate(data)

    def test_is_about_nobody_real(self, kind: str) -> None:
        text = json.dumps(committed("examples", kind))
        assert set(re.findall(r"@([\w.]+)", text)) <= {"example.org"}
        assert set(re.findall(r'"phone": "(\d+)"', text)) <= {"0000000001", "0000000002"}


def test_nothing_committed_is_broken_by_the_code() -> None:
    assert bus.broken_promises() == []


def test_nothing_committed_is_about_events_that_do_not_exist() -> None:
    for folder in ("schemas", "examples"):
        assert {path.stem for path in (ROOT / "shared/events" / folder).glob("*.json")} == set(KINDS)


def changed(**changes: Any) -> list[str]:
    """Return what is found broken when fields of dossier.accepted become others; None takes one away."""
    before = asyncapi.event_schema(DossierAccepted)
    after = deepcopy(before)
    for field, schema in changes.items():
        if schema is None:
            del after["properties"][field]
            after["required"] = [name for name in after["required"] if name != field]
        else:
            after["properties"][field] = schema
    return asyncapi.broken_promises(before, after)


class TestPromises:
    """What counts as taking something back."""

    @pytest.mark.parametrize("field", list(asyncapi.event_schema(DossierAccepted)["properties"]))
    def test_removing_any_field(self, field: str) -> None:
        assert f"data.{field} was removed" in changed(**{field: None})

    @pytest.mark.parametrize("field", list(asyncapi.event_schema(DossierAccepted)["properties"]))
    def test_retyping_any_field(self, field: str) -> None:
        assert any(f"data.{field}" in line for line in changed(**{field: {"type": "null"}}))

    def test_loosening_a_field(self) -> None:
        loose = {"anyOf": [{"type": "string"}, {"type": "null"}]}
        assert changed(accepted_by=loose)

    def test_dropping_a_format(self) -> None:
        assert changed(accepted_at={"type": "string"}) == ["data.accepted_at: date-time became None"]

    def test_demanding_a_new_field(self) -> None:
        before = asyncapi.event_schema(DossierAccepted)
        after = deepcopy(before)
        after["properties"]["extra"] = {"type": "string"}
        assert asyncapi.broken_promises(before, after) == []
        after["required"].append("extra")
        assert asyncapi.broken_promises(before, after) == ["data.extra is now demanded"]

    def test_no_longer_sending_a_field_always(self) -> None:
        before = asyncapi.event_schema(DossierAccepted)
        after = deepcopy(before)
        after["required"].remove("due_at")
        assert asyncapi.broken_promises(before, after) == ["data.due_at is no longer always there"]

    def test_changing_a_part_that_several_share(self) -> None:
        before = asyncapi.event_schema(DossierAccepted)
        after = deepcopy(before)
        del after["$defs"]["Party"]["properties"]["phone"]
        assert asyncapi.broken_promises(before, after) == [
            "data.applicant.phone was removed",
            "data.owner.phone was removed",
        ]

    def test_taking_a_word_out_of_an_enumeration_but_not_adding_one(self) -> None:
        before = asyncapi.event_schema(DossierAccepted)
        after = deepcopy(before)
        after["$defs"]["Channel"]["enum"].append("telepathy")
        assert asyncapi.broken_promises(before, after) == []
        assert asyncapi.broken_promises(after, before) == ["data.channel: 'telepathy' was removed"]

    def test_not_better_words(self) -> None:
        before = asyncapi.event_schema(DossierAccepted)
        after = deepcopy(before)
        after["description"] = after["properties"]["due_at"]["description"] = "better"
        assert asyncapi.broken_promises(before, after) == []


def test_a_reader_ignores_fields_it_does_not_know() -> None:
    data = committed("examples", "intake.dossier.accepted.v1") | {"added": {"later": True}}
    assert "added" not in DossierAccepted.model_validate(data).model_dump()
