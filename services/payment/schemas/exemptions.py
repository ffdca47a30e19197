"""HTTP bodies of the rules that lift fees."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.bodies import Body
from shared.events.values import FeeKind


class ExemptionRequest(Body):
    """A rule of law by which a fee, or a part of it, is not collected."""

    code: str = Field(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z._-]+$", examples=["MG-NCC"])
    name: str = Field(min_length=3, max_length=300, examples=["Miễn lệ phí cho người có công"])
    legal_basis: str = Field(min_length=3, max_length=500, examples=["Điều 10 Luật Phí và lệ phí 97/2015/QH13"])
    kinds: Annotated[list[FeeKind], Field(min_length=1, max_length=2)]
    """Which it lifts: `phi`, `le_phi` or both."""
    procedures: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=500)] = Field(default=[])
    """To which procedures it applies; empty: to all."""
    agency_code: str = Field(min_length=3, max_length=32, examples=["H32"])
    """It applies in this agency and below."""
    percent: Annotated[int, Field(ge=1, le=100)]
    valid_from: date
    valid_to: date | None = None
    """The last day."""

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("valid_to lies before valid_from")
        return self


class EndRequest(Body):
    """The last day of a rule."""

    valid_to: date


class ExemptionView(BaseModel):
    """A rule of exemption."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    id: UUID
    code: str
    name: str
    legal_basis: str
    kinds: list[FeeKind]
    procedures: list[str]
    agency_code: str
    percent: int
    valid_from: date
    valid_to: date | None
    created_at: datetime
    created_by: str
