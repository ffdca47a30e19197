"""Requests' JSON: taken as it is written, or refused."""

from datetime import date, time
from typing import Annotated, Any

import pytest
from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from shared.bodies import ITEMS_MAX, TEXT_MAX, WHOLE_MAX, Body, Day, LocalTime, Moment, Trimmed


class Part(Body):
    """A part."""

    amount: int


class Order(Body):
    """A body with something of every kind."""

    day: date | None = None
    at: AwareDatetime | None = None
    amount: int = Field(default=1, ge=0)
    share: float = 0.5
    urgent: bool = False
    words: str = ""
    parts: list[Part] = Field(default=[])
    more: dict[str, Any] = Field(default={})


class TestBody:
    """What a call sends."""

    @pytest.mark.parametrize(
        "given",
        [
            {"day": 0},
            {"day": "0"},
            {"day": "2026-04-07T00:00:00Z"},
            {"day": "0001-01-01"},
            {"at": 1_775_000_000},
            {"at": "1775000000"},
            {"at": "2026-04-07T09:30:00"},
            {"amount": "5"},
            {"amount": True},
            {"amount": 2**53},
            {"share": "0.5"},
            {"urgent": 1},
            {"urgent": "true"},
            {"words": "x" * (TEXT_MAX + 1)},
            {"parts": [{"amount": "1"}]},
            {"parts": [{"amount": 1}] * (ITEMS_MAX + 1)},
            {"more": {"deep": [{"number": 2**64}]}},
            {"more": {"number": float("nan")}},
            {"more": {"number": 1e20}},
            {"unknown": 1},
        ],
        ids=str,
    )
    def test_is_not_bent_to_fit(self, given: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            Order.model_validate(given)

    def test_takes_what_its_schema_allows(self) -> None:
        given = {
            "day": "2026-04-07",
            "at": "2026-04-07T09:30:00+07:00",
            "amount": WHOLE_MAX,
            "share": 1,
            "urgent": True,
        }
        taken = Order.model_validate({**given, "parts": [{"amount": 5.0}], "more": {"a": [1, "x", None]}})
        assert (taken.day, taken.parts[0].amount, taken.more) == (date(2026, 4, 7), 5, {"a": [1, "x", None]})

    def test_says_its_bounds(self) -> None:
        schema = Order.model_json_schema()
        properties = schema["properties"]
        assert schema["additionalProperties"] is False
        assert properties["words"]["maxLength"] == TEXT_MAX
        assert properties["parts"]["maxItems"] == ITEMS_MAX
        assert (properties["amount"]["minimum"], properties["amount"]["maximum"]) == (0, WHOLE_MAX)


class TestTrimmed:
    """A text that has space around it."""

    TEXT: TypeAdapter[str] = TypeAdapter(Annotated[str, Trimmed(5, 2)])

    def test_is_taken_without_it(self) -> None:
        assert self.TEXT.validate_python(" ab\n") == "ab"

    @pytest.mark.parametrize("given", ["a", " a   ", "     ", "abcdef", "a\x00b", 12])
    def test_is_refused_when_the_rest_does_not_do(self, given: object) -> None:
        with pytest.raises(ValidationError):
            self.TEXT.validate_python(given)

    def test_too_short_without_it_is_refused_in_words_of_ours(self) -> None:
        with pytest.raises(ValidationError, match="not counting space around"):
            self.TEXT.validate_python("     ")

    def test_says_its_bounds(self) -> None:
        said = {"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[^\\x00]*$"}
        assert self.TEXT.json_schema() == said


class TestTimes:
    """Days, moments and times of day in a query."""

    @pytest.mark.parametrize("text", ["0", "20260407", "2026-4-7", "2026-04-07 ", "٢٠٢٦-٠٤-٠٧"])
    def test_day_has_one_form(self, text: str) -> None:
        with pytest.raises(ValidationError):
            TypeAdapter(Day).validate_python(text)

    @pytest.mark.parametrize("text", ["0", "2026-04-07", "2026-04-07T09:30:00", "9999-12-31T23:59:59Z"])
    def test_moment_has_a_zone_and_room_around_it(self, text: str) -> None:
        with pytest.raises(ValidationError):
            TypeAdapter(Moment).validate_python(text)

    def test_time_of_day_has_no_zone(self) -> None:
        hours = TypeAdapter(LocalTime)
        assert hours.validate_python("07:30") == time(7, 30)
        for text in ("07:30:00Z", "24:00", 450):
            with pytest.raises(ValidationError):
                hours.validate_python(text)
