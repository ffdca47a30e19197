"""HTTP in."""

from services.intake.routes.catalogue import catalogue
from services.intake.routes.documents import documents, uploads
from services.intake.routes.dossiers import dossiers, portal
from services.intake.routes.drafts import drafts
from services.intake.routes.rules import rules
from services.intake.routes.resuming import pieces, resumable

ROUTERS = (dossiers, portal, drafts, documents, uploads, resumable, pieces, rules, catalogue)

__all__ = ["ROUTERS"]
