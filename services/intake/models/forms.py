"""E-forms: what a citizen fills in online, as JSON Schema with Vietnamese titles, in versions."""

from datetime import date, datetime
from typing import Annotated, Any, Self

import jsonschema_rs
from pydantic import ConfigDict, Field, StringConstraints, model_validator
from sqlalchemy import BigInteger, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.intake.models.tables import IntakeBase, Json
from shared.bodies import Body, Trimmed
from shared.events.values import Channel

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PATTERNS = jsonschema_rs.RegexOptions()
"""An engine without backtracking: no pattern of a form can hold up the service."""


class Form(IntakeBase):
    """One version of an e-form."""

    __tablename__ = "form"
    __table_args__ = (Index("ix_form_procedures", "procedures", postgresql_using="gin"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry: Mapped[Json] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """SHA-256 of what it says, without version and dates: tells whether an import changes anything."""
    procedures: Mapped[list[str]] = mapped_column(ARRAY(Text))
    revision: Mapped[int] = mapped_column(BigInteger)
    imported_by: Mapped[str]
    imported_at: Mapped[datetime]


def validator_of(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Return the validator of a form's schema; raises ValueError for a schema that is none or points elsewhere."""
    try:
        return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, pattern_options=PATTERNS, offline=True)
    except (jsonschema_rs.ReferencingError, ValueError) as problem:
        raise ValueError(f"the schema cannot be used: {str(problem).splitlines()[0]}") from problem


class FormDraft(Body):
    """An e-form as it is brought in; its version and first day are given when it differs from the one before."""

    model_config = ConfigDict(frozen=True)

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,60}$")] = Field(examples=["TK-1.000656"])
    title: Annotated[str, Trimmed(500)] = Field(examples=["Tờ khai đăng ký khai tử"])
    procedures: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,60}$")], ...] = Field(
        default=(), max_length=500, examples=[["1.000656"]]
    )
    """The procedures it is filled in for."""
    needed_through: tuple[Channel, ...] = ()
    """Channels on which no dossier comes without it; on the others it may be filled in."""
    data_schema: dict[str, Any] = Field(
        examples=[
            {
                "type": "object",
                "properties": {"nguoi_chet": {"type": "string", "title": "Họ tên người chết", "maxLength": 200}},
            }
        ]
    )
    """JSON Schema 2020-12 of what is filled in; `title` of each field in Vietnamese, `$ref` within the schema only."""
    layout: dict[str, Any] = Field(default={})
    """Hints for screens, passed on as they are."""

    @model_validator(mode="after")
    def _holds(self) -> Self:
        if self.data_schema.get("$schema", DIALECT).rstrip("#") != DIALECT:
            raise ValueError(f"{self.code}: the schema must be of {DIALECT}")
        try:
            validator_of(self.data_schema)
        except ValueError as problem:
            raise ValueError(f"{self.code}: {problem}") from problem
        if untitled := sorted(_untitled(self.data_schema)):
            raise ValueError(f"{self.code}: these fields need a title in Vietnamese: {', '.join(untitled[:20])}")
        return self


def _untitled(schema: object, path: str = "") -> set[str]:
    """Return the paths of fields without a title; `$ref` and combinations are left to their own parts."""
    if not isinstance(schema, dict):
        return set()
    found = set()
    properties = schema.get("properties")
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        here = f"{path}.{name}".lstrip(".")
        if isinstance(inner, dict) and not inner.get("title") and "$ref" not in inner:
            found.add(here)
        found |= _untitled(inner, here)
    return found | _untitled(schema.get("items"), f"{path}[]")


class FormEntry(FormDraft):
    """One version of an e-form."""

    version: int
    valid_from: date
    """From this day on; until the next version's first day."""
