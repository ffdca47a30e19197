"""Tables of intake, and the shape of a catalogue entry."""

from services.intake.models.catalogue import (
    AgencyEntry,
    CatalogueFile,
    ComponentEntry,
    FieldEntry,
    Level,
    ProcedureEntry,
)
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

__all__ = [
    "Agency",
    "AgencyDay",
    "AgencyEntry",
    "CatalogueFile",
    "CatalogueRevision",
    "ComponentEntry",
    "Document",
    "Dossier",
    "Field",
    "FieldEntry",
    "IntakeBase",
    "Level",
    "Procedure",
    "ProcedureEntry",
    "SupplementRequest",
]
