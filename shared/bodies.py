"""What a request's JSON may hold: taken as it is written, never bent to fit, and bounded everywhere.

pydantic bends what is near enough: "5" and true are numbers to it, 0 is a day in 1970. A contract that says `integer`
or `date` promises otherwise, and a client's slip would become a fact. Bodies derive from Body; what a query or a path
holds is text by nature, so only its days and moments need these rules (Day, Moment).
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

TEXT_MAX = 10_000
"""Characters of a text that says no bound of its own."""
ITEMS_MAX = 1_000
"""Items of a list, and names of an object, that say no bound of their own."""
WHOLE_MIN, WHOLE_MAX = -(2**53) + 1, 2**53 - 1
"""Whole numbers that every reader of JSON takes for the same (RFC 7493 §2.2)."""

BLANK = r"\x00-\x20\x7f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""White space of every script and control characters, for the inside of [^…]: `\\s` takes others in every language."""
_NO_NUL = r"^[^\x00]*$"
"""PostgreSQL's text holds no such character."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_LOCAL_TIME = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"
_YEARS = range(1000, 9000)
"""Years with which every sum of days still has a date."""


def _day(value: object) -> object:
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise PydanticCustomError("date_form", "Write a day as YYYY-MM-DD.")
    return _in_years(_no_number(value))


def _moment(value: object) -> object:
    if isinstance(value, str) and not _MOMENT.fullmatch(value):
        raise PydanticCustomError("moment_form", "Write a moment as RFC 3339 does, like 2026-04-07T09:30:00+07:00.")
    return _in_years(_no_number(value))


def _local_time(value: object) -> object:
    if not isinstance(value, time) and not (isinstance(value, str) and re.fullmatch(_LOCAL_TIME, value)):
        raise PydanticCustomError("time_form", "Write a time of day as HH:MM or HH:MM:SS, without a zone.")
    return value


def _no_number(value: object) -> object:
    if isinstance(value, (int, float)):
        raise PydanticCustomError("not_text", "Write a text, not a number.")
    return value


def _in_years(value: object) -> object:
    year = int(value[:4]) if isinstance(value, str) else value.year if isinstance(value, date) else _YEARS.start
    if year not in _YEARS:
        raise ValueError(f"the year must be from {_YEARS.start} to {_YEARS.stop - 1}")
    return value


def _number(value: object) -> object:
    if isinstance(value, (bool, str)):
        raise PydanticCustomError("not_a_number", "Write a number, without quotes.")
    return value


Day = Annotated[date, BeforeValidator(_day)]
"""A day in a query or a path."""
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
"""A moment with its zone in a query or a path."""
LocalTime = Annotated[
    time,
    BeforeValidator(_local_time),
    WithJsonSchema({"type": "string", "pattern": f"^{_LOCAL_TIME}$", "maxLength": 8, "examples": ["07:30"]}),
]
"""A time of day on the office's clock, without a zone."""
EntityTag = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x20-\x7e]+$")]
"""What If-Match and If-None-Match hold."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Says of a text that space around it is left out, and that what remains has some length and no NUL.

    For use in Annotated. That a text of spaces alone is too short is a rule of ours: no schema can say it.
    """

    most: int
    least: int = 1

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's
        """Trim, bound, and count what is left."""
        text = core_schema.str_schema(strip_whitespace=True, max_length=self.most, pattern=_NO_NUL)
        return core_schema.no_info_after_validator_function(self._long_enough, text)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Say the least length, too."""
        said = handler(core)
        return {**said, "minLength": self.least} if self.least else said

    def _long_enough(self, text: str) -> str:
        if len(text) < self.least:
            raise ValueError(f"write at least {self.least} characters, not counting space around them")
        return text


def _plain(value: object) -> object:
    """Refuse numbers, anywhere in a value of no type of its own, that could not be written as JSON and read again.

    1e20 is one of them: jsonb gives it back as a whole number, which is then too large for this very rule.
    """
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, float) and not math.isfinite(one):
            raise ValueError("a number must be finite")
        elif isinstance(one, (int, float)) and one == int(one) and not WHOLE_MIN <= one <= WHOLE_MAX:
            raise ValueError(f"a whole number must lie between {WHOLE_MIN} and {WHOLE_MAX}")
    return value


_CHECKED: dict[str, Callable[[object], object]] = {
    "date": _day,
    "datetime": _moment,
    "int": _number,
    "float": _number,
    "any": _plain,
}
_BOUNDS: dict[str, dict[str, int]] = {
    "str": {"max_length": TEXT_MAX},
    "list": {"max_length": ITEMS_MAX},
    "set": {"max_length": ITEMS_MAX},
    "frozenset": {"max_length": ITEMS_MAX},
    "dict": {"max_length": ITEMS_MAX},
    "int": {"ge": WHOLE_MIN, "le": WHOLE_MAX},
}
_OPPOSITES = {"ge": "gt", "le": "lt"}
_INNER = ("schema", "items_schema", "keys_schema", "values_schema", "fields", "choices")


def _held(found: Any, own: type) -> Any:  # noqa: ANN401 - a core schema or a part of one
    if isinstance(found, (list, tuple)):
        return type(found)(_held(one, own) for one in found)
    if not isinstance(found, dict):
        return found
    kind = found.get("type")
    if kind == "model" and found["cls"] is not own:
        return found
    if not isinstance(kind, str):  # No schema, but schemas by name; one of the names may be "type".
        return {name: _held(one, own) for name, one in found.items()}
    held: Any = {name: _held(one, own) if name in _INNER else one for name, one in found.items()}
    if kind == "bool":
        held["strict"] = True
    for bound, most in _BOUNDS.get(str(kind), {}).items():
        if _OPPOSITES.get(bound) not in held and not (kind == "str" and held.get("pattern")):
            held.setdefault(bound, most)
    if kind == "tuple" and "variadic_item_index" in held:
        held.setdefault("max_length", ITEMS_MAX)
    if kind in _CHECKED:
        return core_schema.no_info_before_validator_function(_CHECKED[kind], held)
    return held


class Body(BaseModel):
    """A request's JSON, or a part of it: unknown names are refused, types and bounds hold as the contract says."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's
        """Hold the class's own fields to their types; parts that are classes of their own have their own rules."""
        return _held(handler(source), cls)
