"""The catalogue as it is written in its file and kept in the database: agencies, fields, procedures."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator
from pydantic import Field as Bounded

from services.intake.models.conditions import Condition
from shared.bodies import Body, Trimmed
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
from shared.identifiers import AgencyCode

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,40}$")]
ProcedureName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{1,60}$")]
"""A procedure's code: 1.004222 and 1.003560.H56, and the older ones that the national catalogue still holds."""
Text = Annotated[str, Trimmed(1000)]


class Level(StrEnum):
    """Level of government that a procedure or agency belongs to (cấp)."""

    MINISTRY = "ministry"
    PROVINCE = "province"
    DISTRICT = "district"
    """Until 2025-06-30."""
    COMMUNE = "commune"
    OTHER = "other"
    """A body outside the levels: a bank, a notary, a school."""


class _Entry(Body):
    model_config = ConfigDict(frozen=True)


class AgencyEntry(_Entry):
    """An agency that receives dossiers; agencies merge and split, and their codes are never used again."""

    code: AgencyCode
    name: Text
    level: Level
    parent: AgencyCode | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    """Its last day; None while it exists."""
    successors: tuple[AgencyCode, ...] = ()
    """The agencies that took over on the day after valid_to: one after a merger, several after a split."""
    also_known_as: tuple[Code, ...] = ()
    """Other identifiers it is found by: of the administrative unit, of an older scheme."""

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
    when: Condition | None = None
    """Required only when this holds."""
    digitise: bool
    """To be digitised at intake (TT 01/2023/TT-VPCP)."""


class CaseEntry(_Entry):
    """A case of a procedure (trường hợp) that asks for papers of its own."""

    code: Code
    name: Text


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


class Origin(StrEnum):
    """Who wrote a version of a procedure."""

    PROVINCE = "province"
    NATIONAL = "national"


class NationalRecord(_Entry):
    """What the national catalogue says beside the facts that are acted upon, as it stands there."""

    ministry: str = ""
    decision: str = ""
    """Number of the decision that published it (quyết định công bố)."""
    kind: str = ""
    authority: str = ""
    performed_by: str = ""
    coordinated_with: str = ""
    requirements: str = ""
    notes: dict[Channel, str] = Bounded({})
    """What its ways of filing say about time and money, by channel."""


class ProcedureEntry(_Entry):
    """One version of a procedure (thủ tục hành chính)."""

    code: ProcedureName
    version: int = Bounded(ge=1)
    name: Text
    field: Code
    level: Level
    levels: tuple[Level, ...] = ()
    """All levels it is carried out at, when several; `level` is the one nearest to the citizen."""
    service_level: ServiceLevel
    applicants: frozenset[PartyKind]
    """Who may ask for it; `organisation` stands for every body that is no citizen."""
    agencies: tuple[AgencyCode, ...]
    """The agencies that receive its dossiers; where none is named, every agency of its levels does."""
    duration: Duration | None
    """None where the law sets no term."""
    durations: dict[Channel, Duration] = Bounded({})
    """Terms of channels that differ from `duration`."""
    same_day: bool = False
    """Answered within the working day; what comes after 15:00 counts from the next (NĐ 61/2018)."""
    channels: tuple[Channel, ...]
    fees: tuple[FeeEntry, ...] = ()
    cases: tuple[CaseEntry, ...] = ()
    """Where there are any, a dossier falls under one of them."""
    components: tuple[ComponentEntry, ...] = ()
    results: tuple[ResultEntry, ...] = ()
    legal_basis: tuple[Text, ...] = ()
    valid_from: date
    valid_to: date | None = None
    process: Process
    origin: Origin = Origin.PROVINCE
    national: NationalRecord | None = None

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

    @property
    def all_levels(self) -> tuple[Level, ...]:
        """The levels it is carried out at."""
        return self.levels or (self.level,)

    def term(self, channel: Channel) -> Duration | None:
        """Return the term of dossiers that come through a channel, None where the law sets none."""
        return self.durations.get(channel, self.duration)

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

    def required_components(
        self,
        *,
        case: str | None,
        applicant: PartyKind,
        channel: Channel,
        represented: bool,
        answers: Mapping[str, object],
    ) -> frozenset[str]:
        """Return the codes of the components that such a dossier may not lack."""
        return frozenset(
            component.code
            for component in self.components
            if component.required
            and (
                component.when is None
                or component.when.holds(
                    case=case, applicant=applicant, channel=channel, represented=represented, answers=answers
                )
            )
        )

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
            if not agencies.issuperset({agency.parent, *agency.successors} - {None}):
                raise ValueError(f"{agency.code} names a parent or a successor that is not in the catalogue")
        versions = [(procedure.code, procedure.version) for procedure in self.procedures]
        if len(set(versions)) < len(versions) or len(agencies) < len(self.agencies) or len(fields) < len(self.fields):
            raise ValueError("something stands in the catalogue twice")
        return self
