"""Who may work on a task: the roster where an agency has one, delegations, and the agency of the calling system.

An agency without a roster names its officials as its own system knows them; all we hold then is that what one has
claimed, another does not finish unless delegated. Where the agency's roster is enforced, an official needs the task's
role in its unit (or in one above it) on that day, or a delegation from somebody who has it.
"""

from datetime import date, datetime

from services.workflow.errors import NotCompetent, OfficialNotEntitled, TaskClaimedByAnother
from services.workflow.models import Account, Case, Task
from services.workflow.queries import accounts
from services.workflow.states import TaskStatus
from shared.clock import VN
from shared.work import Work


async def in_whose_place(work: Work, case: Case, task: Task, official: str) -> str | None:
    """Return for whom an official does a task; None: in their own right.

    Raises NotCompetent, TaskClaimedByAnother, OfficialNotEntitled.
    """
    refuse_strangers(work, task)
    holder = task.official if task.status == TaskStatus.CLAIMED else None
    enforced = task.agency_code in await accounts.enforced_agencies(work.session)
    if not enforced and holder in {None, official}:
        return None
    if not enforced:
        return await _stands_in(work, case, task, official, holder or "")
    if holder is not None and holder != official:
        await _stands_in(work, case, task, official, holder)
        await _require(work, task, holder)
        await require_active(work, official)
        return holder
    return await _own_or_delegated(work, case, task, official)


def refuse_strangers(work: Work, task: Task) -> None:
    """Refuse a system of an agency that may see the case but does not decide it; raises NotCompetent."""
    if not work.caller.may_see(task.agency_code):
        raise NotCompetent(f"Step {task.step_key} belongs to {task.agency_code}.", agency_code=task.agency_code)


async def require_entitled(work: Work, task: Task, official: str) -> None:
    """Refuse an official who may not work on a task of an enforced agency in their own right.

    Raises OfficialNotEntitled.
    """
    if task.agency_code in await accounts.enforced_agencies(work.session):
        await _require(work, task, official)


async def require_active(work: Work, official: str) -> None:
    """Refuse an official whose account is unknown or deactivated; raises OfficialNotEntitled."""
    account = await work.session.get(Account, official)
    if account is None or not account.active:
        raise OfficialNotEntitled(f"{official} has no active account.", official=official)


async def _stands_in(work: Work, case: Case, task: Task, official: str, holder: str) -> str:
    delegators = await accounts.list_delegators(
        work.session, case, task, official=official, at=work.now, day=today(work.now)
    )
    if holder not in delegators:
        raise TaskClaimedByAnother(
            f"{holder} has this task: reassign it, or let {holder} delegate it first.", official=holder
        )
    return holder


async def _own_or_delegated(work: Work, case: Case, task: Task, official: str) -> str | None:
    day = today(work.now)
    if await accounts.list_entitled(work.session, task, day=day, usernames=[official]):
        return None
    await require_active(work, official)
    delegators = await accounts.list_delegators(work.session, case, task, official=official, at=work.now, day=day)
    entitled = await accounts.list_entitled(work.session, task, day=day, usernames=delegators) if delegators else set()
    if not entitled:
        raise _not_entitled(task, official, day)
    return min(entitled)


async def _require(work: Work, task: Task, official: str) -> None:
    day = today(work.now)
    if not await accounts.list_entitled(work.session, task, day=day, usernames=[official]):
        raise _not_entitled(task, official, day)


def _not_entitled(task: Task, official: str, day: date) -> OfficialNotEntitled:
    return OfficialNotEntitled(
        f"On {day} {official} does not hold the role {task.role} in {task.unit} of {task.agency_code}: "
        "assign it in the directory, or let an official who holds it delegate.",
        official=official,
        unit=task.unit,
        role=task.role,
    )


def today(moment: datetime) -> date:
    """Return the date of a moment in Vietnam, by which rights hold."""
    return moment.astimezone(VN).date()


def refuse_strangers_to_case(work: Work, case: Case) -> None:
    """Refuse a system of an agency that received the dossier but does not decide it; raises NotCompetent."""
    if not work.caller.may_see(case.competent_agency_code):
        agency = case.competent_agency_code
        raise NotCompetent(f"Dossier {case.dossier_code} is decided by {agency}.", agency_code=agency)
