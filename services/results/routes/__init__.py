"""HTTP in: results for officials and systems, the public check for everybody."""

from services.results.routes.archive import results, uploads
from services.results.routes.digitisation import digitisation
from services.results.routes.returns import granted, kinds
from services.results.routes.reuse import accesses, reuse, statistics, watch
from services.results.routes.verification import public

ROUTERS = (uploads, accesses, results, kinds, granted, public, reuse, statistics, watch, digitisation)
"""In order of search: /results/accesses before /results/{result_id}."""

__all__ = ["ROUTERS"]
