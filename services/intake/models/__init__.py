"""Tables of intake, and the shape of a catalogue entry."""

from services.intake.models.calendars import WorkingCalendarVersion
from services.intake.models.catalogue import (
    AgencyEntry,
    CaseEntry,
    CatalogueFile,
    ComponentEntry,
    FeeEntry,
    FieldEntry,
    Level,
    NationalRecord,
    Origin,
    ProcedureEntry,
    ResultEntry,
)
from services.intake.models.conditions import Condition
from services.intake.models.drafts import Draft
from services.intake.models.forms import Form, FormDraft, FormEntry
from services.intake.models.imports import CatalogueImport
from services.intake.models.rules import WEEKDAYS, RuleEntry, RuleKind, SubmissionRule
from services.intake.models.tables import (
    Agency,
    AgencyDay,
    CatalogueRevision,
    Document,
    Dossier,
    Field,
    IntakeBase,
    Procedure,
    SupplementRequest,
)
from services.intake.models.uploads import Upload, UploadPiece

__all__ = [
    "WEEKDAYS",
    "Agency",
    "AgencyDay",
    "AgencyEntry",
    "CaseEntry",
    "CatalogueFile",
    "CatalogueImport",
    "CatalogueRevision",
    "ComponentEntry",
    "Condition",
    "Document",
    "Dossier",
    "Draft",
    "FeeEntry",
    "Field",
    "FieldEntry",
    "Form",
    "FormDraft",
    "FormEntry",
    "IntakeBase",
    "Level",
    "NationalRecord",
    "Origin",
    "Procedure",
    "ProcedureEntry",
    "ResultEntry",
    "RuleEntry",
    "RuleKind",
    "SubmissionRule",
    "SupplementRequest",
    "Upload",
    "UploadPiece",
    "WorkingCalendarVersion",
]
