"""HTTP in."""

from services.intake.routes.agencies import agencies
from services.intake.routes.catalogue import catalogue
from services.intake.routes.documents import documents, uploads
from services.intake.routes.dossiers import dossiers, portal
from services.intake.routes.drafts import drafts
from services.intake.routes.forms import forms
from services.intake.routes.imports import imports
from services.intake.routes.portal_files import portal_files
from services.intake.routes.resuming import pieces, resumable
from services.intake.routes.rules import rules
from services.intake.routes.slips import printed
from services.intake.routes.tracking import tracking

ROUTERS = (
    dossiers,
    portal,
    portal_files,
    drafts,
    documents,
    uploads,
    resumable,
    pieces,
    rules,
    printed,
    tracking,
    catalogue,
    agencies,
    forms,
    imports,
)

__all__ = ["ROUTERS"]
