"""What workflow keeps of results: when one was issued and returned, so that what was done but not entered is seen."""

from datetime import datetime

from services.workflow import queries
from services.workflow.models import Case, EarlyResult
from shared.work import Work


async def note_result(
    work: Work, *, dossier_code: str, issued_at: datetime | None = None, returned_at: datetime | None = None
) -> None:
    """Keep when a dossier's result was first issued or returned; also of one whose case has not started, or never will.

    A result digitised from the archive has no case here.
    """
    case = await queries.find_locked_case(work.session, dossier_code)
    if case is not None:
        case.result_issued_at = case.result_issued_at or issued_at
        case.result_returned_at = case.result_returned_at or returned_at
        return
    early = await queries.find_early_result(work.session, dossier_code)
    if early is None:
        early = EarlyResult(dossier_code=dossier_code)
        work.session.add(early)
        queries.desk(work.session).early_results[dossier_code] = early
    early.issued_at = early.issued_at or issued_at
    early.returned_at = early.returned_at or returned_at


async def take_early_result(work: Work, case: Case) -> None:
    """Take up what was told of a case's result before it started."""
    early = await queries.find_early_result(work.session, case.dossier_code)
    if early is not None:
        case.result_issued_at, case.result_returned_at = early.issued_at, early.returned_at
        await work.session.delete(early)
        queries.desk(work.session).early_results[case.dossier_code] = None
