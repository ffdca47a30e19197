"""What an agency sets itself to digitise, and until when."""

from datetime import date

from services.results import queries
from services.results.errors import PlanBackwards, PlanChanged, PlanNotFound
from services.results.models import DigitisationPlan
from shared.work import Work


async def set_plan(
    work: Work,
    *,
    agency_code: str,
    volume: int,
    starts_on: date | None = None,
    deadline: date | None = None,
    deadline_basis: str | None = None,
    if_version: int | None = None,
) -> DigitisationPlan:
    """Set or change an agency's plan; volume is how many results on paper it counted.

    Unless given, the start is when the rule began to hold, and the deadline is the rule's for this volume. A change
    names the version it changes in if_version. Raises PlanNotFound (not yours to see), PlanChanged, PlanBackwards.
    """
    if not work.caller.may_see(agency_code):
        raise PlanNotFound(agency_code=agency_code)
    plan = await queries.find_plan(work.session, agency_code=agency_code)
    if if_version != (plan.version if plan else None):
        raise PlanChanged("Read the plan again and send its ETag as If-Match.", agency_code=agency_code)
    ruled = queries.deadline_of(volume, starts_on=starts_on)
    ends, begins = deadline or ruled.day, starts_on or ruled.valid_from
    if ends <= begins:
        raise PlanBackwards(f"Give a deadline after {begins}, with its basis.", deadline=ends)
    if plan is None:
        plan = DigitisationPlan(agency_code=agency_code, version=0)
        work.session.add(plan)
    plan.volume, plan.starts_on, plan.deadline = volume, begins, ends
    plan.deadline_basis = (deadline_basis if deadline else None) or ruled.basis
    plan.version += 1
    plan.set_by, plan.set_at = work.caller.client_id, work.now
    await work.session.flush()
    return plan
