"""What the catalogue answers; public."""

from collections.abc import Mapping
from datetime import date

from pydantic import BaseModel, ConfigDict

from services.intake.models import AgencyEntry, ComponentEntry, Level, ProcedureEntry
from shared.events.values import Channel, Duration, FeeItem, PartyKind, ServiceLevel


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
    service_level: ServiceLevel
    channels: tuple[Channel, ...]
    duration: Duration | None
    same_day: bool


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

    in_force: bool
    """Whether dossiers are taken today."""
    applicants: list[PartyKind]
    agencies: tuple[str, ...]
    components: tuple[ComponentEntry, ...]
    fees: dict[Channel, tuple[FeeItem, ...]]
    """What it costs, by channel; nothing where it is free."""
    results: list[ProcedureResult]
    legal_basis: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    versions: list[int]
    """The versions there are, newest first."""


class AgencyView(AgencyEntry):
    """An agency that receives dossiers."""


class FieldView(_Answer):
    """A field of procedures."""

    code: str
    name: str


def procedure_line(entry: ProcedureEntry, fields: Mapping[str, str]) -> ProcedureLine:
    """Return a procedure as a list shows it."""
    return ProcedureLine.model_validate(_line(entry, fields))


def procedure_view(
    entry: ProcedureEntry, versions: tuple[ProcedureEntry, ...], fields: Mapping[str, str], *, day: date
) -> ProcedureView:
    """Return a procedure with everything there is to know about it on a day."""
    return ProcedureView.model_validate(
        _line(entry, fields)
        | {
            "in_force": entry.in_force(day),
            "applicants": sorted(entry.applicants),
            "agencies": entry.agencies,
            "components": entry.components,
            "fees": {channel: entry.fees_through(channel) for channel in entry.channels},
            "results": [result.model_dump() for result in entry.results],
            "legal_basis": entry.legal_basis,
            "valid_from": entry.valid_from,
            "valid_to": entry.valid_to,
            "versions": [version.version for version in versions],
        }
    )


def _line(entry: ProcedureEntry, fields: Mapping[str, str]) -> dict[str, object]:
    return {
        "code": entry.code,
        "version": entry.version,
        "name": entry.name,
        "field_code": entry.field,
        "field_name": fields[entry.field],
        "level": entry.level,
        "service_level": entry.service_level,
        "channels": entry.channels,
        "duration": entry.duration,
        "same_day": entry.same_day,
    }
