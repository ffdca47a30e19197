"""Until when a backlog is to be digitised: dated rules, shipped as data."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Deadline:
    """A last day, and the rule it was read from."""

    day: date
    basis: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class _Rule:
    valid_from: date
    basis: str
    bands: tuple[tuple[int | None, date], ...]


def deadline_of(volume: int, *, starts_on: date | None = None) -> Deadline:
    """Return the deadline of a backlog of `volume` results by the rule that held when its plan started.

    Without a start the newest rule holds; before the first rule, the first does.
    """
    rules = _rules()
    held = [rule for rule in rules if starts_on is None or rule.valid_from <= starts_on]
    rule = (held or rules[:1])[-1]
    day = next(day for volume_max, day in rule.bands if volume_max is None or volume <= volume_max)
    return Deadline(day, rule.basis, rule.valid_from)


@cache
def _rules() -> tuple[_Rule, ...]:
    text = files("services.results").joinpath("data/backlog_deadlines.json").read_text("utf-8")
    rules = [
        _Rule(
            date.fromisoformat(rule["valid_from"]),
            rule["basis"],
            tuple((band["volume_max"], date.fromisoformat(band["deadline"])) for band in rule["bands"]),
        )
        for rule in json.loads(text)["rules"]
    ]
    return tuple(sorted(rules, key=lambda rule: rule.valid_from))
