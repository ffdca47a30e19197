"""What intake reads."""

from services.intake.queries.catalogue import (
    Catalogue,
    find_revision,
    get_procedure,
    list_procedures,
    load_catalogue,
    read_catalogue,
)
from services.intake.queries.documents import get_document, list_documents
from services.intake.queries.dossiers import (
    DossierFilter,
    Page,
    find_dossier_of_origin,
    find_open_supplement,
    get_dossier,
    list_dossiers,
    list_open_supplements,
    list_supplements,
    lock_dossier,
    lock_dossiers,
)

__all__ = [
    "Catalogue",
    "DossierFilter",
    "Page",
    "find_dossier_of_origin",
    "find_open_supplement",
    "find_revision",
    "get_document",
    "get_dossier",
    "get_procedure",
    "list_documents",
    "list_dossiers",
    "list_open_supplements",
    "list_procedures",
    "list_supplements",
    "load_catalogue",
    "lock_dossier",
    "lock_dossiers",
    "read_catalogue",
]
