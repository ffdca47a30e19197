"""Bringing in catalogues and forms over HTTP."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.intake.models import FormDraft, FormEntry
from services.intake.schemas.answers import Answer
from shared.bodies import Body

ROWS_MAX = 5000
FORMS_MAX = 500


class ImportBody(Body):
    """Procedures to bring in."""

    procedures: Annotated[list[Any], Field(max_length=ROWS_MAX)] = Field(
        examples=[[{"MATTHC": "1.004222", "TENTTHC": "Đăng ký thường trú"}]]
    )
    """Rows of the national catalogue, or of LayDanhSachTTHC or LayThuTuc in the portal's own words; what is odd about
    a row is told, and it is taken all the same."""
    source: Annotated[str, Field(min_length=1, max_length=200)] = "api"
    """Where they come from, for the list of imports."""
    dry_run: bool = False
    """Compare and report only."""


class Refusal(BaseModel):
    """A row that could not be taken."""

    line: int
    code: str
    reason: str


class OddityView(BaseModel):
    """Something that was odd about a row."""

    line: int
    code: str
    field: str
    kind: str
    title: str
    title_vi: str
    found: str
    decided: str


class KindCount(BaseModel):
    """How often something was odd."""

    kind: str
    title: str
    title_vi: str
    count: int


class FieldDifference(BaseModel):
    """A field that differs."""

    field: str
    ours: Any = None
    theirs: Any = None


class Difference(BaseModel):
    """A procedure that is not as it stands here."""

    code: str
    kind: str
    """added or changed."""
    fields: list[FieldDifference]
    """Of a changed one."""


class ReportView(BaseModel):
    """What came of an import: read = imported + refused; imported = added + changed + unchanged + repeated."""

    read: int
    imported: int
    refused: int
    added: int
    changed: int
    unchanged: int
    repeated: int
    kinds: list[KindCount]
    refusals: list[Refusal]
    oddities: list[OddityView]
    differences: list[Difference] = []
    """Of a dry run: what would be written."""


class ImportLine(Answer):
    """One import in the list."""

    id: UUID
    kind: str
    source: str
    started_at: datetime
    started_by: str
    finished_at: datetime | None
    """Null while it runs, and when it was cut short."""
    done: int


class ImportView(ImportLine):
    """One import with its report."""

    sha256: str
    report: dict[str, Any] | None


class ImportPage(BaseModel):
    """A part of the list of imports."""

    items: list[ImportLine]
    next_cursor: str | None


class FormsBody(Body):
    """E-forms to bring in, all or none of them."""

    forms: Annotated[list[FormDraft], Field(min_length=1, max_length=FORMS_MAX)]


class FormLine(BaseModel):
    """An e-form in a list."""

    code: str
    version: int
    title: str
    procedures: tuple[str, ...]


class FormsImported(BaseModel):
    """What came of bringing in forms."""

    read: int
    written: list[FormLine]
    """New or changed; the others are there as they are."""


class FormPage(BaseModel):
    """A part of the list of e-forms."""

    items: list[FormLine]
    next_cursor: str | None


class FormView(FormEntry):
    """A version of an e-form."""

    versions: list[int]
    """The versions there are, newest first."""


class FilledIn(Body):
    """What was filled in, to be checked before it is handed in."""

    data: dict[str, Any]


class FieldProblem(BaseModel):
    """One field that cannot be taken."""

    field: str
    message: str
    message_vi: str


class Checked(BaseModel):
    """What is wrong with what was filled in; nothing when it can be handed in."""

    code: str
    version: int
    errors: list[FieldProblem]


def form_line(form: FormEntry) -> FormLine:
    """Return a form as lists show it."""
    return FormLine(code=form.code, version=form.version, title=form.title, procedures=form.procedures)
