"""What finding an owner's results with consent takes and gives, and how often results stand for papers."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from services.results.models import DocumentAccess, Result
from services.results.schemas.archive import Asked, Code, Given, Name, Taken, Text
from services.results.states import Validity
from shared.bodies import Day, Moment
from shared.identifiers import AgencyCode, DossierCode

OwnerNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{9,13}(-[0-9]{3})?$")]


class ConsentIn(Taken):
    """What the owner, or who acts for them, consented to."""

    by: Name
    at: AwareDatetime
    text: Text
    """The words that were shown and agreed to."""


class ReuseSearch(Taken):
    """Whose results of which kinds are looked for, with whose consent and what for."""

    owner_id_number: OwnerNumber = Field(examples=["056090000001"])
    kind_codes: list[Code] = Field(default_factory=list, max_length=20)
    """Any kind, unless given."""
    consent: ConsentIn
    purpose: Text
    dossier_code: DossierCode | None = None
    """The dossier they are read for."""


class ReusableOut(Given):
    """A valid result of the owner."""

    id: UUID
    number: str
    kind_code: str
    kind_name: str
    agency_code: str
    validity: Validity
    certified: bool
    issued_on: date
    valid_until: date | None
    sha256: str
    size_bytes: int
    media_type: str
    digitised: bool


class ReuseFound(Given):
    """What was found, and until when it may be read (GET /reuse/searches/{id}/documents/{result_id})."""

    id: UUID
    valid_until: datetime
    items: list[ReusableOut]


class Window(Asked):
    """From which day to which, both included, of which agency and those below it."""

    since: Day
    until: Day
    agency_code: AgencyCode | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until < self.since:
            raise ValueError("until must not be before since")
        return self


class Ratio(Given):
    """A share with what it was computed from."""

    name: str
    definition: str
    definition_vi: str
    numerator: int
    denominator: int
    percent: float | None
    """Two decimals; none without a denominator."""


class ReuseStatistics(Given):
    """How often earlier results stood for papers."""

    since: Day
    until: Day
    agency_code: str | None
    as_of: datetime
    ratios: list[Ratio]


class AccessOut(Given):
    """Who read a document, why and by what right."""

    id: int
    result_id: UUID
    number: str | None
    client_id: str
    agency_code: str | None
    purpose: str
    via: str
    dossier_code: str | None
    consent_id: UUID | None
    read_at: datetime


class AccessPage(Given):
    """Some readings, newest first."""

    items: list[AccessOut]
    next_cursor: str | None


class ListAccesses(Asked):
    """Which readings to list."""

    result_id: UUID | None = None
    client_id: Annotated[str, StringConstraints(max_length=100)] | None = None
    since: Moment | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")] | None = None


class FindingOut(Given):
    """A file of the archive that is missing or damaged."""

    sha256: str
    problem: str
    found_at: datetime
    seen_at: datetime


class ScrubOut(Given):
    """How far the archive has read itself, and what is wrong."""

    started_at: datetime | None
    ended_at: datetime | None
    files: int
    bytes_read: int
    findings: list[FindingOut]


_DEFINITIONS = {
    "reused_of_fully_digitised": (
        (
            "Of the dossiers submitted in the window whose every paper is a file or an earlier result and that have "
            "an issued result: those with at least one paper that an earlier result stands for"
        ),
        (
            "Trong số hồ sơ nộp trong kỳ được số hóa đầy đủ (mọi thành phần là tệp hoặc kết quả trước đó, đã có kết "
            "quả): số hồ sơ có ít nhất một thành phần được thay bằng kết quả đã có"
        ),
    ),
    "reused_of_submitted": (
        (
            "Of all dossiers submitted in the window: those with at least one paper that an earlier result stands for "
            "(QĐ 766/QĐ-TTg, 4.3)"
        ),
        "Trong số hồ sơ nộp trong kỳ: số hồ sơ có ít nhất một thành phần được tái sử dụng (QĐ 766/QĐ-TTg, 4.3)",
    ),
}


def ratio(name: str, numerator: int, denominator: int) -> Ratio:
    """Return a share under the name of its definition."""
    english, vietnamese = _DEFINITIONS[name]
    percent = round(100 * numerator / denominator, 2) if denominator else None
    return Ratio(
        name=name,
        definition=english,
        definition_vi=vietnamese,
        numerator=numerator,
        denominator=denominator,
        percent=percent,
    )


def access(one: DocumentAccess, result: Result) -> AccessOut:
    """Return a reading with the number of what was read."""
    fields = {name: getattr(one, name) for name in AccessOut.model_fields if name != "number"}
    return AccessOut(**fields, number=result.number)
