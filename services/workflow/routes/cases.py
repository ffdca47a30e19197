"""HTTP in: cases, and what stops and moves their clocks."""

from datetime import datetime

from services.workflow import queries
from services.workflow.operations import cases as case_verbs
from services.workflow.operations import clock, extensions
from services.workflow.queries import calendars
from services.workflow.routes.parameters import (
    READ,
    WORK,
    Cursor,
    DossierCode,
    Limit,
    RulesDep,
    Word,
    earliest,
)
from services.workflow.schemas import CaseDetail, CasePage, CaseView, ResumeRequest, StopRequest, SupplementRequest
from services.workflow.schemas.offices import ExtendRequest
from services.workflow.states import CaseStatus
from shared import clock as wall
from shared.bodies import Moment
from shared.http import CallerDep, SessionDep, WorkDep, router

cases = router("cases", prefix="/cases")


@cases.get("", dependencies=[READ])
async def list_cases(
    session: SessionDep,
    caller: CallerDep,
    rules: RulesDep,
    *,
    agency: Word = None,
    status: CaseStatus | None = None,
    overdue: bool = False,
    nearing: bool = False,
    due_before: Moment | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> CasePage:
    """List cases that have a due date, the nearest first; without a status those under way.

    Overdue is a case whose clock ran past its due date: while it stands still it does not become so. Nearing is one
    whose clock runs and whose date lies within the first level of the escalation rules.
    """
    now = wall.now()
    horizon: datetime | None = None
    if nearing:
        horizon = rules.horizon("case", now, await calendars.get_national(session))
    wanted = queries.CaseFilter(
        agency=agency,
        status=status,
        overdue_at=now if overdue else None,
        due_before=earliest(due_before, horizon),
        due_from=now if nearing else None,
        running_only=nearing,
    )
    page = queries.Page(limit=limit, cursor=cursor)
    items, next_cursor = await queries.list_cases(session, caller=caller, wanted=wanted, page=page)
    return CasePage(items=[CaseView.model_validate(case) for case in items], next_cursor=next_cursor)


@cases.get("/{dossier_code}", dependencies=[READ])
async def get_case(session: SessionDep, caller: CallerDep, dossier_code: DossierCode) -> CaseDetail:
    """Show a case with its tasks, the ledger of its clock, and why its due date is what it is."""
    case = await queries.get_case(session, dossier_code, caller=caller)
    ledger = list(await queries.list_clock(session, dossier_code))
    calendar = await queries.get_calendar(session, case.calendar_code, case.calendar_version)
    return CaseDetail.of(case, ledger, clock.explain(ledger, calendar, clock.terms_of(case)))


@cases.post("/{dossier_code}/request-supplement", dependencies=[WORK])
async def request_supplement(work: WorkDep, dossier_code: DossierCode, body: SupplementRequest) -> CaseView:
    """Ask the applicant for more papers; the clock stands still until they come."""
    case = await case_verbs.request_supplement(
        work,
        dossier_code=dossier_code,
        content=body.content,
        respond_by=body.respond_by,
        requested_by=body.requested_by,
    )
    return CaseView.model_validate(case)


@cases.post("/{dossier_code}/stop", dependencies=[WORK])
async def stop_case(work: WorkDep, dossier_code: DossierCode, body: StopRequest) -> CaseView:
    """Stop a running case (form 05)."""
    case = await case_verbs.stop_case(
        work,
        dossier_code=dossier_code,
        reason=body.reason,
        legal_basis=body.legal_basis,
        stopped_by=body.stopped_by,
    )
    return CaseView.model_validate(case)


@cases.post("/{dossier_code}/resume", dependencies=[WORK])
async def resume_case(work: WorkDep, dossier_code: DossierCode, body: ResumeRequest) -> CaseView:
    """Let a stopped case go on."""
    case = await case_verbs.resume_case(work, dossier_code=dossier_code, resumed_by=body.resumed_by)
    return CaseView.model_validate(case)


@cases.post("/{dossier_code}/extend", dependencies=[WORK])
async def extend_case(work: WorkDep, rules: RulesDep, dossier_code: DossierCode, body: ExtendRequest) -> CaseView:
    """Give the applicant a later date with an apology (form 04), as often and as early as the rule in force asks."""
    case = await extensions.extend_case(
        work,
        dossier_code=dossier_code,
        due_at=body.due_at,
        reason=body.reason,
        official=body.official,
        rule=rules.extension(work.now),
    )
    return CaseView.model_validate(case)
