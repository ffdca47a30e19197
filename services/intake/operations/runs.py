"""The list of imports: begun, gone on with, ended."""

import hashlib
import json
from collections.abc import Sequence

from services.intake import queries
from services.intake.models import CatalogueImport
from services.intake.operations.imports import Report
from shared.ids import new_id
from shared.work import Work


async def begin_import(work: Work, *, kind: str, source: str, sha256: str) -> tuple[CatalogueImport, int]:
    """Return the run of a file, and how far an earlier one came that never ended: that one is gone on with."""
    found = await queries.find_unfinished(work.session, kind=kind, sha256=sha256)
    if found is not None:
        return found, found.done
    run = _run(work, kind=kind, source=source, sha256=sha256)
    work.session.add(run)
    return run, 0


def note_import(work: Work, *, source: str, rows: Sequence[object], report: Report) -> CatalogueImport:
    """Put an import into the list that is done in this transaction."""
    digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    run = _run(work, kind="procedures", source=source, sha256=digest)
    run.finished_at, run.done, run.report = work.now, report.imported, report.as_json()
    work.session.add(run)
    return run


def _run(work: Work, *, kind: str, source: str, sha256: str) -> CatalogueImport:
    return CatalogueImport(
        id=new_id(),
        kind=kind,
        source=source,
        sha256=sha256,
        started_at=work.now,
        started_by=work.caller.client_id,
        done=0,
    )
