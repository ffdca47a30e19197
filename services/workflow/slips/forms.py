"""Which circular's forms a slip is printed on: those in use on the day it was issued (dated data, forms.json)."""

from datetime import date
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Form(_Part):
    """One form of a circular."""

    number: str | None
    """None where the circular has no such form."""
    title: str
    suffix: str
    """Behind the slip's number: 0001/XLGH."""


class FormSet(_Part):
    """The forms of one circular, by their numbers of today."""

    first_day: date | None
    """The first day they are used on; None for the oldest."""
    circular: str
    forms: dict[str, Form]


class _Forms(_Part):
    sets: tuple[FormSet, ...]
    """Newest first."""


def forms_on(day: date) -> FormSet:
    """Return the forms in use on a day."""
    return next(one for one in _forms().sets if one.first_day is None or one.first_day <= day)


@cache
def _forms() -> _Forms:
    source = files("services.workflow.slips").joinpath("forms.json")
    return _Forms.model_validate_json(source.read_text(encoding="utf-8"))
