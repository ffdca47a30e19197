"""The office's rules as dated data: how often and until when a date may be extended, and who is told of what when.

A rule holds for what happens on its days (`from` to `to`, both included). The document ships with the service; an
office that needs others names its own file in MOTCUA_RULES_FILE.
"""

from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.clock import VN
from shared.worktime import WorkingCalendar


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ExtensionRule(_Part):
    """How often an applicant may be given a later date, and how long before the present one at the latest."""

    since: date = Field(alias="from")
    until: date | None = Field(alias="to")
    times_max: int = Field(ge=0)
    notice_days: int = Field(ge=0, description="Days between the apology and the date that it moves, at least")
    form: str
    """Number of the letter's form among those in force."""
    legal_basis: str


class EscalationLevel(_Part):
    """When somebody is told about a task or a case, and who."""

    key: str
    of: Literal["task", "case"]
    minutes: int = Field(description="Working minutes after the due date; negative: before it")
    addressee: Literal["official", "unit", "agency"]


class Rules(_Part):
    """The rules of an office."""

    extensions: tuple[ExtensionRule, ...]
    escalations: tuple[EscalationLevel, ...]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for earlier, later in zip(self.extensions, self.extensions[1:], strict=False):
            if earlier.until is None or later.since <= earlier.until:
                raise ValueError(f"the extension rule from {later.since} begins before the one before it ends")
        for kind in ("task", "case"):
            minutes = [level.minutes for level in self.levels(kind)]
            if minutes != sorted(set(minutes)):
                raise ValueError(f"escalations of a {kind} must stand in the order in which they are reached")
        return self

    def extension(self, at: datetime) -> ExtensionRule | None:
        """Return the rule for extensions on the day of a moment; None when none was in force."""
        day = at.astimezone(VN).date()
        in_force = (rule for rule in self.extensions if rule.since <= day and (rule.until is None or day <= rule.until))
        return next(in_force, None)

    def levels(self, of: str) -> list[EscalationLevel]:
        """Return the levels of a task or of a case, the first one reached first."""
        return [level for level in self.escalations if level.of == of]

    def horizon(self, of: str, now: datetime, calendar: WorkingCalendar) -> datetime:
        """Return until when a date counts as near: the first level's working time from now on."""
        ahead = [-level.minutes for level in self.levels(of) if level.minutes < 0]
        return calendar.add(now, max(ahead, default=0))


def load_rules(path: Path | None) -> Rules:
    """Return the rules in a file, or those that ship with the service; raises ValidationError naming what is wrong."""
    source = path or files("services.workflow.operations").joinpath("rules.json")
    return Rules.model_validate_json(source.read_text(encoding="utf-8"))
