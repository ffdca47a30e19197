"""What a row says about a procedure, cleaned: the catalogue's words, before it meets what the province knows."""

from dataclasses import dataclass, field
from datetime import date

from services.intake.models import Level, NationalRecord
from shared.events.values import Channel, Duration, PartyKind


@dataclass(frozen=True, slots=True)
class FeeDraft:
    """An amount in whole đồng through one channel."""

    name: str
    amount_vnd: int


@dataclass(slots=True)
class WayDraft:
    """One way of filing: its term, its fees."""

    duration: Duration | None = None
    same_day: bool = False
    fees: list[FeeDraft] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ComponentDraft:
    """A paper of the dossier."""

    name: str
    code: str | None
    form: str | None
    originals: int
    copies: int


@dataclass(frozen=True, slots=True)
class ResultDraft:
    """What the procedure ends with."""

    name: str
    code: str | None


@dataclass(slots=True)
class Draft:
    """A procedure as a source has it."""

    code: str
    name: str
    field_name: str
    field_code: str | None = None
    levels: tuple[Level, ...] = ()
    applicants: frozenset[PartyKind] = frozenset()
    agencies: tuple[str, ...] = ()
    ways: dict[Channel, WayDraft] = field(default_factory=dict)
    components: list[ComponentDraft] = field(default_factory=list)
    results: list[ResultDraft] = field(default_factory=list)
    legal_basis: tuple[str, ...] = ()
    record: NationalRecord = field(default_factory=NationalRecord)
    valid_from: date | None = None
    valid_to: date | None = None
    service_level: str = ""
