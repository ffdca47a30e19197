"""HTTP in."""

from services.intake.routes.catalogue import catalogue
from services.intake.routes.documents import documents, uploads
from services.intake.routes.dossiers import dossiers, portal

ROUTERS = (dossiers, portal, documents, uploads, catalogue)

__all__ = ["ROUTERS"]
