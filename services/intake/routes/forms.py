"""E-forms: public to read; written by whoever keeps the catalogue."""

from typing import Annotated

from fastapi import Path, Query

from services.intake import operations
from services.intake.errors import FormNotFound
from services.intake.models import FormEntry
from services.intake.queries import Catalogue
from services.intake.routes.catalogue import LIST_MAX, CatalogueDep
from services.intake.schemas.cursor import cursor_of, cursor_parts
from services.intake.schemas.imports import (
    Checked,
    FieldProblem,
    FilledIn,
    FormPage,
    FormsBody,
    FormsImported,
    FormView,
    form_line,
)
from shared import clock
from shared.http import WorkDep, needs, router
from shared.identifiers import dossier_day

forms = router("forms", prefix="/forms")

CodePath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.\-]{1,60}$", examples=["TK-1.000656"])]
Version = Annotated[int | None, Query(ge=1, le=10**6, description="An earlier one")]


@forms.get("", summary="List e-forms")
async def list_forms(
    known: CatalogueDep,
    procedure: Annotated[str | None, Query(max_length=60, description="Those that go with this procedure")] = None,
    limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = LIST_MAX,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> FormPage:
    """List the newest version of each e-form, in order of code."""
    (after,) = cursor_parts(cursor, 1) or ("",)
    newest = (known.forms[code][0] for code in sorted(known.forms) if code > after)
    fitting = (form for form in newest if procedure is None or procedure in form.procedures)
    found = [form for form, _ in zip(fitting, range(limit + 1), strict=False)]
    following = cursor_of(found[limit - 1].code) if len(found) > limit else None
    return FormPage(items=[form_line(form) for form in found[:limit]], next_cursor=following)


@forms.get("/{code}", summary="Read an e-form")
async def get_form(known: CatalogueDep, code: CodePath, version: Version = None) -> FormView:
    """Return a version of an e-form: the one in use today, or an earlier one by which a dossier was filled in."""
    form = _get(known, code, version)
    return FormView(**form.model_dump(), versions=[one.version for one in known.forms[code]])


@forms.post("/import", summary="Bring in e-forms", dependencies=[needs("catalogue:write")])
async def import_forms(work: WorkDep, body: FormsBody) -> FormsImported:
    """Bring in e-forms, all at once; one that differs from its newest version becomes the next one from today on."""
    written = await operations.import_forms(work, drafts=body.forms, day=dossier_day(work.now))
    return FormsImported(read=len(body.forms), written=[form_line(form) for form in written])


@forms.post("/{code}/check", summary="Check what was filled in", dependencies=[needs("dossiers:submit")])
async def check_form(
    _work: WorkDep, known: CatalogueDep, code: CodePath, body: FilledIn, version: Version = None
) -> Checked:
    """Say what is wrong with what was filled in, field by field in words; nothing is kept."""
    form = _get(known, code, version)
    problems = operations.validate_form(form, body.data, field="body.data")
    errors = [FieldProblem(field=one.field, message=one.message, message_vi=one.message_vi) for one in problems]
    return Checked(code=form.code, version=form.version, errors=errors)


def _get(known: Catalogue, code: str, version: int | None) -> FormEntry:
    versions = known.forms.get(code, ())
    day = dossier_day(clock.now())
    if version is not None:
        found = next((form for form in versions if form.version == version), None)
    else:
        found = next((form for form in versions if form.valid_from <= day), None)
    if found is None:
        raise FormNotFound
    return found
