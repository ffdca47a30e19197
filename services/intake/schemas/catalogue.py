"""What the catalogue is asked and answers."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.intake.models import AgencyEntry, CaseEntry, ComponentEntry, Level, NationalRecord, Origin, ProcedureEntry
from services.intake.queries import Catalogue
from shared.bodies import Body
from shared.events.values import Channel, Duration, FeeItem, PartyKind, ServiceLevel
from shared.identifiers import AgencyCode


class _Answer(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class ProcedureLine(_Answer):
    """A procedure in a list."""

    code: str
    version: int
    name: str
    field_code: str
    field_name: str
    level: Level
    """The level nearest to the citizen."""
    levels: tuple[Level, ...]
    service_level: ServiceLevel
    channels: tuple[Channel, ...]
    duration: Duration | None
    same_day: bool
    in_force: bool
    """Whether dossiers are taken today."""
    valid_from: date
    valid_to: date | None


class ProcedurePage(_Answer):
    """A part of the list of procedures."""

    items: list[ProcedureLine]
    next_cursor: str | None


class ProcedureResult(_Answer):
    """What a procedure ends with."""

    code: str
    name: str
    document: bool


class ProcedureView(ProcedureLine):
    """Everything an applicant, or a system that submits for one, needs to know about a procedure."""

    applicants: list[PartyKind]
    agencies: tuple[str, ...]
    """Who receives its dossiers today: the agencies it names or their successors, else every agency of its levels."""
    durations: dict[Channel, Duration]
    """Terms of channels that differ from `duration`."""
    cases: tuple[CaseEntry, ...]
    """Where there are any, a dossier names one of them as case_code."""
    components: tuple[ComponentEntry, ...]
    fees: dict[Channel, tuple[FeeItem, ...]]
    """What it costs, by channel; nothing where it is free."""
    results: list[ProcedureResult]
    legal_basis: tuple[str, ...]
    origin: Origin
    national: NationalRecord | None
    """What the national catalogue says beside these facts; null for what only the province has written."""
    form: str | None
    """Code of the e-form that goes with it today (GET /forms/{code})."""
    versions: list[int]
    """The versions there are, newest first."""


class AgencyView(AgencyEntry):
    """An agency that receives dossiers."""


class AgencyPage(_Answer):
    """A part of the list of agencies."""

    items: list[AgencyView]
    next_cursor: str | None


class AgencyDetail(AgencyView):
    """An agency, and who came before and after it."""

    exists: bool
    """Whether it exists today."""
    now: list[str]
    """Where its tasks are today: itself, or the agencies that took over, mergers of mergers included."""
    predecessors: list[str]
    """Closed agencies whose dossiers are its own now."""


class FieldView(_Answer):
    """A field of procedures."""

    code: str
    name: str


class AgencyClosing(Body):
    """The end of an agency, and who takes over."""

    last_day: date
    """The successors take over on the day after."""
    successors: Annotated[list[AgencyCode], Field(min_length=1, max_length=200)]
    """One for a merger, several for a split; they must exist on the day after."""


class Expiry(Body):
    """The end of a procedure."""

    last_day: date
    """The last day on which dossiers are taken."""


def procedure_line(entry: ProcedureEntry, fields: Mapping[str, str], *, day: date) -> ProcedureLine:
    """Return a procedure as a list shows it on a day."""
    return ProcedureLine.model_validate(_line(entry, fields, day))


def procedure_view(known: Catalogue, entry: ProcedureEntry, *, day: date) -> ProcedureView:
    """Return a procedure with everything there is to know about it on a day."""
    form = known.form_of(entry.code, day)
    return ProcedureView.model_validate(
        _line(entry, known.fields, day)
        | {
            "applicants": sorted(entry.applicants),
            "agencies": known.receivers(entry, day),
            "durations": entry.durations,
            "origin": entry.origin,
            "national": entry.national,
            "form": form.code if form else None,
            "cases": entry.cases,
            "components": entry.components,
            "fees": {channel: entry.fees_through(channel) for channel in entry.channels},
            "results": [result.model_dump() for result in entry.results],
            "legal_basis": entry.legal_basis,
            "versions": [version.version for version in known.versions_of(entry.code)],
        }
    )


def agency_detail(known: Catalogue, agency: AgencyEntry, *, day: date) -> AgencyDetail:
    """Return an agency with its place among those before and after it on a day."""
    return AgencyDetail(
        **agency.model_dump(),
        exists=agency.receives_on(day),
        now=[one.code for one in known.successors(agency.code, day)],
        predecessors=list(known.predecessors(agency.code, day)),
    )


def _line(entry: ProcedureEntry, fields: Mapping[str, str], day: date) -> dict[str, object]:
    return {
        "code": entry.code,
        "version": entry.version,
        "name": entry.name,
        "field_code": entry.field,
        "field_name": fields[entry.field],
        "level": entry.level,
        "levels": entry.all_levels,
        "service_level": entry.service_level,
        "channels": entry.channels,
        "duration": entry.duration,
        "same_day": entry.same_day,
        "in_force": entry.in_force(day),
        "valid_from": entry.valid_from,
        "valid_to": entry.valid_to,
    }
