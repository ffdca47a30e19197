"""Which circular's forms a dossier is printed on: those in use on the day it was received (dated data, forms.json)."""

from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict


class FormCode(StrEnum):
    """A form by its number of today (TT 03/2025/TT-VPCP); what is printed carries its number of the dossier's day."""

    RECEIPT = "01"
    SUPPLEMENT = "02"
    REFUSAL = "03"
    REGISTER = "07"


class Form(BaseModel):
    """One form of a circular."""

    model_config = ConfigDict(frozen=True)

    number: str
    title: str
    suffix: str
    """Behind the slip's number: 0001/TNHS."""


class FormSet(BaseModel):
    """The forms of one circular."""

    model_config = ConfigDict(frozen=True)

    first_day: date | None
    """The first day they are used on; None for the oldest."""
    circular: str
    forms: dict[FormCode, Form]


class _Forms(BaseModel):
    sets: tuple[FormSet, ...]
    """Newest first."""


def forms_on(day: date) -> FormSet:
    """Return the forms in use on a day."""
    return next(one for one in _forms().sets if one.first_day is None or one.first_day <= day)


@cache
def _forms() -> _Forms:
    return _Forms.model_validate_json(files("services.intake.slips").joinpath("forms.json").read_text("utf-8"))
