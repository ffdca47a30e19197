"""The catalogue as it is written in its file and kept in the database: agencies, fields, procedures."""

from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator
from pydantic import Field as Bounded

from shared.events.values import (
    Channel,
    CollectedAt,
    Duration,
    FeeItem,
    FeeKind,
    PartyKind,
    Process,
    ServiceLevel,
)
from shared.identifiers import AgencyCode, ProcedureCode

Code = Annotated[str, StringConstraints(pattern=r"^[\w.\-]{1,40}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Level(StrEnum):
    """Level of government that a procedure or agency belongs to (cấp)."""

    MINISTRY = "ministry"
    PROVINCE = "province"
    COMMUNE = "commune"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class AgencyEntry(_Entry):
    """An agency that receives dossiers; agencies merge and split, and their codes are never used again."""

    code: AgencyCode
    name: Text
    level: Level
    parent: AgencyCode | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    successor: AgencyCode | None = None
    """The agency that took over on the day after valid_to."""

    def receives_on(self, day: date) -> bool:
        """Tell whether the agency exists on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


class FieldEntry(_Entry):
    """A field of procedures (lĩnh vực)."""

    code: Code
    name: Text


class ComponentEntry(_Entry):
    """A paper that belongs to the dossier (thành phần hồ sơ)."""

    code: Code
    name: Text
    form: str | None = None
    """Number of the form it is written on."""
    originals: int = Bounded(ge=0, le=100)
    copies: int = Bounded(ge=0, le=100)
    required: bool
    digitise: bool
    """To be digitised at intake (TT 01/2023/TT-VPCP)."""


class FeeEntry(_Entry):
    """A phí or lệ phí with its amount for each channel that has one."""

    code: Code
    name: Text
    kind: FeeKind
    amounts_vnd: dict[Channel, Annotated[int, Bounded(ge=0)]]
    collected: CollectedAt = CollectedAt.ON_ACCEPTANCE


class ResultEntry(_Entry):
    """What the procedure ends with."""

    code: Code
    name: Text
    document: bool
    """A document is issued, not only a state entered."""


class ProcedureEntry(_Entry):
    """One version of a procedure (thủ tục hành chính)."""

    code: ProcedureCode
    version: int = Bounded(ge=1)
    name: Text
    field: Code
    level: Level
    service_level: ServiceLevel
    applicants: frozenset[PartyKind]
    """Who may ask for it; `organisation` stands for every body that is no citizen."""
    agencies: tuple[AgencyCode, ...]
    """The agencies that receive its dossiers."""
    duration: Duration | None
    """None where the law sets no term."""
    same_day: bool = False
    """Answered within the working day; what comes after 15:00 counts from the next (NĐ 61/2018)."""
    channels: tuple[Channel, ...]
    fees: tuple[FeeEntry, ...] = ()
    components: tuple[ComponentEntry, ...] = ()
    results: tuple[ResultEntry, ...] = ()
    legal_basis: tuple[Text, ...] = ()
    valid_from: date
    valid_to: date | None = None
    process: Process

    @model_validator(mode="after")
    def _steps_follow_known_ones(self) -> Self:
        keys = [step.key for step in self.process.steps]
        strangers = {before for step in self.process.steps for before in step.after} - set(keys)
        if strangers or len(set(keys)) < len(keys) or not keys:
            raise ValueError(f"{self.code}: steps need different keys and follow only steps there are: {strangers}")
        return self

    def in_force(self, day: date) -> bool:
        """Tell whether this version is in force on a day; valid_to is its last one."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def allows(self, kind: PartyKind) -> bool:
        """Tell whether somebody of this kind may ask for it."""
        return kind in self.applicants or (kind is not PartyKind.CITIZEN and PartyKind.ORGANISATION in self.applicants)

    def fees_through(self, channel: Channel) -> tuple[FeeItem, ...]:
        """Return what it costs through a channel, without what is free."""
        return self._fees[channel]

    @cached_property
    def _fees(self) -> dict[Channel, tuple[FeeItem, ...]]:
        return {
            channel: tuple(
                FeeItem(code=fee.code, name=fee.name, kind=fee.kind, amount_vnd=amount, collected=fee.collected)
                for fee in self.fees
                if (amount := fee.amounts_vnd.get(channel, 0))
            )
            for channel in Channel
        }

    @cached_property
    def required_components(self) -> frozenset[str]:
        """The codes of the components that no dossier may lack."""
        return frozenset(component.code for component in self.components if component.required)

    @cached_property
    def component_names(self) -> dict[str, str]:
        """The components' names, by code."""
        return {component.code: component.name for component in self.components}


class CatalogueFile(BaseModel):
    """A whole catalogue; raises ValueError when something in it names an agency or field that is not there."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str
    agencies: tuple[AgencyEntry, ...]
    fields: tuple[FieldEntry, ...]
    procedures: tuple[ProcedureEntry, ...]

    @model_validator(mode="after")
    def _names_what_is_there(self) -> Self:
        agencies = {agency.code for agency in self.agencies}
        fields = {field.code for field in self.fields}
        for procedure in self.procedures:
            if procedure.field not in fields or not agencies.issuperset(procedure.agencies):
                raise ValueError(f"{procedure.code} names a field or an agency that is not in the catalogue")
        for agency in self.agencies:
            if not agencies.issuperset({agency.parent, agency.successor} - {None}):
                raise ValueError(f"{agency.code} names a parent or a successor that is not in the catalogue")
        versions = [(procedure.code, procedure.version) for procedure in self.procedures]
        if len(set(versions)) < len(versions) or len(agencies) < len(self.agencies) or len(fields) < len(self.fields):
            raise ValueError("something stands in the catalogue twice")
        return self
