"""HTTP in: results for officials and systems, the public check for everybody."""

from services.results.routes.archive import public, results, uploads

ROUTERS = (uploads, results, public)

__all__ = ["ROUTERS"]
